"""vfiod init from the command line to both files and back, with libvirt's test driver."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import libvirt
import pytest

from tests import hosts
from tests.fakes.tree import Link, grow
from tests.terminal import run_at_terminal
from vfiod.cli.main import parser
from vfiod.cli.places import Places
from vfiod.cli.verbs.init import run_at
from vfiod.config import schema
from vfiod.config.schema import DeviceConfig
from vfiod.errors import Busy, ConfigError, HostError, Refused, RomError
from vfiod.guest import domain, passed
from vfiod.guest.backups import Backups
from vfiod.guest.change import edit
from vfiod.guest.connection import Guests
from vfiod.guest.features import read_guest
from vfiod.host.facts.romstage import read_stages
from vfiod.model import PciAddress
from vfiod.paths import PROGRAM
from vfiod.tools.init.assign import Assigner, Assignment
from vfiod.util.typed import without_screen

VGA, AUDIO, USB = (PciAddress.parse(text) for text in ("08:00.0", "08:00.1", "09:00.3"))
TEXT = "# mine\nguests:\n  other:  # hers\n    devices: [0000:05:00.0]\n"

# A process of its own, as at a real terminal; says at its end what it has left.
CHILD = """\
import sys
from pathlib import Path
from vfiod.cli.main import parser
from vfiod.guest.connection import Guests
from vfiod.cli.places import Places
from vfiod.cli.verbs.init import run_at
folder = Path(sys.argv[1])
places = Places(folder / "pc", folder / "etc/vfiod.yaml", folder / "backups", "test:///default")
guests = Guests(places.uri)
status = run_at(parser().parse_args(["init", "test", *sys.argv[2:]]), places)
(folder / "definition").write_text(guests.definition("test"))
sys.exit(status)
"""


@pytest.fixture
def guests() -> Guests:
    return Guests("test:///default")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "vfiod.yaml").write_text(TEXT)
    pc = tmp_path / "pc"
    pc.mkdir()
    hosts.build("ryzen-1600-rx480", pc)
    return Places(pc, folder / "vfiod.yaml", tmp_path / "backups", "test:///default")


def init(places: Places, *options: str) -> int:
    return run_at(parser().parse_args(["init", "test", *options]), places)


def hostdevs(xml: str) -> list[passed.Hostdev]:
    return list(domain.parse(xml).hostdevs)


def given(places: Places) -> tuple[DeviceConfig, ...]:
    return schema.parse(places.config.read_text()).guests["test"].devices


# The way back


def test_revert_puts_both_back_to_the_byte(places: Places, guests: Guests) -> None:
    before = guests.definition("test")
    assert init(places, "--yes") == 0
    assert given(places)
    assert init(places, "--revert", "--yes") == 0
    assert places.config.read_text() == TEXT
    assert guests.definition("test") == before


def launchers(places: Places) -> list[str]:
    return [path.read_text() for path in places.root.glob("usr/local/share/applications/*")]


def test_a_launcher_comes_and_goes_with_the_guest(
    places: Places, guests: Guests, capsys: pytest.CaptureFixture[str]
) -> None:
    init(places, "--dry-run")
    assert "+Name=Virtual machine (test)" in capsys.readouterr().out
    assert launchers(places) == []
    init(places, "--yes", "--no-usb")
    init(places, "--yes", "--device", str(USB))
    assert 'start --ask -- "test"' in launchers(places)[0]
    init(places, "--revert", "--yes")
    assert len(launchers(places)) == 1  # it is configured still
    init(places, "--revert", "--yes")
    assert launchers(places) == []


def test_a_launcher_that_is_not_wanted_goes(places: Places, guests: Guests) -> None:
    init(places, "--yes", "--no-launcher")
    assert launchers(places) == []
    assert init(places, "--yes") == 0
    assert len(launchers(places)) == 1
    kept = sorted(places.backups.iterdir())
    assert init(places, "--yes", "--no-launcher") == 0
    assert launchers(places) == []
    assert sorted(places.backups.iterdir()) == kept


def at_login(places: Places) -> list[str]:
    return [path.read_text() for path in places.root.glob("usr/share/*sessions/*")]


def test_the_login_screen_s_entry_comes_and_goes_with_the_guest(
    places: Places, guests: Guests, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(places.root, {"usr/share/doc": ""})
    init(places, "--dry-run")
    uuid = domain.parse(guests.definition("test")).uuid
    assert f"+Exec={PROGRAM} session {uuid}" in capsys.readouterr().out
    assert at_login(places) == []
    init(places, "--yes")
    assert len(at_login(places)) == 1
    init(places, "--yes", "--no-login-entry")
    assert at_login(places) == []
    assert len(launchers(places)) == 1
    init(places, "--yes")
    init(places, "--revert", "--yes")
    assert at_login(places) == launchers(places) == []


def test_revert_goes_back_one_init_at_a_time(places: Places, guests: Guests) -> None:
    before = guests.definition("test")
    init(places, "--yes", "--no-usb")
    once = guests.definition("test"), places.config.read_text()
    init(places, "--yes", "--device", str(USB))
    init(places, "--revert", "--yes")
    assert (guests.definition("test"), places.config.read_text()) == once
    init(places, "--revert", "--yes")
    assert (guests.definition("test"), places.config.read_text()) == (before, TEXT)
    with pytest.raises(HostError, match="no backup"):
        init(places, "--revert", "--yes")


def test_revert_leaves_other_guests_as_they_are_now(places: Places, guests: Guests) -> None:
    init(places, "--yes")
    places.config.write_text(places.config.read_text().replace("05:00.0", "06:00.0"))
    init(places, "--revert", "--yes")
    assert places.config.read_text() == TEXT.replace("05:00.0", "06:00.0")


def test_a_definition_that_libvirt_refuses_leaves_the_configuration(
    places: Places, guests: Guests
) -> None:
    wrong = edit("test", guests.definition("test"), lambda root: root.set("type", "unheard"))
    assignment = Assignment(places.config, TEXT, TEXT + "  test: {devices: [08:00.0]}\n", wrong)
    with pytest.raises(HostError, match="libvirt says"):
        Assigner(guests, Backups(places.backups)).apply(assignment)
    assert places.config.read_text() == TEXT
    assert list(places.backups.iterdir()) == []


def test_a_configuration_edited_meanwhile_is_not_overwritten(
    places: Places, guests: Guests
) -> None:
    change = edit("test", guests.definition("test"), lambda _: None)
    places.config.write_text(TEXT + "# more\n")
    with pytest.raises(Busy, match="somebody else"):
        Assigner(guests, Backups(places.backups)).apply(
            Assignment(places.config, TEXT, TEXT + "#\n", change)
        )
    assert places.config.read_text() == TEXT + "# more\n"


# What is set up


def test_both_files_get_the_devices_and_nothing_else_moves(
    places: Places, guests: Guests, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(places, "--yes") == 0
    assert given(places) == tuple(map(DeviceConfig, (VGA, AUDIO, USB)))
    assert places.config.read_text().startswith(TEXT + "  test:\n    devices:\n")
    assert hostdevs(guests.definition("test")) == [
        passed.Hostdev(a, managed=False, rom_file=None, rom_bar=True) for a in (VGA, AUDIO, USB)
    ]
    said = capsys.readouterr().out
    assert "test would get:" in said
    assert "+    <hostdev mode='subsystem' type='pci' managed='no'>" in said
    assert "test is running" in said  # the test driver's guest does
    assert "vfiod plan test" in said
    assert "emulated screen" not in said


SPICE = """<controller type='usb' index='0' model='qemu-xhci'/>
<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>
<graphics type='spice' autoport='yes'/><redirdev bus='usb' type='spicevmc'/>
<video><model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='1' primary='yes'/></video>
</devices>"""


def test_an_emulated_screen_is_told_of(
    places: Places, guests: Guests, capsys: pytest.CaptureFixture[str]
) -> None:
    """With doctor's own command, and no more once it is out: SPICE stays."""
    guests.define(guests.definition("test").replace("</devices>", SPICE))
    init(places, "--yes")
    assert f"\n  {without_screen('test')}\n" in capsys.readouterr().out
    guests.define(re.sub("<video>.*</video>", NO_SCREEN, guests.definition("test"), flags=re.S))
    places.config.write_text(TEXT)
    init(places, "--yes")
    said = capsys.readouterr().out
    assert "Done" in said
    assert "emulated screen" not in said


