"""PCI functions as the looking commands see them."""

from pathlib import Path

import pytest

from tests.fakes.tree import Contents, Link, grow, pci_function
from vfiod.host.facts.pci import Bar, Card, Connector, PciDevice, read_devices
from vfiod.model import PciAddress

GPU = PciAddress.parse("0000:01:00.0")
NONE = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
RESOURCE = (
    "0x000000e000000000 0x000000e00fffffff 0x000000000014220c\n"
    + NONE
    + "0x00000000fe800000 0x00000000fe83ffff 0x0000000000040200\n"
    + "0x000000000000e000 0x000000000000e0ff 0x0000000000040101\n"
    + NONE * 2
    + "0x00000000fe840000 0x00000000fe85ffff 0x0000000000046200\n"
)


def card(root: Path, **more: Contents) -> PciDevice:
    """A graphics card below a bridge; names with __ for a dot."""
    files = {name.replace("__", "."): value for name, value in more.items()}
    ids = ("0x1002", "0x67df", "0x030000")
    grow(root, pci_function(str(GPU), bridge="0000:00:01.0/", ids=ids, group=10, more=files))
    return read_devices(root)[GPU]


def test_what_is_always_there(tmp_path: Path) -> None:
    device = card(tmp_path)
    assert (device.vendor, device.device, device.class_code) == (0x1002, 0x67DF, 0x030000)
    assert (device.group, device.driver, device.boot_vga) == (10, None, False)
    assert device.parent == PciAddress.parse("0000:00:01.0")


def test_what_may_be_missing_is(tmp_path: Path) -> None:
    device = card(tmp_path)
    assert (device.subsystem, device.revision, device.cards, device.bars) == (None, 0, (), ())
    assert (device.resettable, device.reset_methods) == (False, ())


def test_board_revision_and_power(tmp_path: Path) -> None:
    board = {"subsystem_vendor": "0x1462\n", "subsystem_device": "0x3413\n", "revision": "0xc7\n"}
    device = card(tmp_path, **board, power_state="D0\n")
    assert (device.subsystem, device.revision) == ((0x1462, 0x3413), 0xC7)
    assert (device.power_state, device.d3cold_allowed) == ("D0", True)


def test_the_firmwares_framebuffer_on_it(tmp_path: Path) -> None:
    painted = card(tmp_path, **{"efi-framebuffer__0/driver": Link("sys/bus/platform/drivers/x")})
    assert painted.firmware_framebuffer
    assert not card(tmp_path / "idle", **{"efi-framebuffer__0/uevent": ""}).firmware_framebuffer


def test_how_it_can_be_reset(tmp_path: Path) -> None:
    device = card(tmp_path, reset="", reset_method="device_specific bus\n")
    assert device.resettable
    assert device.reset_methods == ("device_specific", "bus")


def test_screens(tmp_path: Path) -> None:
    files: dict[str, Contents] = {
        "drm/card1/card1-DP-1/status": "disconnected\n",
        "drm/card1/card1-HDMI-A-1/status": "connected\n",
        "drm/card1/power/control": "auto\n",
        "drm/renderD128/dev": "226:128\n",
    }
    device = card(tmp_path, **files)
    connectors = (Connector("DP-1", "disconnected"), Connector("HDMI-A-1", "connected"))
    assert device.cards == (Card("card1", connectors),)
    assert device.connected == ("HDMI-A-1",)


def test_a_virtio_gpu_has_its_card_one_level_down(tmp_path: Path) -> None:
    device = card(tmp_path, **{"virtio0/drm/card0/card0-Virtual-1/status": "connected\n"})
    assert device.connected == ("Virtual-1",)


def test_bars_are_the_memory_among_the_first_six(tmp_path: Path) -> None:
    device = card(tmp_path, resource=RESOURCE)
    assert device.bars == (Bar(0, 256 * 2**20), Bar(2, 256 * 2**10))


@pytest.mark.parametrize(
    ("text", "sizes"), [("0000000000003f00\n", [2**n * 2**20 for n in range(8, 14)]), ("\n", [])]
)
def test_resizable_bars(tmp_path: Path, text: str, sizes: list[int]) -> None:
    device = card(tmp_path, resource=RESOURCE, resource0_resize=text)
    assert device.bars[0] == Bar(0, 256 * 2**20, resizable=True, sizes=tuple(sizes))
    assert not device.bars[1].resizable


@pytest.mark.parametrize("state", ["D3hot", "D3cold", "unknown"])
def test_looking_wakes_nobody(tmp_path: Path, state: str) -> None:
    """Reading the sizes would resume the card."""
    device = card(tmp_path, resource=RESOURCE, resource0_resize="3f00\n", power_state=f"{state}\n")
    assert device.bars[0] == Bar(0, 256 * 2**20, resizable=True)


def test_what_is_no_function_is_skipped(tmp_path: Path) -> None:
    card(tmp_path)
    grow(tmp_path, {"sys/bus/pci/devices/0000:09:00.0": Link("sys/devices/gone"),
                    "sys/bus/pci/devices/odd/vendor": "0x1002\n"})  # fmt: skip
    assert list(read_devices(tmp_path)) == [GPU]


def test_a_machine_without_pci(tmp_path: Path) -> None:
    assert read_devices(tmp_path) == {}
