"""Input devices with certain keys, and which of them a path leads to."""

from pathlib import Path

import pytest
from evdev import ecodes

from tests.fakes.tree import Contents, Link, grow
from vfiod.host.facts.keyboards import read_keyboards

ESCAPE = ("KEY_LEFTCTRL", "KEY_END")
LETTERS = ("KEY_A", "KEY_LEFTCTRL", "KEY_END")
USB = "sys/devices/pci0000:00/0000:00:14.0/usb1"
BY_ID = "/dev/input/by-id/usb-Logitech-event-kbd"


def bits(keys: tuple[str, ...]) -> str:
    """As the kernel writes a bitmap: words of 64 bits, the highest first."""
    number = sum(1 << ecodes.ecodes[key] for key in keys)
    words: list[str] = []
    while number or not words:
        words.append(f"{number % 2**64:x}")
        number //= 2**64
    return " ".join(reversed(words))


def event(number: int, place: str, keys: tuple[str, ...]) -> dict[str, Contents]:
    device = f"{place}/input/input{number}"
    return {
        f"{device}/capabilities/key": f"{bits(keys)}\n",
        f"{device}/event{number}/device": Link(device),
        f"sys/class/input/event{number}": Link(f"{device}/event{number}"),
        f"dev/input/event{number}": "",
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    grow(
        tmp_path,
        {
            **event(0, "sys/devices/platform/i8042/serio0", LETTERS),
            **event(3, f"{USB}/1-4/1-4:1.0/0003:046D:C31C.0001", LETTERS),
            # What a keyboard has for as many keys at once as there are, and for its own keys.
            **event(4, f"{USB}/1-4/1-4:1.1/0003:046D:C31C.0002", LETTERS),
            **event(5, f"{USB}/1-4/1-4:1.1/0003:046D:C31C.0002", ("KEY_MUTE",)),
            **event(6, f"{USB}/1-5/1-5.2/1-5.2:1.0/0003:046D:C077.0003", ("BTN_LEFT",)),
            "sys/class/input/mice/dev": "13:63\n",
            BY_ID.lstrip("/"): Link("dev/input/event3"),
        },
    )
    return tmp_path


def test_those_with_all_of_the_keys_are_found(root: Path) -> None:
    found = read_keyboards(ESCAPE, [], root)
    assert found == dict.fromkeys(
        ["/dev/input/event0", "/dev/input/event3", "/dev/input/event4"], False
    )
    assert read_keyboards(("KEY_A", "KEY_MUTE"), [], root) == {}


@pytest.mark.parametrize("path", [BY_ID, "/dev/input/event3", "/dev/input/event4"])
def test_a_path_leads_to_a_keyboard_with_all_its_devices(root: Path, path: str) -> None:
    assert read_keyboards(ESCAPE, [path], root) == {
        "/dev/input/event0": False, "/dev/input/event3": True, "/dev/input/event4": True,
    }  # fmt: skip


def test_a_path_to_something_else_leads_to_none(root: Path) -> None:
    paths = ["/dev/input/event6", "/dev/input/event77", "/dev/input/by-id/gone", "/tmp/event0x"]
    assert not any(read_keyboards(ESCAPE, paths, root).values())


def test_a_keyboard_without_a_bus_is_known_by_itself(root: Path) -> None:
    assert read_keyboards(ESCAPE, ["/dev/input/event0"], root)["/dev/input/event0"]


@pytest.mark.parametrize("keys", [(), ("KEY_THAT_NO_KERNEL_HAS",)])
def test_no_keys_no_keyboards(root: Path, keys: tuple[str, ...]) -> None:
    assert read_keyboards(keys, [BY_ID], root) == {}


def test_a_host_without_input(tmp_path: Path) -> None:
    assert read_keyboards(ESCAPE, [], tmp_path) == {}
