"""Which devices vfiod init proposes, and how it says why."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiod.config.schema import DeviceConfig
from vfiod.errors import Refused
from vfiod.guest.opened import UsbHostdev
from vfiod.host.facts.pci import Card, Connector, PciDevice
from vfiod.host.facts.usb import UsbController, UsbDevice, UsbKind
from vfiod.model import PciAddress
from vfiod.tools.groups.cards import are_one_card
from vfiod.tools.init.facts import Facts, Proposal, Wishes
from vfiod.tools.init.propose import propose
from vfiod.tools.init.render import as_lines

VGA, AUDIO, USB, SATA, BRIDGE = 0x030000, 0x040300, 0x0C0330, 0x010601, 0x060400
CRYPTO, NETWORK = 0x108000, 0x020000
DRIVERS = {VGA: "amdgpu", AUDIO: "snd_hda_intel", USB: "xhci_hcd", SATA: "ahci", BRIDGE: "pcieport"}
SCREEN = (Card("card0", (Connector("DP-1", "connected"), Connector("DP-2", "disconnected"))),)

KEYBOARD = UsbDevice("1-1", 1, 1, product="K120", kinds=(UsbKind.KEYBOARD,))
MOUSE = UsbDevice("1-2", 1, 2, product="G203", kinds=(UsbKind.MOUSE, UsbKind.KEYBOARD))
STICK = UsbDevice("1-3", 1, 3, product="Stick", kinds=(UsbKind.STORAGE,))


def address(text: str) -> PciAddress:
    return PciAddress.parse(text)


def device(text: str, code: int, group: int | None, **more: object) -> PciDevice:
    return PciDevice(
        **{  # type: ignore[arg-type]
            "address": address(text),
            "vendor": 0x1002,
            "device": 0x67DF,
            "class_code": code,
            "group": group,
            "driver": DRIVERS.get(code),
            "resettable": True,
            "cards": SCREEN if code == VGA else (),
            **more,
        }
    )


def facts(
    *devices: PciDevice,
    plugged: Mapping[str, Sequence[UsbDevice]] | None = None,
    in_use_by: Mapping[str, Sequence[str]] | None = None,
) -> Facts:
    on = plugged or {}
    controllers = [d.address for d in devices if d.is_usb_controller]
    return Facts(
        devices={d.address: d for d in devices},
        controllers={a: UsbController(a, tuple(on.get(str(a)[5:], ()))) for a in controllers},
        in_use_by={address(a): things for a, things in (in_use_by or {}).items()},
    )


CARD = (device("01:00.0", VGA, 10, boot_vga=True), device("01:00.1", AUDIO, 10))
PORTS = (device("0a:00.3", USB, 20), device("02:00.0", USB, 15), device("02:00.1", SATA, 15))


def addresses(proposal: Proposal) -> list[str]:
    return [str(config.address)[5:] for config in proposal.configs]


def reason(proposal: Proposal, text: str) -> str:
    (found,) = [p.reason for p in proposal.devices if p.device.address == address(text)]
    return found


def remarks(proposal: Proposal) -> str:
    return "\n".join(remark.text for remark in proposal.remarks)


def refusals(facts: Facts, wishes: Wishes = Wishes()) -> str:  # noqa: B008
    with pytest.raises(Refused) as caught:
        propose(facts, wishes)
    return "\n".join(str(reason) for reason in caught.value.reasons)


# What goes over


def test_the_only_card_goes_with_all_its_functions() -> None:
    found = propose(facts(device("00:01.0", BRIDGE, 10), *CARD), Wishes())
    assert addresses(found) == ["01:00.0", "01:00.1"]
    assert reason(found, "01:00.0") == "the graphics card, with a screen on DP-1"
    assert "same card" in reason(found, "01:00.1")


def test_functions_of_the_card_go_even_in_groups_of_their_own() -> None:
    own = device("01:00.1", AUDIO, 11)
    assert addresses(propose(facts(CARD[0], own), Wishes())) == ["01:00.0", "01:00.1"]


def test_the_rest_of_the_group_goes_but_no_bridge_and_nothing_without_driver() -> None:
    group = (
        device("00:01.0", BRIDGE, 10),
        device("03:00.0", SATA, 10),
        device("03:00.1", 0x130000, 10),
    )
    found = propose(facts(*CARD, *group), Wishes())
    assert addresses(found) == ["01:00.0", "01:00.1", "03:00.0"]
    assert reason(found, "03:00.0").startswith("in IOMMU group 10 with 0000:01:00.0")


def test_functions_of_the_card_go_even_without_a_driver() -> None:
    port = device("01:00.3", 0x0C8000, 10)
    assert addresses(propose(facts(*CARD, port), Wishes())) == ["01:00.0", "01:00.1", "01:00.3"]


def test_a_card_in_a_slot_goes_rather_than_the_processors_own() -> None:
    intel = device("00:02.0", VGA, 1, driver="i915", boot_vga=True)
    apu = (device("30:00.0", VGA, 5), device("30:00.2", CRYPTO, 6, driver="ccp"))
    for built_in in ((intel,), apu):
        found = propose(facts(*built_in, *CARD), Wishes())
        assert addresses(found) == ["01:00.0", "01:00.1"]
        assert f"({built_in[0].address}) stays with the host" in remarks(found)


def test_of_two_cards_in_slots_the_person_chooses() -> None:
    second = device("05:00.0", VGA, 30)
    assert "several graphics cards" in refusals(facts(*CARD, second))
    found = propose(facts(*CARD, second), Wishes(asked=(second.address,)))
    assert addresses(found) == ["05:00.0"]
    assert reason(found, "05:00.0") == "you named it"


SECOND = (device("05:00.0", VGA, 30), device("05:00.1", AUDIO, 30))
DISK = device("03:00.0", 0x010802, 40, driver="nvme")
HAS = (CARD[0].address, CARD[1].address, DISK.address)


@pytest.mark.parametrize("where", ["hostdevs", "configured"])
def test_a_card_that_is_named_takes_the_place_of_the_card_alone(where: str) -> None:
    wishes = Wishes(asked=(SECOND[0].address,), **{where: HAS})  # type: ignore[arg-type]
    found = propose(facts(*CARD, *SECOND, DISK), wishes)
    assert addresses(found) == ["03:00.0", "05:00.0", "05:00.1"]
    has = "the guest has now" if where == "hostdevs" else "the configuration lists"
    for gone in CARD:
        assert f"({gone.address}), which {has}, is taken out." in remarks(found)
    assert "03:00.0" not in remarks(found)


def test_what_is_named_comes_beside_what_the_guest_has() -> None:
    wishes = Wishes(asked=(DISK.address,), hostdevs=HAS[:2])
    found = propose(facts(*CARD, *SECOND, DISK), wishes)
    assert addresses(found) == ["01:00.0", "01:00.1", "03:00.0"]
    assert "taken out" not in remarks(found)


def test_with_only_all_else_is_taken_out_and_named() -> None:
    wishes = Wishes(asked=(DISK.address,), only=True, hostdevs=HAS[:2], configured=HAS)
    found = propose(facts(*CARD, DISK), wishes)
    assert addresses(found) == ["03:00.0"]
    assert remarks(found).count("which the guest has now, is taken out.") == 2
    assert "--only has nothing to keep" in refusals(facts(*CARD), Wishes(only=True))


def test_what_only_the_configuration_lists_is_not_dropped_without_a_word() -> None:
    found = propose(facts(*CARD, DISK), Wishes(hostdevs=HAS[:2], configured=HAS))
    assert f"({DISK.address}), which the configuration lists, is taken out." in remarks(found)


def test_a_function_of_a_card_brings_the_card_along() -> None:
    apu = (device("30:00.0", VGA, 5), device("30:00.3", USB, 6))
    found = propose(facts(*apu), Wishes(asked=(apu[1].address,)))
    assert addresses(found) == ["30:00.3", "30:00.0"]
    assert "same card" in reason(found, "30:00.0")


def test_what_the_guest_has_is_completed() -> None:
    wishes = Wishes(hostdevs=(CARD[0].address, address("09:00.0")), configured=(SATA_ONLY,))
    found = propose(facts(*CARD, PORTS[2]), wishes)
    assert addresses(found) == ["01:00.0", "01:00.1"]
    assert "0000:09:00.0 is a <hostdev> of the guest but not in this PC" in remarks(found)


SATA_ONLY = address("02:00.1")


def test_what_is_configured_counts_if_the_guest_has_nothing() -> None:
    second = device("05:00.0", VGA, 30)
    found = propose(facts(*CARD, second), Wishes(configured=(second.address,)))
    assert addresses(found) == ["05:00.0"]


# Which card, and what belongs to it

NETWORK_CARD = device("04:00.0", NETWORK, 7)


def test_a_guest_without_a_display_gets_the_pcs_card_and_then_its_keyboard() -> None:
    wishes = Wishes(hostdevs=(NETWORK_CARD.address,))
    found = propose(facts(*CARD, *PORTS, NETWORK_CARD, plugged={"0a:00.3": [KEYBOARD]}), wishes)
    assert addresses(found) == ["04:00.0", "01:00.0", "01:00.1", "0a:00.3"]
    assert reason(found, "01:00.0") == "the graphics card, with a screen on DP-1"


def test_a_card_that_comes_along_is_the_guests_card() -> None:
    wishes = Wishes(hostdevs=(CARD[1].address,))
    second = device("05:00.0", VGA, 30)
    found = propose(facts(*CARD, second), wishes)
    assert addresses(found) == ["01:00.1", "01:00.0"]
    assert "several" not in remarks(found)


def test_of_several_cards_it_gets_none_and_never_the_keyboard_alone() -> None:
    wishes = Wishes(hostdevs=(NETWORK_CARD.address,))
    second = device("05:00.0", VGA, 30)
    parts = (*CARD, second, *PORTS, NETWORK_CARD)
    found = propose(facts(*parts, plugged={"0a:00.3": [KEYBOARD]}), wishes)
    assert addresses(found) == ["04:00.0"]
    assert "The guest gets no graphics card: this PC has several" in remarks(found)


def test_of_two_cards_the_one_that_was_set_aside_goes() -> None:
    aside = device("05:00.0", VGA, 30, driver="vfio-pci", cards=())
    assert addresses(propose(facts(*CARD, aside), Wishes())) == ["05:00.0"]


def test_the_screen_of_remote_management_is_no_choice() -> None:
    bmc = device("06:00.0", VGA, 31, vendor=0x1A03, boot_vga=True)
    assert addresses(propose(facts(*CARD, bmc), Wishes())) == ["01:00.0", "01:00.1"]


def test_a_virtual_function_goes_alone_and_is_seen_nowhere() -> None:
    chip = device("00:02.0", VGA, 1, boot_vga=True)
    parts = [device(f"00:02.{n}", VGA, n + 1, physical=chip.address, cards=()) for n in (1, 2)]
    found = propose(facts(chip, *parts, *PORTS, plugged={"0a:00.3": [KEYBOARD]}), Wishes())
    assert addresses(found) == ["00:02.1"]
    assert "virtual function (SR-IOV) of the graphics 0000:00:02.0" in reason(found, "00:02.1")
    assert "the guest's picture is nowhere" in remarks(found)


APU = (
    device("30:00.0", VGA, 5),
    device("30:00.1", AUDIO, 6),
    device("30:00.2", CRYPTO, 7, driver="ccp", vendor=0x1022),
    device("30:00.3", USB, 8, vendor=0x1022),
)


def test_of_a_processors_slot_only_picture_and_sound_go() -> None:
    found = propose(facts(*APU, plugged={"30:00.3": [KEYBOARD]}), Wishes())
    assert addresses(found) == ["30:00.0", "30:00.1", "30:00.3"]
    assert reason(found, "30:00.1") == "the sound of the same graphics"
    assert "ROM of the processor's graphics 0000:30:00.0 is in the firmware" in remarks(found)
    assert reason(found, "30:00.3") == "the USB controller of your K120 (keyboard)"
    kept = propose(facts(*APU, plugged={"30:00.3": [KEYBOARD]}), Wishes(wants_usb=False))
    assert addresses(kept) == ["30:00.0", "30:00.1"]


def test_intel_s_graphics_has_no_rom_to_be_saved() -> None:
    chip = device("00:02.0", VGA, 1, vendor=0x8086, boot_vga=True)
    said = remarks(propose(facts(chip, *PORTS, plugged={"0a:00.3": [KEYBOARD]}), Wishes()))
    assert "ROM of the processor's graphics 0000:00:02.0 is in the firmware only" in said
    assert "rom dump" not in said


def test_all_of_a_processors_slot_goes_if_the_iommu_says_so() -> None:
    together = [replace(part, group=5) for part in APU]
    found = propose(facts(*together, plugged={"30:00.3": [KEYBOARD]}), Wishes())
    assert addresses(found) == ["30:00.0", "30:00.1", "30:00.2", "30:00.3"]
    assert "No USB keyboard stays with the host while the guest runs." in remarks(found)
    assert "--no-usb" not in remarks(found)


SWITCH = (
    device("00:01.0", BRIDGE, 2, vendor=0x8086),
    device("01:00.0", BRIDGE, 16, vendor=0x8086, parent=address("00:01.0")),
    device("02:01.0", BRIDGE, 17, vendor=0x8086, parent=address("01:00.0")),
    device("02:04.0", BRIDGE, 18, vendor=0x8086, parent=address("01:00.0")),
    device("03:00.0", VGA, 19, vendor=0x8086, parent=address("02:01.0")),
    device("04:00.0", AUDIO, 20, vendor=0x8086, parent=address("02:04.0")),
)


def test_a_card_behind_its_own_switch_is_whole() -> None:
    beside = device("05:00.0", AUDIO, 21, vendor=0x8086, parent=address("00:01.0"))
    found = propose(facts(*SWITCH, beside), Wishes())
    assert addresses(found) == ["03:00.0", "04:00.0"]
    assert "behind the card's own switch" in reason(found, "04:00.0")


def test_a_switch_with_other_things_behind_it_is_no_part_of_the_card() -> None:
    disk = device("05:00.0", SATA, 21, vendor=0x8086, parent=address("01:00.0"))
    assert addresses(propose(facts(*SWITCH, disk), Wishes())) == ["03:00.0"]


# Keyboard and mouse


def test_the_controller_with_the_keyboard_goes_and_the_loss_is_said() -> None:
    plugged = {"0a:00.3": [KEYBOARD, MOUSE, STICK]}
    found = propose(facts(*CARD, *PORTS, plugged=plugged), Wishes())
    assert addresses(found) == ["01:00.0", "01:00.1", "0a:00.3"]
    assert reason(found, "0a:00.3") == (
        "the USB controller of your K120 (keyboard), G203 (mouse/keyboard)"
    )
    assert "No USB keyboard and no USB mouse stays with the host" in remarks(found)
    assert "the guest also gets: Stick (storage)" in remarks(found)


def test_only_what_init_added_can_be_left_out() -> None:
    wishes = Wishes(hostdevs=(CARD[0].address, PORTS[0].address))
    found = propose(facts(*CARD, *PORTS, plugged={"0a:00.3": [KEYBOARD]}), wishes)
    assert "No USB keyboard stays with the host" in remarks(found)
    assert "--no-usb" not in remarks(found)


def test_the_guests_own_usb_devices_are_looked_up() -> None:
    dongle = UsbDevice("1-4", 0x0A12, 1, product="CSR8510", kinds=(UsbKind.BLUETOOTH,))
    pc = facts(*CARD, *PORTS, plugged={"0a:00.3": [KEYBOARD, dongle]})
    for hostdev, said in (
        (UsbHostdev(0x0A12, 1), "0a12:0001 of the guest is no keyboard or mouse: CSR8510"),
        (UsbHostdev(7, 7), "0007:0007 of the guest is not plugged in now"),
    ):
        found = propose(pc, Wishes(usb=(hostdev,)))
        assert addresses(found)[-1] == "0a:00.3"
        assert said in remarks(found)
    typed = propose(pc, Wishes(usb=(UsbHostdev(1, 1),)))
    assert addresses(typed) == ["01:00.0", "01:00.1"]


def dark(*outputs: str) -> tuple[Card, ...]:
    return (Card("card0", tuple(Connector(name, "disconnected") for name in outputs)),)


def beside_a_laptops_screen(card: PciDevice) -> Proposal:
    panel = (Card("card1", (Connector("eDP-1", "connected"),)),)
    intel = device("00:02.0", VGA, 1, vendor=0x8086, cards=panel, boot_vga=True)
    return propose(facts(intel, card, *PORTS, plugged={"0a:00.3": [KEYBOARD]}), Wishes())


def test_on_a_laptop_whose_screen_does_not_show_the_guest_the_keyboard_stays() -> None:
    found = beside_a_laptops_screen(replace(CARD[0], cards=dark("HDMI-A-1")))
    assert addresses(found) == ["01:00.0"]
    assert "the built-in screen hangs on 0000:00:02.0 (eDP-1)" in remarks(found)
    assert "own outputs (HDMI-A-1), or nowhere" in remarks(found)


def test_a_laptops_screen_that_can_be_switched_over() -> None:
    muxed = replace(CARD[0], cards=dark("eDP-2"))
    assert "only if it is switched over to this card" in remarks(beside_a_laptops_screen(muxed))


def test_a_card_without_outputs_shows_nothing() -> None:
    bare = replace(CARD[0], class_code=0x030200, cards=())
    assert "it has no outputs of its own" in remarks(beside_a_laptops_screen(bare))


def test_a_screen_elsewhere_on_a_desk_is_said_and_the_keyboard_goes() -> None:
    intel = device("00:02.0", VGA, 1, vendor=0x8086)
    card = replace(CARD[0], cards=dark("HDMI-A-1"))
    found = propose(facts(intel, card, *PORTS, plugged={"0a:00.3": [KEYBOARD]}), Wishes())
    assert addresses(found) == ["01:00.0", "0a:00.3"]
    assert "no screen is connected to it, yours hangs on 0000:00:02.0 (DP-1)" in remarks(found)


def test_a_keyboard_elsewhere_is_no_loss() -> None:
    plugged = {"0a:00.3": [KEYBOARD], "02:00.0": [KEYBOARD]}
    found = propose(facts(*CARD, *PORTS, plugged=plugged), Wishes())
    assert addresses(found)[-1] == "0a:00.3"
    assert "No USB keyboard" not in remarks(found)


def test_the_keyboard_counts_more_than_a_mouse_with_keys() -> None:
    two = (PORTS[0], device("0b:00.0", USB, 21))
    plugged = {"0a:00.3": [KEYBOARD], "0b:00.0": [MOUSE, MOUSE]}
    found = propose(facts(*CARD, *two, plugged=plugged), Wishes())
    assert addresses(found)[-1] == "0a:00.3"
    assert "The host keeps G203 (mouse/keyboard), G203 (mouse/keyboard), on 0000:0b" in remarks(
        found
    )


def test_a_controller_that_shares_its_group_does_not_go() -> None:
    found = propose(facts(*CARD, *PORTS, plugged={"02:00.0": [KEYBOARD]}), Wishes())
    assert addresses(found) == ["01:00.0", "01:00.1"]
    assert "IOMMU group 15 also holds device 1002:67df (0000:02:00.1)" in remarks(found)
    assert "0000:0a:00.3 could: plug keyboard and mouse into its ports" in remarks(found)


def test_what_chipsets_put_beside_a_controller_goes_along() -> None:
    thermal = device("00:14.2", 0x118000, 20, driver="intel_pch_thermal")
    found = propose(facts(*CARD, PORTS[0], thermal, plugged={"0a:00.3": [KEYBOARD]}), Wishes())
    assert addresses(found)[-2:] == ["0a:00.3", "00:14.2"]


def test_a_controller_that_was_given_before_is_given_again() -> None:
    given = device("0b:00.0", USB, 21, driver="vfio-pci")
    found = propose(facts(*CARD, given, *PORTS, plugged={"0a:00.3": [KEYBOARD]}), Wishes())
    assert addresses(found)[-1] == "0b:00.0"
    assert "bound to vfio-pci already" in reason(found, "0b:00.0")


def test_a_controller_the_host_stands_on_does_not_go() -> None:
    plugged = {"0a:00.3": [KEYBOARD, STICK]}
    root = {"0a:00.3": ["the mounted file system /"]}
    found = propose(facts(*CARD, *PORTS[:1], plugged=plugged, in_use_by=root), Wishes())
    assert addresses(found) == ["01:00.0", "01:00.1"]
    assert "the running host needs it for the mounted file system /" in remarks(found)
    assert "as USB devices instead" in remarks(found)


def test_without_a_usb_keyboard_no_controller_goes() -> None:
    found = propose(facts(*CARD, *PORTS), Wishes())
    assert addresses(found) == ["01:00.0", "01:00.1"]
    assert "no USB keyboard or mouse is plugged in" in remarks(found)


def test_a_controller_that_can_be_reset_is_better() -> None:
    two = (device("0a:00.3", USB, 20, resettable=False), device("0b:00.0", USB, 21))
    plugged = {"0a:00.3": [KEYBOARD], "0b:00.0": [KEYBOARD]}
    found = propose(facts(*CARD, *two, plugged=plugged), Wishes())
    assert addresses(found)[-1] == "0b:00.0"
    alone = propose(facts(*CARD, two[0], plugged=plugged), Wishes())
    assert "no reset of its own" in remarks(alone)


@pytest.mark.parametrize(
    "wishes", [Wishes(wants_usb=False), Wishes(asked=(CARD[0].address,))], ids=["none", "asked"]
)
def test_no_controller_is_added_unasked(wishes: Wishes) -> None:
    found = propose(facts(*CARD, *PORTS, plugged={"0a:00.3": [KEYBOARD]}), wishes)
    assert addresses(found) == ["01:00.0", "01:00.1"]
    hint = "For the USB controller of your K120 (keyboard) add: --device 0000:0a:00.3"
    assert (hint in remarks(found)) == bool(wishes.asked)


def test_a_guest_that_has_a_controller_gets_no_other() -> None:
    wishes = Wishes(hostdevs=(CARD[0].address, address("0b:00.0")))
    parts = (*CARD, *PORTS, device("0b:00.0", USB, 21))
    found = propose(facts(*parts, plugged={"0a:00.3": [KEYBOARD]}), wishes)
    assert addresses(found) == ["01:00.0", "0b:00.0", "01:00.1"]


def test_a_port_on_the_card_is_no_place_for_a_keyboard() -> None:
    port = device("01:00.2", USB, 10)
    found = propose(facts(*CARD, port, *PORTS, plugged={"0a:00.3": [KEYBOARD]}), Wishes())
    assert addresses(found) == ["01:00.0", "01:00.1", "01:00.2", "0a:00.3"]


def test_a_keyboard_that_goes_with_an_apu_is_enough() -> None:
    apu = (device("30:00.0", VGA, 5), device("30:00.3", USB, 6))
    found = propose(facts(*apu, *PORTS[:1], plugged={"30:00.3": [KEYBOARD]}), Wishes())
    assert addresses(found) == ["30:00.0", "30:00.3"]
    assert "No USB keyboard stays" in remarks(found)


# The ROM


def test_the_card_the_pc_starts_on_needs_a_rom() -> None:
    assert "vfiod rom dump 0000:01:00.0" in remarks(propose(facts(*CARD), Wishes()))
    other = device("01:00.0", VGA, 10, boot_vga=False)
    assert "rom dump" not in remarks(propose(facts(other), Wishes()))


def test_a_rom_that_is_known_is_used() -> None:
    for wishes in (Wishes(card_rom="/r"), Wishes(roms={CARD[0].address: "/r", SATA_ONLY: "/s"})):
        found = propose(facts(*CARD), wishes)
        assert found.configs == (
            DeviceConfig(CARD[0].address, "/r"),
            DeviceConfig(CARD[1].address),
        )
        assert "rom dump" not in remarks(found)


def test_a_rom_without_a_card_is_refused() -> None:
    wishes = Wishes(asked=(CARD[1].address,), card_rom="/r")
    assert "none is among the devices" in refusals(facts(CARD[1]), wishes)


# What forbids it


def test_without_iommu_nothing_is_proposed() -> None:
    assert "the IOMMU is off" in refusals(facts(device("01:00.0", VGA, None)))


def test_without_a_card_one_is_asked_for() -> None:
    assert "no graphics card" in refusals(facts(*PORTS))


def test_an_absent_device_is_refused() -> None:
    assert "0000:09:00.0 is not in this PC" in refusals(
        facts(*CARD), Wishes(asked=(address("09:00.0"),))
    )


def test_all_that_the_host_stands_on_is_named() -> None:
    group = (device("03:00.0", NETWORK, 10, driver="e1000e"),)
    text = refusals(facts(*CARD, *group, in_use_by={"03:00.0": ["the default route (eth0)"]}))
    assert "(0000:03:00.0): the running host needs it for the default route (eth0)" in text
    assert "another slot" in text


def test_a_bridge_is_refused() -> None:
    bridge = device("00:01.0", BRIDGE, 10)
    assert "is a bridge" in refusals(facts(*CARD, bridge), Wishes(asked=(bridge.address,)))


SLOTS = ("00:01.0", "00:01.1", "01:00.0", "01:00.1", "01:00.2", "0a:00.0", "0a:00.3")
FUNCTION = st.builds(
    device,
    st.sampled_from(SLOTS),
    st.sampled_from([VGA, AUDIO, USB, SATA, BRIDGE, CRYPTO]),
    st.sampled_from([None, 1, 2, 3]),
    driver=st.sampled_from([None, "some", "vfio-pci"]),
    boot_vga=st.booleans(),
)


@given(
    st.lists(FUNCTION, unique_by=lambda d: d.address),
    st.lists(st.sampled_from(SLOTS), max_size=2),
    st.lists(st.sampled_from(SLOTS), max_size=2),
)
def test_what_is_proposed_would_not_be_refused(
    parts: list[PciDevice], asked: list[str], needed: list[str]
) -> None:
    pc = facts(*parts, plugged={s: [KEYBOARD] for s in SLOTS}, in_use_by={s: ["/"] for s in needed})
    try:
        found = propose(pc, Wishes(asked=tuple(map(address, asked))))
    except Refused:
        return
    going = [pc.devices[config.address] for config in found.configs]
    assert not [d for d in going if d.is_bridge or d.group is None or d.address in pc.in_use_by]
    for other in parts:
        if other in going or other.is_bridge:
            continue
        assert not [d for d in going if are_one_card(d, other, pc.devices)]
        assert not [d for d in going if d.group == other.group and other.driver == "some"]


# How it is said


def test_words_fit_the_terminal() -> None:
    found = propose(facts(*CARD, *PORTS, plugged={"0a:00.3": [KEYBOARD]}), Wishes(card_rom="/r"))
    lines = list(as_lines("win10", found, width=60))
    assert max(map(len, lines)) <= 60
    assert lines[:5] == [
        "win10 would get:",
        "  0000:01:00.0  device 1002:67df",
        "                the graphics card, with a screen on DP-1",
        "                its ROM: /r",
        "  0000:01:00.1  device 1002:67df",
    ]
    assert all(remark.text in as_lines("win10", found, width=None) for remark in found.remarks)
