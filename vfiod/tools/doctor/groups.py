"""Findings about IOMMU groups: what goes over together, and what stands in the way. Pure."""

from collections.abc import Callable, Iterator

from vfiod.host.facts.pci import PciDevice
from vfiod.model import SHARING_DRIVERS
from vfiod.tools.doctor.facts import Facts
from vfiod.tools.groups.sets import DeviceSet, Remark, judge, members_with
from vfiod.util.finding import Finding, Findings, fail, ok, warn

_WHY = (
    "Devices of one IOMMU group can reach each other's memory, and a card is reset as a whole, "
    "so all of them go over or none."
)


def groups(facts: Facts) -> Findings:
    """Each set of devices that something of it is to leave; a guest's own are judged with it."""
    judged_already = facts.guest is not None and facts.guest.request is not None
    if not facts.firmware.iommu.is_on or judged_already:
        return
    for found in dict.fromkeys(_set_of(facts, device) for device in facts.leaving):
        yield from _findings(facts, found)


def _set_of(facts: Facts, device: PciDevice) -> DeviceSet:
    return judge(members_with(device, facts.devices), facts.devices, facts.in_use_by, {})


def _findings(facts: Facts, found: DeviceSet) -> Iterator[Finding]:
    missing = _missing(facts, found)
    wanted = any(device in facts.chosen_displays for device in found.going)
    level = fail if wanted or facts.guests else warn
    yield from (_obstacle(facts, remark, level) for remark in found.obstacles)
    if not found.obstacles:
        yield from (_not_listed(facts, device) for device in missing)
    if not (found.obstacles or missing):
        addresses = ", ".join(str(device.address) for device in found.going)
        word = "group" if len(found.groups) == 1 else "groups"
        numbers = ", ".join(map(str, found.groups))
        yield ok("iommu-group", f"IOMMU {word} {numbers}: {addresses} can go to a guest")


def _missing(facts: Facts, found: DeviceSet) -> list[PciDevice]:
    """Devices of the set that the configuration leaves to a driver of the host."""
    listed = {device.address for guest in facts.guests for device in guest.devices}
    idle = SHARING_DRIVERS if listed else {device.driver for device in found.going}
    return [d for d in found.going if d.address not in listed and d.driver not in idle]


def _obstacle(facts: Facts, remark: Remark, level: Callable[..., Finding]) -> Finding:
    """Of several cards nobody need hand over this one: then it is only worth knowing."""
    remedy = remark.remedy or "put the card into another slot"
    return level(
        "iommu-group",
        f"{facts.named(facts.devices[remark.device])} would have to go along: {remark.fact}",
        why=_WHY,
        remedy=f"{remedy[0].upper()}{remedy[1:]}.",
        command="vfiod groups",
    )


def _not_listed(facts: Facts, device: PciDevice) -> Finding:
    return fail(
        "iommu-group",
        f"{facts.named(device)} would have to go along, and is not listed",
        why=_WHY,
        remedy="Add it to the guest's devices in /etc/vfiod/vfiod.yaml, and to the guest.",
        command="vfiod groups",
    )


CHECKS = (groups,)
