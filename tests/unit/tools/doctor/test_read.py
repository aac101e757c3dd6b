"""From sources and files to facts, evidence, and what the command prints."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pcs
from tests.fakes.nobody import as_nobody
from tests.fakes.tree import Contents, grow, pci_function
from vfiod.cli import main as cli
from vfiod.config import schema
from vfiod.errors import ConfigError, HostError
from vfiod.host.facts.libvirtd import HookPlaces
from vfiod.tools.doctor.evidence import read_evidence
from vfiod.tools.doctor.examine import examine
from vfiod.tools.doctor.read import Sources, gather
from vfiod.tools.setup import facts as setup_facts

OWN_ROM = "/root/own.rom"
HOOK = HookPlaces(Path("/etc/libvirt/hooks/qemu.d/50-vfiod"), Path("/usr/share/x"), b"# mark")


def no_program(_argv: Sequence[str]) -> str:
    raise HostError("cannot run it")


def no_guest(name: str) -> str:
    raise HostError(f"libvirt says: no domain {name}")


def sources() -> Sources:
    return Sources(HOOK, pcs.settings, lambda _: pcs.xml(), no_program, host=pcs.greeter())


@pytest.fixture
def pc(tmp_path: Path) -> Path:
    files: dict[str, Contents] = {
        **pci_function("0000:01:00.0", driver="amdgpu", group=10, more={"boot_vga": "1\n"}),
        **pci_function("0000:01:00.1", ids=("0x1002", "0xab28", "0x040300"), group=10),
        "proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n",
        "proc/cmdline": "quiet intel_iommu=on\n",
        "proc/sys/kernel/osrelease": "6.1.0-30-amd64\n",
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12"\n',
        "etc/vfiod/vfiod.yaml": "guests: {}\n",
    }
    grow(tmp_path, files)
    return tmp_path


def test_facts_of_a_host(pc: Path) -> None:
    facts = gather(sources(), root=pc)
    assert [str(device.address) for device in facts.displays] == ["0000:01:00.0"]
    assert facts.firmware.iommu.groups == 1
    assert facts.boot.running == ("quiet", "intel_iommu=on")
    assert facts.units is None
    assert facts.guest is None
    assert not facts.busy


@pytest.mark.parametrize("closed", [
    "boot", "etc/apparmor.d", "etc/default", "etc/kernel", "etc/libvirt", "etc/modprobe.d",
    "etc/systemd/system", "run/vfiod", "var/lib/libvirt",
])  # fmt: skip
def test_a_folder_that_is_closed_to_a_user_is_no_error(pc: Path, closed: str) -> None:
    """Which folders only root may enter is the distribution's choice."""

    def look() -> int:
        return len(gather(sources(), "win10", pc).devices) + len(setup_facts.read(pc).functions)

    grow(pc, {"usr/bin/proxmox-boot-tool": "", "proc/cmdline": "BOOT_IMAGE=x quiet\n"})
    (pc / closed).mkdir(parents=True, exist_ok=True)
    found = look()  # everything is imported while that is allowed
    (pc / closed).chmod(0)
    seen = as_nobody(look, pc)
    (pc / closed).chmod(0o755)
    assert seen == found


def test_what_leaves_is_what_is_configured(pc: Path) -> None:
    assert [device.address for device in gather(sources(), root=pc).leaving] == [pcs.VGA, pcs.AUDIO]


def test_what_leaves_without_a_configuration_is_the_boot_display(pc: Path) -> None:
    bare = replace(sources(), load_config=schema.Config)
    assert [device.address for device in gather(bare, root=pc).leaving] == [pcs.VGA, pcs.AUDIO]


def test_who_has_the_card_open(pc: Path) -> None:
    assert {holder.command for holder in gather(sources(), root=pc).holders} == {"Xorg", "greeter"}


def test_a_guest_that_has_the_devices(pc: Path) -> None:
    grow(pc, {"run/vfiod/journal.json": "{}"})
    assert gather(sources(), root=pc).busy


def test_a_guest(pc: Path) -> None:
    guest = gather(sources(), "win10", pc).guest
    assert guest is not None
    assert guest.fault == ""
    assert guest.request is not None
    assert [access.path for access in guest.path_accesses] == [
        "/var/lib/libvirt/images/win10.qcow2", "/usr/share/vgabios/vfiod/0000:01:00.0.rom",
    ]  # fmt: skip


