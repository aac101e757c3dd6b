"""vfiod create with the real virt-install and qemu-img; libvirt is its own test driver.

virt-install's own magic URI shows it a Debian host with QEMU, recorded in tests/data/libvirt.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from lxml import etree

from tests.fakes.topologies import materialise
from tests.fakes.tree import grow
from tests.terminal import run_at_terminal
from tests.unit.tools.create.test_request import open_folder, write_cd
from vfiod.cli.main import parser
from vfiod.cli.places import Places
from vfiod.cli.verbs.create import run_at
from vfiod.cli.verbs.tune import host_of
from vfiod.errors import ConfigError, HostError, Refused
from vfiod.guest import domain
from vfiod.guest.connection import Guests
from vfiod.host.facts.romstage import read_stages
from vfiod.tools.create.make import make
from vfiod.tools.create.request import CreateRequest
from vfiod.tools.create.system import System
from vfiod.tools.tune.findings import examine

__all__ = ["open_folder"]

DATA = Path(__file__).parents[3] / "data/libvirt"
URI = (
    f"__virtinst_test__test:///default,fakeuri=qemu:///system,"
    f"caps={DATA}/capabilities.xml,domcaps={DATA}/domain-capabilities.xml"
)
NODE = """\
<node>
  <domain type='test'><name>test</name><memory>1</memory><os><type>hvm</type></os></domain>
  <network><name>default</name><ip address='192.168.122.1' netmask='255.255.255.0'/></network>
</node>
"""
GUESTS = (
    "guests:\n  win10:\n    devices:\n      - {address: 01:00.0, rom: /card.rom}\n      - 01:00.1\n"
)


class TestDriver(Guests):
    """libvirt's test driver checks a definition against the schema, and knows its own type only."""

    __test__ = False
    refuses = False

    def define(self, xml: str) -> None:
        assert "type='kvm'" in xml
        if self.refuses:
            xml = xml.replace("<vcpu", "<unheard/><vcpu")
        super().define(xml.replace("type='kvm'", "type='test'", 1))


@pytest.fixture
def guests(tmp_path: Path) -> TestDriver:
    """A libvirt of its own, with one guest and one network."""
    (tmp_path / "node.xml").write_text(NODE)
    return TestDriver(f"test://{tmp_path}/node.xml")


@pytest.fixture
def folder(open_folder: Path) -> Path:
    (open_folder / "vfiod.yaml").write_text("")
    materialise("ryzen-5-1600", open_folder / "pc")
    write_cd(open_folder / "Win11, mine.iso")
    write_cd(open_folder / "virtio-win.iso")
    write_cd(open_folder / "debian.iso", volume="Debian 11.5.0 amd64 n")
    return open_folder


SIZES = ("--disk=1G", "--memory=512M", "--cpus=1")


WINDOWS_11 = ("--disk=64G", "--memory=4G", "--cpus=2")


def create(
    guests: Guests,
    folder: Path,
    name: str,
    *options: str,
    iso: str = "debian.iso",
    sizes: Sequence[str] = SIZES,
) -> int:
    place = f"--disk-file={folder / name}.qcow2"
    given = ["create", name, f"--iso={folder / iso}", place, *sizes, *options]
    places = Places(folder / "pc", folder / "vfiod.yaml", folder / "backups", URI)
    return run_at(parser().parse_args(given), guests, places)


def xml_of(capsys: pytest.CaptureFixture[str]) -> etree._Element:
    return etree.fromstring(capsys.readouterr().out)


def one(root: etree._Element, path: str) -> str:
    (found,) = root.xpath(path)
    return str(found)


# Nothing is left behind


def test_what_libvirt_refuses_leaves_no_disk(guests: TestDriver, folder: Path) -> None:
    guests.refuses = True
    with pytest.raises(HostError, match="unheard"):
        create(guests, folder, "new", "--yes")
    assert not (folder / "new.qcow2").exists()
    assert "new" not in guests.names()


def test_what_virt_install_refuses_leaves_nothing(guests: TestDriver, folder: Path) -> None:
    with pytest.raises(HostError, match=r"virt-install says: .*nonsense"):
        create(guests, folder, "new", "--yes", "--os-variant=nonsense")
    assert not (folder / "new.qcow2").exists()


