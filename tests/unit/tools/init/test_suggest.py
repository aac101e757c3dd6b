"""What vfiod init proposes on recorded PCs: the texts beside them were read and agreed to."""

from pathlib import Path

import pytest

from tests import hosts
from tests.fakes import pcs
from tests.unit.guest.test_commandline import with_arguments
from vfiod.errors import HostError, Refused, RomError
from vfiod.guest import domain
from vfiod.guest.peripherals import has_input
from vfiod.host.linux.files import LinuxFiles
from vfiod.tools.init.facts import Wishes
from vfiod.tools.init.propose import propose
from vfiod.tools.init.render import as_lines
from vfiod.tools.init.suggest import Suggestion, read_facts


@pytest.mark.parametrize("name", hosts.NAMES)
def test_what_is_proposed(name: str, tmp_path: Path) -> None:
    facts = read_facts(hosts.build(name, tmp_path))
    try:
        lines = list(as_lines("win10", propose(facts, Wishes()), width=80))
    except Refused as refused:
        lines = [line for r in refused.reasons for line in (f"refused: {r.message}", r.hint)]
    hosts.check_golden(name, "init.txt", "".join(f"{line}\n" for line in lines))


def test_a_card_that_qemu_is_given_past_libvirt_gets_no_second_way(tmp_path: Path) -> None:
    root = hosts.build("ryzen-1600-rx480", tmp_path)
    xml = with_arguments("-device", "vfio-pci,host=08:00.0,multifunction=on")
    suggestion = Suggestion("win10", xml, tmp_path / "vfiod.yaml", LinuxFiles())
    with pytest.raises(Refused, match=r"given 0000:08:00\.0 by -device vfio-pci") as refused:
        suggestion.decide(root)
    assert "--device 0000:08:00.0" in refused.value.reasons[0].hint


def test_a_keyboard_that_qemu_is_given_past_libvirt_is_one() -> None:
    assert has_input(with_arguments("-object", "input-linux,id=k,evdev=/dev/input/event3"))
    assert not has_input(with_arguments("-device", "virtio-keyboard-pci"))


CARD, SOUND = "0000:08:00.0", "0000:08:00.1"


def suggested(
    tmp_path: Path, card: Path | None, sound: Path | None, asked: str | None = None
) -> Suggestion:
    """For a guest that has the card, with these ROMs."""
    hostdevs = "".join(
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
        f"<address domain='0' bus='8' slot='0' function='{number}'/></source>"
        + (f"<rom file='{rom}'/>" if rom else "")
        + "</hostdev>"
        for number, rom in enumerate((card, sound))
    )
    xml = with_arguments(xml=f"<devices>{hostdevs}</devices>")
    config = tmp_path / "vfiod.yaml"
    config.write_text("")
    return Suggestion("win10", xml, config, LinuxFiles(), rom=asked, wants_usb=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return hosts.build("ryzen-1600-rx480", tmp_path / "root")


@pytest.fixture
def rom(tmp_path: Path) -> Path:
    path = tmp_path / "card.rom"
    path.write_bytes(pcs.rom(0x1002, 0x67DF))
    return path


def test_the_card_s_rom_in_its_sound_is_taken_out(root: Path, tmp_path: Path, rom: Path) -> None:
    suggestion = suggested(tmp_path, rom, rom)
    proposal = suggestion.decide(root)
    assert [(str(d.address), d.rom) for d in proposal.configs] == [(CARD, str(rom)), (SOUND, None)]
    (remark,) = [r.text for r in proposal.remarks if r.about == "rom"]
    assert remark.endswith(
        f"({SOUND}) reads the ROM {rom}, which does not fit: the ROM is for 1002:67df, the card is "
        "1002:aaf0; its <rom> is taken out of the definition."
    )
    after = domain.parse(suggestion.assignment(proposal).change.after)
    assert [h.rom_file is None for h in after.hostdevs] == [False, True]


def test_a_rom_of_its_own_stays(root: Path, tmp_path: Path, rom: Path) -> None:
    own = tmp_path / "sound.rom"
    own.write_bytes(pcs.rom(0x1002, 0xAAF0))
    proposal = suggested(tmp_path, rom, own).decide(root)
    assert [d.rom for d in proposal.configs] == [str(rom), str(own)]
    assert proposal.without_rom == ()


def test_a_rom_that_does_not_fit_is_named_with_where_it_is_from(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.rom"
    other.write_bytes(pcs.rom(0x1002, 0x73BF))
    with pytest.raises(RomError) as raised:
        suggested(tmp_path, other, None).decide(root)
    assert raised.value.message == (
        f"the guest's <hostdev> {CARD} reads the ROM {other}, which does not fit: the ROM is for "
        "1002:73bf, the card is 1002:67df"
    )
    assert raised.value.hint.splitlines()[1] == (
        "give another with --rom FILE, or take its <rom> out: sudo virsh --connect qemu:///system "
        "edit win10"
    )
    with pytest.raises(RomError, match=f"^--rom gives {CARD} the ROM {other}, which does not fit"):
        suggested(tmp_path, None, None, str(other)).decide(root)


def test_a_rom_that_cannot_be_read_is_named_as_well(root: Path, tmp_path: Path, rom: Path) -> None:
    absent = tmp_path / "absent.rom"
    with pytest.raises(HostError) as raised:
        suggested(tmp_path, absent, absent).decide(root)
    assert raised.value.message == (
        f"the guest's <hostdev> {CARD} reads the ROM {absent}, which cannot be read: No such file "
        "or directory"
    )
    assert raised.value.hint.startswith("give another with --rom FILE, or take its <rom> out: sudo")
    proposal = suggested(tmp_path, absent, absent, str(rom)).decide(root)
    assert [str(address) for address in proposal.without_rom] == [SOUND]


def test_a_rom_of_the_configuration_is_corrected_there(root: Path, tmp_path: Path) -> None:
    suggestion = suggested(tmp_path, None, None)
    suggestion.config.write_text(
        f"guests:\n  win10:\n    devices:\n      - address: '{CARD}'\n        rom: /absent.rom\n"
    )
    with pytest.raises(HostError) as raised:
        suggestion.decide(root)
    assert raised.value.message.startswith(f"the configuration gives {CARD} the ROM /absent.rom, ")
    assert raised.value.hint.endswith(f"or correct rom: in {suggestion.config}")