@pytest.mark.parametrize(("user", "closed"), [("root", ""), ("qemu", "/var/lib/libvirt/images")])
def test_who_must_pass_the_folders_is_qemu_s_user(pc: Path, user: str, closed: str) -> None:
    image = "var/lib/libvirt/images/win10.qcow2"
    grow(pc, {"etc/libvirt/qemu.conf": f'user = "{user}"\n', image: "",
              "etc/passwd": "qemu:x:107:107::/:/bin/false\n"})  # fmt: skip
    (pc / image).parent.chmod(0o700)
    guest = gather(sources(), "win10", pc).guest
    assert guest is not None
    assert guest.path_accesses[0].closed == closed


def hidden_roms(pc: Path, *readable: str, **changes: Any) -> list[str]:
    host = pcs.greeter()
    host.files.readable_in_place |= set(readable)
    opened = replace(sources(), host=host, domain_xml=lambda _: pcs.xml(rom_file=OWN_ROM))
    guest = gather(replace(opened, **changes), "win10", pc).guest
    assert guest is not None
    return list(guest.hidden_roms)


def test_roms_that_qemu_may_not_read(pc: Path) -> None:
    no_rom = partial(pcs.settings, rom=False)
    assert hidden_roms(pc, load_config=no_rom) == [OWN_ROM]
    assert hidden_roms(pc, OWN_ROM, load_config=no_rom) == []
    assert hidden_roms(pc) == []  # the configuration has it copied: a start judges that


def test_a_guest_that_libvirt_does_not_know(pc: Path) -> None:
    guest = gather(replace(sources(), domain_xml=no_guest), "win10", pc).guest
    assert guest is not None
    assert guest.fault == "libvirt says: no domain win10"


def test_a_guest_without_a_bus(pc: Path) -> None:
    guest = gather(replace(sources(), host=None), "win10", pc).guest
    assert guest is not None
    assert guest.request is None
    assert guest.xml is not None


def test_a_wrong_configuration_is_a_finding(pc: Path) -> None:
    def wrong() -> schema.Config:
        raise ConfigError(["vfiod.yaml:1:1: guests: odd; write it well"])

    sections = examine(gather(replace(sources(), load_config=wrong), "win10", pc))
    facts = [finding.fact for section in sections for finding in section.findings]
    assert "vfiod.yaml:1:1: guests: odd" in facts


# Evidence


def test_evidence(pc: Path) -> None:
    def programs(argv: Sequence[str]) -> str:
        return "lines\n" if "journalctl" in argv[0] else no_program(argv)

    texts = read_evidence(replace(sources(), run=programs), "win10", pc)
    assert "0x73bf" in texts["machine.yaml"]
    assert texts["vfiod.yaml"] == "guests: {}\n"
    assert texts["guest.xml"].startswith("<domain")
    assert texts["journal.txt"] == "lines\n"
    assert "system: Debian GNU/Linux 12\nkernel: 6.1.0-30-amd64\n" in texts["versions.txt"]


def test_evidence_of_nothing(tmp_path: Path) -> None:
    assert set(read_evidence(replace(sources(), domain_xml=no_guest), "x", tmp_path)) == {
        "machine.yaml", "versions.txt",
    }  # fmt: skip


# The command, on the machine the tests run on


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["doctor", "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert status == {"ok": 0, "warn": 10, "fail": 11}[facts["worst"]]
    assert {"subject", "check", "level", "fact", "why", "remedy"} <= set(facts["findings"][0])


def test_the_command_talks_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Processor and firmware"
    assert any(" failed, " in line for line in lines)


def test_the_command_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "report.tar.gz"
    cli.main(["doctor", "--report", str(target)])
    before = target.read_bytes()
    assert cli.main(["doctor", "--report", str(target)]) == HostError.exit_code
    assert "exists already" in capsys.readouterr().err
    assert target.read_bytes() == before


class Systemd:
    """Knows every unit, and that it runs."""

    def call(self, _service: str, _path: str, _method: str, _types: str, name: str) -> Any:
        return (f"/{name}",)

    def get_each(
        self, _service: str, paths: Sequence[str], _interface: str, _names: Sequence[str]
    ) -> Any:
        return [
            {
                "Id": path[1:], "LoadState": "loaded", "ActiveState": "active",
                "UnitFileState": "enabled", "CanStart": True, "CanStop": True,
                "StateChangeTimestamp": 0,
            }
            for path in paths
        ]  # fmt: skip


def test_units_are_those_of_libvirt_and_the_configured_display_manager(pc: Path) -> None:
    chosen = partial(schema.parse, "display_manager: ly.service\n")
    opened = replace(sources(), bus=Systemd(), load_config=chosen)  # type: ignore[arg-type]
    units = gather(opened, root=pc).units
    assert units is not None
    assert {"ly.service", "libvirtd.service", "virtqemud.socket", "vfiod.service"} <= set(units)
    assert units["ly.service"].running
