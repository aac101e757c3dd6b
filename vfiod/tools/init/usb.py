"""Which USB controller goes over, so that somebody can type in the guest. Pure."""

from collections.abc import Collection, Iterator

from vfiod.guest.opened import UsbHostdev
from vfiod.host.facts.usb import UsbController, UsbDevice, UsbKind
from vfiod.model import VFIO_DRIVER, PciAddress
from vfiod.tools.groups.sets import is_board, judge, members_with, reset_ways
from vfiod.tools.init.facts import Facts, Remark

INPUT = (UsbKind.KEYBOARD, UsbKind.MOUSE)


def choose(facts: Facts, taken: Collection[PciAddress]) -> UsbController | None:
    """The controller with most of the keyboard and mouse, among those that can go alone.

    ``taken``: functions that go over already; ports of the card itself do not count. One that
    is on vfio-pci shows no devices, but somebody has chosen it before.
    """
    free = [c for c in facts.controllers.values() if c.address not in taken and can_go(facts, c)]
    useful = [c for c in free if inputs(c) or _is_given(facts, c)]
    return max(useful, key=lambda c: _worth(facts, c), default=None)


def can_go(facts: Facts, controller: UsbController) -> bool:
    """True if nothing the host needs goes with it."""
    return _obstacle(facts, controller) is None


def _can_be_reset(facts: Facts, controller: UsbController) -> bool:
    function = facts.devices[controller.address]
    return bool(reset_ways(function, facts.with_it(function), facts.devices))


def _is_given(facts: Facts, controller: UsbController) -> bool:
    return facts.devices[controller.address].driver == VFIO_DRIVER


def inputs(controller: UsbController) -> list[UsbDevice]:
    """Keyboards and mice on it."""
    return [d for d in controller.devices if d.is_input]


def reason(facts: Facts, controller: UsbController) -> str:
    """Why it goes over."""
    if _is_given(facts, controller):
        return "a USB controller that is bound to vfio-pci already, by an older set-up"
    return f"the USB controller of your {named(inputs(controller))}"


def unasked(facts: Facts, controller: UsbController) -> Remark:
    """What to name for a keyboard, where only what was named goes over."""
    return Remark(
        "no-controller",
        "No keyboard or mouse goes over, as --device adds only what it names. For "
        f"{reason(facts, controller)} add: --device {controller.address}",
    )


def given(facts: Facts, hostdevs: Collection[UsbHostdev]) -> Iterator[Remark]:
    """What the guest's own USB devices are good for, if it is not its keyboard or mouse."""
    for hostdev in hostdevs:
        found = _found(facts, hostdev)
        if found is None:
            what = "is not plugged in now"
        elif not found.is_input:
            what = f"is no keyboard or mouse: {named([found])}"
        else:
            continue
        yield Remark("usb-device", f"The USB device {hostdev} of the guest {what}.")


def has_input(facts: Facts, hostdevs: Collection[UsbHostdev]) -> bool:
    """True if one of them is a keyboard or mouse that is plugged in."""
    found = [_found(facts, hostdev) for hostdev in hostdevs]
    return any(device is not None and device.is_input for device in found)


def _found(facts: Facts, hostdev: UsbHostdev) -> UsbDevice | None:
    plugged = (d for controller in facts.controllers.values() for d in controller.devices)
    fits = (d for d in plugged if hostdev.fits(d.vendor, d.device, d.bus, d.number))
    return next(fits, None)


def remarks(
    facts: Facts, chosen: Collection[UsbController], added: PciAddress | None
) -> Iterator[Remark]:
    """What the person loses on the host while the guest runs.

    ``added`` is the controller that goes only for keyboard and mouse, and could be left out.
    """
    going = {c.address for c in chosen}
    yield from _lost(facts, going, added)
    yield from _staying(facts, going)
    for controller in chosen:
        others = [d for d in controller.devices if not (d.is_input or d.is_hub)]
        if others:
            along = f"With {controller.address} the guest also gets: {named(others)}."
            yield Remark("goes-along", along)
        if not _can_be_reset(facts, controller):
            yield Remark(
                "usb-reset",
                f"The USB controller {controller.address} has no reset of its own: try once "
                "whether it comes back.",
            )


