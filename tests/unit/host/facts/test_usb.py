"""What is plugged into which USB controller."""

from pathlib import Path

import pytest

from tests.fakes.tree import Contents, grow, pci_function
from vfiod.host.facts.usb import UsbController, UsbDevice, UsbKind, kind_of, read_controllers
from vfiod.model import PciAddress

ADDRESS = "0000:00:14.0"


def plugged(port: str, *classes: str, **names: str) -> dict[str, Contents]:
    """One device at a port below the controller's own directory."""
    files: dict[str, Contents] = {f"{port}/idVendor": "046d\n", f"{port}/idProduct": "c31c\n"}
    files |= {f"{port}/{name}": f"{text}\n" for name, text in names.items()}
    name = port.rsplit("/", 1)[-1]
    for number, codes in enumerate(classes):
        for field, code in zip(("Class", "SubClass", "Protocol"), codes.split(), strict=True):
            files[f"{port}/{name}:1.{number}/bInterface{field}"] = f"{code}\n"
    return files


def controller(root: Path, *devices: dict[str, Contents]) -> UsbController:
    """The controller with a root hub and what hangs below it."""
    more = plugged("usb1", "09 00 00")
    for device in devices:
        more |= device
    ids = ("0x8086", "0xa36d", "0x0c0330")
    grow(root, pci_function(ADDRESS, ids=ids, driver="xhci_hcd", more=more))
    return read_controllers(root)[PciAddress.parse(ADDRESS)]


def test_nothing_is_plugged_in(tmp_path: Path) -> None:
    assert controller(tmp_path).devices == ()


def test_a_keyboard(tmp_path: Path) -> None:
    names = {"manufacturer": "Logitech", "product": "USB Keyboard"}
    found = controller(tmp_path, plugged("usb1/1-4", "03 01 01", "03 00 00", **names))
    kinds = (UsbKind.KEYBOARD, UsbKind.INPUT)
    assert found.devices == (
        UsbDevice("1-4", 0x046D, 0xC31C, "Logitech", "USB Keyboard", kinds),
    )  # fmt: skip
    assert found.having(UsbKind.KEYBOARD) == found.devices
    assert found.having(UsbKind.MOUSE) == ()


def test_ports_are_in_their_order_and_hubs_are_followed(tmp_path: Path) -> None:
    found = controller(
        tmp_path,
        plugged("usb1/1-10", "08 06 50"),
        plugged("usb1/1-2", "09 00 00"),
        plugged("usb1/1-2/1-2.3", "03 01 02"),
    )
    assert [device.port for device in found.devices] == ["1-2", "1-2.3", "1-10"]
    assert [device.is_hub for device in found.devices] == [True, False, False]


def test_several_interfaces_of_a_kind_count_once(tmp_path: Path) -> None:
    found = controller(tmp_path, plugged("usb1/1-1", "01 01 00", "01 02 00", "01 02 00"))
    assert found.devices[0].kinds == (UsbKind.AUDIO,)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"manufacturer": "Logitech", "product": "USB Receiver"}, "Logitech USB Receiver"),
        ({"manufacturer": "Logitech", "product": "Logitech G305"}, "Logitech G305"),
        ({"product": "Bad\x1b[31m\tname"}, "Bad [31m name"),
        ({}, "046d:c31c"),
    ],
)
def test_a_device_is_called_what_it_says(
    tmp_path: Path, names: dict[str, str], told: str
) -> None:  # fmt: skip
    assert controller(tmp_path, plugged("usb1/1-1", **names)).devices[0].name == told


@pytest.mark.parametrize(
    ("codes", "kind"),
    [((3, 1, 1), "keyboard"), ((3, 1, 2), "mouse"), ((3, 0, 0), "input"), ((2, 6, 0), "network"),
     ((8, 6, 0x62), "storage"), ((0xE0, 1, 1), "bluetooth"), ((0xFF, 1, 1), "other"),
     ((0x0E, 2, 0), "camera")],
)  # fmt: skip
def test_kinds(codes: tuple[int, ...], kind: str) -> None:
    assert kind_of(codes) is UsbKind(kind)


KEYBOARD = "E:ID_INPUT=1\nE:ID_INPUT_KEY=1\nE:ID_INPUT_KEYBOARD=1\n"
MOUSE = "E:ID_INPUT=1\nE:ID_INPUT_MOUSE=1\n"
KEYS = "E:ID_INPUT=1\nE:ID_INPUT_KEY=1\n"


@pytest.mark.parametrize(
    ("codes", "said", "kinds"),
    [
        ("03 00 00", KEYBOARD, ["keyboard"]),
        ("03 00 00", MOUSE, ["mouse"]),
        ("03 01 01", KEYS, ["input"]),
        ("03 01 01", "", ["keyboard"]),
    ],
)
def test_udev_knows_better_what_an_input_device_is(
    tmp_path: Path, codes: str, said: str, kinds: list[str]
) -> None:
    event = "usb1/1-1/1-1:1.0/0003:046D:C31C.0001/input/input5/event3/dev"
    grow(tmp_path, {"run/udev/data/c13:67": f"I:1\n{said}"})
    found = controller(tmp_path, plugged("usb1/1-1", codes) | {event: "13:67\n"})
    assert [kind.value for kind in found.devices[0].kinds] == kinds


def test_a_security_key_that_types_is_no_keyboard(tmp_path: Path) -> None:
    key = plugged("usb1/1-1", "03 01 01", "03 00 00") | {"usb1/1-1/idVendor": "1050\n"}
    (device,) = controller(tmp_path, key).devices
    assert device.kinds == (UsbKind.SECURITY_KEY,)
    assert not device.is_input


def test_a_device_has_its_place_on_the_bus(tmp_path: Path) -> None:
    number: dict[str, Contents] = {"usb1/1-1/devnum": "12\n"}
    (device,) = controller(tmp_path, plugged("usb1/1-1") | number).devices
    assert (device.bus, device.number) == (1, 12)


def test_other_functions_are_no_controllers(tmp_path: Path) -> None:
    grow(tmp_path, pci_function("0000:01:00.0"))
    assert read_controllers(tmp_path) == {}