@pytest.mark.parametrize("node", ["", " rendernode='/dev/dri/renderD128'"])
def test_a_screen_that_the_card_draws_itself_is_told_of(
    places: Places, guests: Guests, capsys: pytest.CaptureFixture[str], node: str
) -> None:
    card = "sys/devices/pci0000:00/0000:00:03.1/0000:08:00.0/drm/renderD128"
    grow(
        places.root,
        {f"{card}/dev": "", "sys/class/drm/renderD128": Link(card), "dev/dri/renderD128": ""},
    )
    xml = guests.definition("test")
    gl = f"<graphics type='egl-headless'><gl{node}/></graphics>"
    guests.define(xml.replace("</devices>", f"{gl}</devices>"))
    init(places, "--yes")
    said = " ".join(capsys.readouterr().out.split())
    assert "test draws its emulated screen with OpenGL on the card that it gets" in said
    assert "virsh --connect qemu:///system edit test" in said
    other = "sys/devices/pci0000:00/0000:00:02.0/drm/renderD129"
    grow(places.root, {f"{other}/dev": "", "sys/class/drm/renderD129": Link(other)})
    places.config.write_text(TEXT)
    init(places, "--yes")
    assert ("draws its emulated" in capsys.readouterr().out) is bool(node)


NO_SCREEN = "<video><model type='none'/></video>"


