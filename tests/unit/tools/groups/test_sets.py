"""What can go to a guest together, and what stands in the way."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from vfiod.host.facts.pci import PciDevice
from vfiod.host.facts.usb import UsbController, UsbDevice, UsbKind
from vfiod.model import PciAddress
from vfiod.tools.groups.sets import DeviceSet, InUseBy, Kind, find_sets, members_with, reset_ways

BRIDGE, VGA, SOUND, NIC, USB = 0x060400, 0x030000, 0x040300, 0x020000, 0x0C0330
PORT = PciAddress.parse("00:01.0")


def device(
    address: str, code: int = VGA, group: int | None = 1, driver: str | None = "native",
    *, reset: tuple[str, ...] = (), boot_vga: bool = False, parent: PciAddress | None = PORT,
) -> PciDevice:  # fmt: skip
    return PciDevice(
        PciAddress.parse(address), 0x1002, 0x67DF, code, driver, group, boot_vga,
        parent=parent, reset_methods=reset, resettable=bool(reset),
    )  # fmt: skip


def keyboard(address: str, name: str) -> UsbController:
    plugged = UsbDevice("1-1", 1, 2, product=name, kinds=(UsbKind.KEYBOARD,))
    return UsbController(PciAddress.parse(address), (plugged,))


def sets(
    *devices: PciDevice, in_use_by: InUseBy | None = None, usb: Sequence[UsbController] = ()
) -> list[DeviceSet]:
    controllers = {controller.address: controller for controller in usb}
    return find_sets({d.address: d for d in devices}, in_use_by or {}, controllers)


def addresses(devices: Sequence[PciDevice]) -> list[str]:
    return [str(d.address).removeprefix("0000:") for d in devices]


def test_a_card_alone_in_its_group() -> None:
    (found,) = sets(
        device("00:01.0", BRIDGE, driver="pcieport", parent=None),
        device("01:00.0"), device("01:00.1", SOUND),
    )  # fmt: skip
    assert found.can_go
    assert (found.groups, found.kind) == ((1,), Kind.GRAPHICS)
    assert addresses(found.going) == ["01:00.0", "01:00.1"]
    assert addresses(found.staying) == ["00:01.0"]
    assert found.notes == ()


def test_a_card_in_two_groups_is_one_set() -> None:
    first, other = sets(device("01:00.0", group=16), device("01:00.1", SOUND, 17),
                        device("02:00.0", SOUND, 3))  # fmt: skip
    assert (first.groups, addresses(first.going)) == ((16, 17), ["01:00.0", "01:00.1"])
    assert other.groups == (3,)


def test_a_set_is_closed_whichever_member_one_begins_with() -> None:
    """The sound of a card draws the card in, and that its group, and so on."""
    devices = {
        d.address: d
        for d in (
            device("01:00.1", SOUND, 17),
            device("01:00.0", group=16),
            device("02:00.0", NIC, 16),
            device("02:00.1", NIC, 18),
        )
    }
    whole = ["01:00.0", "01:00.1", "02:00.0"]
    for member in ("01:00.1", "01:00.0", "02:00.0"):
        begun = devices[PciAddress.parse(member)]
        assert addresses(members_with(begun, devices)) == whole


def test_functions_of_other_slots_are_not_tied() -> None:
    assert len(sets(device("01:00.0", NIC, 1), device("01:00.1", NIC, 2))) == 2


def test_the_most_interesting_come_first() -> None:
    found = sets(
        device("00:1f.4", 0x0C0500, 1), device("01:00.0", NIC, 2),
        device("02:00.0", USB, 4), device("04:00.0", USB, 3), device("03:00.0", VGA, 9),
    )  # fmt: skip
    assert [s.groups for s in found] == [(9,), (3,), (4,), (2,), (1,)]
    assert [s.kind for s in found][-1] is Kind.BOARD


def test_what_the_host_stands_on_is_in_the_way() -> None:
    in_use_by = {PciAddress.parse("02:00.0"): ["the default route (eth0)", "swap on /dev/sda"]}
    card, nic = device("01:00.0"), device("02:00.0", NIC)
    (found,) = sets(card, nic, in_use_by=in_use_by)
    assert not found.can_go
    (obstacle,) = found.obstacles
    assert obstacle.device == nic.address
    assert obstacle.fact == (
        "the running host needs it for the default route (eth0) and swap on /dev/sda"
    )
    assert "another slot" in obstacle.remedy


def test_a_disk_of_the_host_by_itself_needs_no_other_slot() -> None:
    in_use_by = {PciAddress.parse("02:00.0"): ["the mounted file system /"]}
    (found,) = sets(device("02:00.0", 0x010802), in_use_by=in_use_by)
    assert found.obstacles[0].remedy == ""


@pytest.mark.parametrize(
    ("driver", "can_go"),
    [(None, True), ("pcieport", True), ("pci-stub", True), ("vfio-pci", True), ("lpc_ich", False)],
)
def test_a_bridge_with_a_driver_that_claims_the_group(driver: str | None, *, can_go: bool) -> None:
    (found,) = sets(device("00:1f.0", 0x060100, driver=driver), device("00:1f.3", SOUND))
    assert found.can_go is can_go
    assert ["lpc_ich" in o.fact for o in found.obstacles] == [True] * (not can_go)


def test_bridges_alone_never_go() -> None:
    (found,) = sets(device("00:18.3", 0x060000, driver="k10temp"))
    assert (found.can_go, found.kind, found.obstacles) == (False, Kind.BOARD, ())


def test_without_an_iommu_nothing_goes() -> None:
    (found,) = sets(device("01:00.0", group=None), device("01:00.1", SOUND, None))
    assert (found.can_go, found.groups, found.obstacles) == (False, (), ())


def test_a_device_that_the_iommu_left_out() -> None:
    _, out = sets(device("01:00.0", group=1), device("02:00.0", NIC, None))
    assert (out.can_go, out.obstacles[0].fact) == (False, "it is in no IOMMU group")


def test_what_the_firmware_holds_is_told_once() -> None:
    card, sound = device("01:00.0"), device("01:00.1", SOUND)
    held = [replace(card, firmware_mapped=True), replace(sound, firmware_mapped=True)]
    (found,) = sets(*held)
    assert not found.can_go
    (obstacle,) = found.obstacles
    assert "one to one" in obstacle.fact
    assert "DMA Protection" in obstacle.remedy


def test_keyboards_are_named() -> None:
    devices = (device("03:00.0", USB, 3), device("04:00.0", USB, 4))
    first, second = sets(*devices, usb=[keyboard("03:00.0", "K120")])
    assert first.notes[0].fact == "K120 would go along; the host keeps no USB keyboard"
    assert [note.fact for note in second.notes if "keyboard" in note.fact] == []
    first, second = sets(*devices, usb=[keyboard("03:00.0", "K1"), keyboard("04:00.0", "K2")])
    assert first.notes[0].fact == "K1 would go along; the host keeps K2"


@pytest.mark.parametrize(
    ("driver", "boot", "words"),
    [("vfio-pci", True, "with vfio-pci now"), ("vfio-pci", False, "with vfio-pci now"),
     (None, True, "would stay dark"), (None, False, None), ("amdgpu", True, None)],
)  # fmt: skip
def test_a_display_that_could_not_come_back(
    *, driver: str | None, boot: bool, words: str | None
) -> None:
    (found,) = sets(device("01:00.0", driver=driver, boot_vga=boot))
    assert [words in note.fact for note in found.notes if words] == [True] * bool(words)
    assert len(found.notes) == bool(words)


def test_notes_are_for_what_can_go() -> None:
    in_use_by = {PciAddress.parse("01:00.0"): ["the default route (eth0)"]}
    (found,) = sets(device("01:00.0", NIC, parent=None), in_use_by=in_use_by)
    assert found.notes == ()
    (found,) = sets(device("01:00.0", NIC, parent=None))
    assert "without a reset" in found.notes[0].fact


# Reset


def ways(this: PciDevice, *others: PciDevice, going: Sequence[PciDevice] = ()) -> tuple[str, ...]:
    devices = {d.address: d for d in (this, *others)}
    return reset_ways(this, going or (this, *others), devices)


def test_a_method_of_its_own() -> None:
    assert ways(device("01:00.0", reset=("flr", "bus"))) == ("flr", "bus")


def test_the_bus_counts_only_if_all_of_it_goes() -> None:
    """The kernel lists bus for a card's first function even where its sound is beside it."""
    card, sound = device("01:00.0", reset=("bus",)), device("01:00.1", SOUND)
    assert ways(card, sound) == ("bus",)
    assert ways(sound, card) == ("bus",)
    assert ways(card, sound, going=[card]) == ()
    assert ways(sound, card, going=[sound]) == ()


def test_what_hangs_on_the_root_has_no_bus_to_reset() -> None:
    assert ways(device("00:1f.3", SOUND, parent=None)) == ()


def test_an_old_kernel_says_that_but_not_how() -> None:
    old = device("00:14.0", USB, parent=None)
    assert ways(old) == ()
    old = PciDevice(old.address, 0x8086, 0xA12F, USB, group=1, resettable=True)
    assert ways(old) == ("unnamed method",)


# Virtual functions (SR-IOV)


def test_each_virtual_function_stands_alone_and_ends_with_its_whole() -> None:
    whole = device("01:00.0", VGA, 10, reset=("flr",))
    parts = [
        replace(device(f"01:00.{n}", VGA, 10 + n, reset=("flr",)), physical=whole.address)
        for n in (1, 2)
    ]
    found = sets(whole, *parts)
    assert [addresses(each.going) for each in found] == [["01:00.0"], ["01:00.1"], ["01:00.2"]]
    (note,) = found[0].notes
    assert note.fact == (
        "its virtual functions would end with it, so no start takes it: "
        "0000:01:00.1 and 0000:01:00.2"
    )
    assert not found[1].notes
