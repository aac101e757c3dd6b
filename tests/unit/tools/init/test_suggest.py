"""What vfiod init proposes on recorded PCs: the texts beside them were read and agreed to."""

from pathlib import Path

import pytest

from tests import hosts
from tests.unit.guest.test_commandline import with_arguments
from vfiod.errors import Refused
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