def _lost(
    facts: Facts, going: Collection[PciAddress], added: PciAddress | None
) -> Iterator[Remark]:
    lost = [kind for kind in INPUT if _is_lost(facts, kind, going)]
    if lost:
        avoidable = added is not None and any(facts.controllers[added].having(k) for k in lost)
        no_usb = "; --no-usb keeps the controller" if avoidable else ""
        yield Remark(
            "no-keyboard",
            f"No USB {' and no USB '.join(kind.value for kind in lost)} stays with the host while "
            f"the guest runs{no_usb}.",
        )
    if UsbKind.KEYBOARD in lost:
        yield Remark(
            "ssh",
            "Should the guest hang, log in over ssh and run: sudo vfiod return --destroy. Try now "
            "whether ssh works.",
        )


def _is_lost(facts: Facts, kind: UsbKind, going: Collection[PciAddress]) -> bool:
    having = [c.address for c in facts.controllers.values() if c.having(kind)]
    return bool(having) and all(address in going for address in having)


def _staying(facts: Facts, going: Collection[PciAddress]) -> Iterator[Remark]:
    """A mouse on another controller is easily overlooked."""
    if not any(inputs(facts.controllers[address]) for address in going):
        return
    for address, controller in facts.controllers.items():
        if address not in going and (staying := inputs(controller)):
            yield Remark(
                "stays",
                f"The host keeps {named(staying)}, on {address}: plug in beside the others what "
                "the guest is to have.",
            )


def no_controller(facts: Facts, taken: Collection[PciAddress]) -> Iterator[Remark]:
    """Why no controller is proposed, and what to do instead."""
    others = [c for c in facts.controllers.values() if c.address not in taken]
    holding = [c for c in others if inputs(c)]
    free = [str(c.address) for c in others if can_go(facts, c)]
    if not holding:
        none = "No USB controller is proposed: no USB keyboard or mouse is plugged in."
        yield Remark("no-controller", none)
    for controller in holding:
        yield Remark(
            "no-controller",
            f"The USB controller {controller.address} of your {named(inputs(controller))} cannot "
            f"go over: {_obstacle(facts, controller)}.",
        )
    if free:
        controllers = f"USB controller{'s' * (len(free) > 1)} {', '.join(free)}"
        could = "could: plug keyboard and mouse into its ports and run the same command again."
        yield Remark("other-ports", f"The {controllers} {could}")
    else:
        yield Remark(
            "usb-devices",
            "Give the guest keyboard and mouse as USB devices instead (virt-manager: Add Hardware, "
            "USB Host Device).",
        )


def named(devices: Collection[UsbDevice]) -> str:
    """Devices in words, each with what it is; what a keyboard is besides says little."""
    kinds = {d: [k for k in d.kinds if k in INPUT] or list(d.kinds) for d in devices}
    return ", ".join(f"{d.name} ({'/'.join(k.value for k in kinds[d]) or 'USB'})" for d in devices)


def _worth(facts: Facts, controller: UsbController) -> tuple[bool, ...]:
    """Many mice pass for a keyboard too: one that is no mouse counts more."""
    keyboards = controller.having(UsbKind.KEYBOARD)
    return (
        _is_given(facts, controller),
        any(UsbKind.MOUSE not in keyboard.kinds for keyboard in keyboards),
        bool(keyboards),
        bool(controller.having(UsbKind.MOUSE)),
        _can_be_reset(facts, controller),
    )


def _obstacle(facts: Facts, controller: UsbController) -> str | None:
    function = facts.devices[controller.address]
    members = members_with(function, facts.devices)
    judged = judge(members, facts.devices, facts.in_use_by, facts.controllers)
    if not judged.groups:
        return "it has no IOMMU group"
    for remark in judged.obstacles:
        return f"{remark.device}: {remark.fact}"
    for member in facts.with_it(function):
        if not (member.is_usb_controller or is_board(member)):
            other = f"{facts.name(member)} ({member.address})"
            return f"its IOMMU group {function.group} also holds {other}"
    return None