@pytest.mark.skipif(not shutil.which("virt-xml"), reason="virt-xml is needed")
def test_that_command_takes_the_screen_out(guests: Guests) -> None:
    """libvirt takes what virt-xml makes of it, and gives no other screen in its place."""
    xml = guests.definition("test").replace("</devices>", SPICE)
    name = without_screen("test").index(" test ") + len(" test ")
    change = shlex.split(without_screen("test")[name:])
    done = subprocess.run(
        ["virt-xml", "--connect", "test:///default", "--print-xml", *change],
        input=xml, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert read_guest(xml).screens == ("qxl",)
    guests.define(done.stdout)
    after = guests.definition("test")
    assert read_guest(after).screens == ()
    assert "<graphics type='spice'" in after


def test_a_saved_state_is_told_of_before(
    places: Places, guests: Guests, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its definition is the one that a start takes, and has no device."""
    saved = libvirt.open(places.uri).lookupByName("test")
    saved.managedSave()
    init(places, "--dry-run")
    assert "virsh --connect qemu:///system managedsave-remove test" in capsys.readouterr().out
    saved.managedSaveRemove()
    saved.create()
    init(places, "--dry-run")
    assert "saved state" not in capsys.readouterr().out


def test_a_copy_of_the_rom_is_no_source(places: Places, guests: Guests, rom: Path) -> None:
    init(places, "--yes", "--rom", str(rom))
    places.config.write_text(TEXT)
    assert init(places, "--yes") == 0
    assert given(places)[0] == DeviceConfig(VGA)


def test_a_rom_goes_where_qemu_may_read_it(places: Places, guests: Guests, rom: Path) -> None:
    init(places, "--yes", "--rom", str(rom))
    assert given(places)[0] == DeviceConfig(VGA, str(rom))
    staged = f"{read_stages()[0]}/0000:08:00.0.rom"
    assert hostdevs(guests.definition("test"))[0].rom_file == staged
    assert init(places, "--yes") == 0  # the copy is not taken for the source
    assert given(places)[0] == DeviceConfig(VGA, str(rom))


@pytest.fixture
def rom(tmp_path: Path) -> Path:
    """The least that is an option ROM for the RX 480 of the recorded PC."""
    image = bytearray(512)
    image[0:2], image[0x18:0x1A] = b"\x55\xaa", b"\x1c\x00"
    image[0x1C:0x20], image[0x20:0x24] = b"PCIR", b"\x02\x10\xdf\x67"
    image[0x2C:0x2E], image[0x31] = b"\x01\x00", 0x80
    path = tmp_path / "card.rom"
    path.write_bytes(image)
    return path


def test_a_rom_of_another_card_is_refused(places: Places, guests: Guests, rom: Path) -> None:
    rom.write_bytes(rom.read_bytes().replace(b"\xdf\x67", b"\xde\x67"))
    with pytest.raises(RomError, match=r"card\.rom, which does not fit: the ROM is for 1002:67de"):
        init(places, "--yes", "--rom", str(rom))
    assert places.config.read_text() == TEXT


def test_a_second_time_there_is_nothing_to_do(
    places: Places, guests: Guests, capsys: pytest.CaptureFixture[str]
) -> None:
    init(places, "--yes")
    kept = sorted(places.backups.iterdir())
    assert init(places, "--yes") == 0
    assert "set up so already" in capsys.readouterr().out
    assert sorted(places.backups.iterdir()) == kept


def test_a_configuration_link_stays_one(places: Places, guests: Guests) -> None:
    real = places.config.rename(places.config.with_name("real.yaml"))
    places.config.symlink_to(real)
    init(places, "--yes")
    assert places.config.is_symlink()
    assert "test:" in real.read_text()


# What changes nothing


def test_a_dry_run_shows_all_and_changes_nothing(
    places: Places, guests: Guests, capsys: pytest.CaptureFixture[str]
) -> None:
    before = guests.definition("test")
    assert init(places, "--dry-run", "--yes") == 0
    assert "+  test:" in capsys.readouterr().out
    assert (guests.definition("test"), places.config.read_text()) == (before, TEXT)
    assert not places.backups.exists()


def test_a_faulty_configuration_is_left_alone(places: Places, guests: Guests) -> None:
    places.config.write_text("guest:\n")
    with pytest.raises(ConfigError, match="unknown key"):
        init(places, "--yes")


def test_a_pc_without_iommu_is_refused(places: Places, guests: Guests, tmp_path: Path) -> None:
    pc = tmp_path / "bare"
    pc.mkdir()
    hosts.build("ryzen-1600-no-iommu", pc)
    with pytest.raises(Refused, match="the IOMMU is off"):
        init(Places(pc, places.config, places.backups, places.uri), "--yes")


def test_without_a_terminal_nothing_is_asked_and_nothing_changed(places: Places) -> None:
    folder = places.config.parents[1]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "without a terminal to ask at, add --yes" in done.stderr
    assert "\x1b" not in done.stdout
    assert places.config.read_text() == TEXT
    assert hostdevs((folder / "definition").read_text()) == []


@pytest.mark.parametrize(("answer", "agreed"), [("y", True), ("n", False), ("", False)])
def test_at_a_terminal_the_person_decides(places: Places, answer: str, agreed: bool) -> None:  # noqa: FBT001
    folder = places.config.parents[1]
    status, said = run_at_terminal([sys.executable, "-c", CHILD, str(folder)], answer=answer)
    assert "Make these changes? [y/N]" in said
    assert status == (0 if agreed else 1)
    assert (places.config.read_text() != TEXT) == agreed
    assert bool(hostdevs((folder / "definition").read_text())) == agreed
