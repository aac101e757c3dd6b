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


def test_other_functions_are_no_controllers(tmp_path: Path) -> None:
    grow(tmp_path, pci_function("0000:01:00.0"))
    assert read_controllers(tmp_path) == {}