def test_a_disk_that_cannot_be_made_leaves_no_guest(guests: TestDriver, folder: Path) -> None:
    name = "a" * 60 + ".qcow2"
    (folder / name).write_text("mine")
    with pytest.raises(Refused, match="exists already"):
        create(guests, folder, "a" * 60, "--yes")
    assert (folder / name).read_text() == "mine"


def test_a_disk_that_appears_meanwhile_is_not_overwritten(guests: TestDriver, folder: Path) -> None:
    disk = folder / "new.qcow2"
    disk.write_text("mine")
    wanted = CreateRequest("new", System("linux2022"), folder, disk, 2**30, 2**29, 1)
    with pytest.raises(HostError, match="File exists"):
        make(wanted, "<domain/>", guests)
    assert disk.read_text() == "mine"


def test_everything_wrong_is_said_at_once(guests: TestDriver, folder: Path) -> None:
    with pytest.raises(Refused) as caught:
        create(guests, folder, "test", "--yes", "--network=no", iso="gone.iso")
    said = [reason.message for reason in caught.value.reasons]
    assert said == [
        "there is a guest test already",
        f"cannot read {folder}/gone.iso: No such file or directory",
        "libvirt has no network no",
    ]


def test_without_consent_nothing_is_made(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(guests, folder, "new") == 1
    out, err = capsys.readouterr()
    assert "Guest new, for debian11:" in out
    assert "  1 CPU, 512 MiB of memory, UEFI, a screen on VNC" in out
    assert "without a terminal to ask at, add --yes" in err
    assert guests.names() == ["test"]
    assert not (folder / "new.qcow2").exists()


def test_print_xml_makes_nothing(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(guests, folder, "new", "--print-xml") == 0
    assert domain.parse(capsys.readouterr().out).name == "new"
    assert guests.names() == ["test"]
    assert not (folder / "new.qcow2").exists()


# What is made


def test_a_linux_guest_is_made(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(guests, folder, "new", "--yes") == 0
    said = capsys.readouterr().out
    assert "virsh --connect" in said
    assert "sudo vfiod init new" in said
    made = etree.fromstring(guests.definition("new"))
    assert one(made, "devices/disk[@device='disk']/source/@file") == str(folder / "new.qcow2")
    assert one(made, "os/@firmware") == "efi"
    info = subprocess.run(
        ["qemu-img", "info", str(folder / "new.qcow2")], capture_output=True, text=True, check=True
    )
    assert "file format: qcow2" in info.stdout
    assert "virtual size: 1 GiB" in info.stdout


def test_windows_11_gets_what_it_asks_for(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--print-xml", f"--virtio-iso={folder}/virtio-win.iso")
    create(guests, folder, "win11", *options, iso="Win11, mine.iso", sizes=WINDOWS_11)
    xml = xml_of(capsys)
    assert one(xml, "devices/channel/target/@name") == "org.qemu.guest_agent.0"
    assert one(xml, "features/vmport/@state") == "off"
    assert one(xml, "devices/disk[@device='disk']/driver/@discard") == "unmap"
    assert one(xml, "devices/tpm/backend/@version") == "2.0"
    assert one(xml, "os/firmware/feature[@name='secure-boot']/@enabled") == "yes"
    assert one(xml, "features/smm/@state") == "on"
    assert one(xml, "os/type/@machine") == "q35"
    assert one(xml, "cpu/@mode") == "host-passthrough"
    assert one(xml, "cpu/topology/@sockets") == "1"
    assert one(xml, "cpu/topology/@cores") == "2"  # which the installer counts
    assert xml.xpath("devices/disk/source/@file") == [
        f"{folder}/{name}" for name in ("win11.qcow2", "Win11, mine.iso", "virtio-win.iso")
    ]
    assert xml.xpath("devices/disk/target/@bus") == ["virtio", "sata", "sata"]
    assert xml.xpath("devices/disk/boot/@order") == ["1", "2"]
    assert one(xml, "devices/graphics/@listen") == "127.0.0.1"
    assert one(xml, "devices/memballoon/@model") == "none"


def test_sizes_that_are_not_given_are_proposed(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(folder / "pc", {"proc/meminfo": "MemTotal: 33554432 kB\n"})
    create(guests, folder, "new", "--print-xml", "--no-tune", "--cpus=2", sizes=())
    xml = xml_of(capsys)
    assert one(xml, "memory/text()") == str(16 * 2**20)
    assert one(xml, "vcpu/text()") == "2"


@pytest.mark.parametrize(
    ("typed", "told"), [("12GB", "got 12 GiB"), ("", "got 7 GiB"), ("much\n9", "got 9 GiB")]
)
def test_a_person_is_asked_until_it_is_a_size(typed: str, told: str) -> None:
    child = (
        "from vfiod.cli.terminal import answer\n"
        "from vfiod.tools.create.values import parse_size, show_size\n"
        "print('got', show_size(answer('Memory [7 GiB]: ', parse_size, 7 << 30)))"
    )
    argv = (sys.executable, "-c", child)
    status, talk = run_at_terminal(argv, answer=typed, question="Memory [7 GiB]: ")
    assert (status, talk.rstrip().endswith(told)) == (0, True)
    assert ("not a size: 'much'" in talk) == typed.startswith("much")
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert done.stdout == "got 7 GiB\n"


def test_windows_11_is_not_made_too_small(guests: TestDriver, folder: Path) -> None:
    with pytest.raises(Refused) as caught:
        create(guests, folder, "win11", "--yes", iso="Win11, mine.iso")
    said = [error.message for error in caught.value.reasons]
    assert len([text for text in said if text.startswith("Windows 11 does not install")]) == 3
    assert guests.names() == ["test"]


def test_secure_boot_is_the_persons_choice(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option, state in (("--secure-boot", "yes"), ("--no-secure-boot", "no")):
        create(guests, folder, "new", "--print-xml", option)
        assert one(xml_of(capsys), "os/firmware/feature[1]/@enabled") == state


def test_it_is_tuned_for_the_host_and_nothing_is_left_to_tune(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(guests, folder, "new", "--yes") == 0
    said = capsys.readouterr().out
    assert "  fitted to this host: " in said
    assert "pinning" in said
    assert "one cache" not in said
    made = guests.definition("new").replace("type='test'", "type='kvm'", 1)
    assert one(etree.fromstring(made), "cputune/vcpupin/@vcpu") == "0"
    places = Places(folder / "pc", folder / "vfiod.yaml", folder / "backups", URI)
    assert examine(made, host_of(made, guests.versions(), places)).changes == ()


def test_the_details_of_that_are_told_on_demand(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(guests, folder, "new", "--details") == 1
    assert "  pinning: vCPUs on " in capsys.readouterr().out


def test_untuned_it_is_as_virt_install_makes_it(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create(guests, folder, "new", "--print-xml", "--no-tune")
    assert xml_of(capsys).find("cputune") is None


def test_configured_devices_and_rom_are_put_in(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "vfiod.yaml").write_text(GUESTS)
    create(guests, folder, "win10", "--print-xml")
    xml = capsys.readouterr().out
    found = domain.parse(xml).hostdevs
    assert [(str(h.address), h.managed, h.rom_file) for h in found] == [
        ("0000:01:00.0", False, f"{read_stages()[0]}/0000:01:00.0.rom"),
        ("0000:01:00.1", False, None),
    ]
    assert "<graphics type='vnc'" in xml


def test_gpu_leaves_the_emulated_screen_out(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match="lists none for this guest"):
        create(guests, folder, "win10", "--print-xml", "--gpu")
    (folder / "vfiod.yaml").write_text(GUESTS)
    create(guests, folder, "win10", "--print-xml", "--gpu")
    xml = xml_of(capsys)
    assert xml.xpath("devices/graphics") == []
    assert xml.xpath("devices/video") == []


@pytest.mark.parametrize(
    "wrong",
    [
        ["../x", "--disk=1G"],
        ["x", "--disk=1K"],
        ["x", "--disk=1G", "--cpus=two"],
        ["x", "--cpus=-1"],
    ],
)
def test_wrong_usage_is_told(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    rest = ["--iso=/a", "--memory=1G", "--cpus=1"]
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(["create", *rest, *wrong])
    assert caught.value.code == 2
    assert "vfiod create: error: argument" in capsys.readouterr().err
