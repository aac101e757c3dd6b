"""Everything that can be refused while the user still sees the screen. Pure.

Each check takes the request and yields what stands in its way; none touches the host.
"""

from collections.abc import Iterator

from vfiod.config.spared import will_not_let_go
from vfiod.errors import HostError, VfiodError
from vfiod.guest.domain import BACKENDS
from vfiod.handoff import ending, goodbye, opened, performance, rules
from vfiod.handoff.request import Request
from vfiod.model import SHARING_DRIVERS, VFIO_DRIVER, PciFunction
from vfiod.rom import image
from vfiod.util.typed import TO_CHANGE, virsh

Faults = Iterator[VfiodError]


def find_faults(request: Request) -> list[VfiodError]:
    """All reasons to refuse, the most telling first; an empty list means go."""
    return [fault for check in CHECKS for fault in check(request)]


def host_is_staying(request: Request) -> Faults:
    """A host that is going down must not lose its display as well."""
    if request.state.shutting_down:
        yield HostError("the host is shutting down")


def devices_exist(request: Request) -> Faults:
    """Addresses move when a card is added: the configuration may be older than the PC."""
    for device in request.guest.devices:
        function = request.state.functions.get(device.address)
        if function is None:
            yield HostError(
                f"the device {device.address} of {request.guest.name} is not in this PC",
                "see what is with lspci -D and correct /etc/vfiod/vfiod.yaml",
            )
        elif function.is_bridge:
            yield HostError(
                f"the device {function} is a bridge", "bridges stay with the host: remove it"
            )


def domain_agrees(request: Request) -> Faults:
    """What goes over and what the guest gets must be the same list."""
    configured = {d.address for d in request.guest.devices}
    passed = set(request.domain.passed)
    for address in sorted(configured - passed):
        yield HostError(
            f"{address} is configured for {request.guest.name} but is no <hostdev> of the guest",
            f"add one with: {_edit(request)}; or take it out of /etc/vfiod/vfiod.yaml",
        )
    for address in sorted(passed - configured):
        yield HostError(
            f"the guest has a <hostdev> {address} that /etc/vfiod/vfiod.yaml does not list for it",
            f"add it there, or take it out with: {_edit(request)}",
        )


def devices_are_given_once(request: Request) -> Faults:
    """QEMU takes a device once; libvirt knows nothing of the second way."""
    twice = {h.address for h in request.domain.hostdevs} & {*request.domain.commandline.devices}
    for address in sorted(twice):
        yield HostError(
            f"the guest is given {address} twice: as a <hostdev> and by -device vfio-pci in its "
            "<qemu:commandline>",
            f"take that -device out: QEMU would not start with both\n"
            f"{TO_CHANGE}{virsh('edit', request.guest.name)}",
        )


def backends_are_known(request: Request) -> Faults:
    """A QEMU that opens its devices by other nodes would not be seen to have them."""
    for hostdev in request.domain.hostdevs:
        if hostdev.backend not in BACKENDS:
            yield HostError(
                f"the guest asks for the backend {hostdev.backend} for its <hostdev> "
                f"{hostdev.address}, which this version of vfiod does not know",
                f"take <driver> out of it, or use {' or '.join(sorted(BACKENDS))}, with: "
                f"{_edit(request)}",
            )


def iommu_is_on(request: Request) -> Faults:
    """Without a group there is no /dev/vfio/GROUP."""
    if not request.state.vfio_available:
        yield HostError("this kernel has no vfio-pci module", "install your kernel's full modules")
    for function in request.listed:
        if function.group is None:
            yield HostError(
                f"the device {function} has no IOMMU group",
                "switch the IOMMU on in the firmware set-up and with intel_iommu=on where needed",
            )


def slot_is_whole(request: Request) -> Faults:
    """A card is reset as a whole: only if all its functions are with vfio-pci (kernel: vfio)."""
    listed = {f.address for f in request.listed}
    displays = [f for f in request.listed if f.is_display]
    functions = request.state.functions.values()
    for function in functions:
        mate = any(rules.are_one_card(display, function, functions) for display in displays)
        if mate and function.address not in listed and function.driver != VFIO_DRIVER:
            yield HostError(
                f"{function} is a function of the same card and is not listed",
                f"add {function.address} to the configuration and to the guest",
            )


def group_is_viable(request: Request) -> Faults:
    """A group goes over as a whole; members without an ordinary driver do no harm.

    That holds for bridges too (kernel: iommu_device_use_default_domain).
    """
    listed = {f.address for f in request.listed}
    groups = {f.group for f in request.listed if f.group is not None}
    for function in request.state.functions.values():
        foreign = function.group in groups and function.address not in listed
        if foreign and function.driver not in SHARING_DRIVERS:
            yield HostError(
                f"{function} shares IOMMU group {function.group} with a listed device "
                f"and is in use by the host's driver {function.driver}",
                f"do without that driver ({function.driver}), or put the card into another slot"
                if function.is_bridge
                else "list it too, or put the card into another slot",
            )


def firmware_lets_go(request: Request) -> Faults:
    """The kernel hands over no group in which the firmware keeps memory mapped for itself."""
    for function in request.listed:
        if function.group in request.state.refused_groups:
            yield HostError(
                f"{function} in group {function.group}: {rules.KEPT_BY_FIRMWARE}",
                rules.NO_DMA_PROTECTION,
            )


def nobody_else_has_them(request: Request) -> Faults:
    """/dev/vfio/GROUP can be open only once."""
    for holder in request.state.vfio_holders:
        yield HostError(
            f"another guest has a device of {request.guest.name}: {holder}", "shut that guest down"
        )


def holders_let_go(request: Request) -> Faults:
    """What is never stopped nor signalled must not hold a device: the start would end in vain."""
    for holder in request.state.holders:
        if will_not_let_go(holder):
            yield HostError(
                f"{holder} and belongs to {holder.unit}, which vfiod never stops",
                f"make it let go, perhaps with: sudo systemctl restart {holder.unit}",
            )


def host_can_spare_them(request: Request) -> Faults:
    """A disk or network that the running host stands on must not be pulled from under it."""
    for address, things in request.state.in_use_by.items():
        for thing in things:
            yield HostError(f"{address} carries {thing} of the running host", "do not list it")


def display_can_return(request: Request) -> Faults:
    """A card without a native driver is lit by the firmware's framebuffer only."""
    lit = bool(request.state.framebuffers)
    for function in request.leaving:
        if lit and rules.is_lit_by_firmware(function):
            text = f"the display {function} {rules.LIT_BY_FIRMWARE}"
            yield HostError(text, rules.LOAD_DRIVER)


def modules_can_be_unloaded(request: Request) -> Iterator[VfiodError]:
    """One on top of NVIDIA's keeps them loaded, and its driver waits for ever for its users."""
    if request.unloads_nvidia and request.state.unknown_modules:
        names = " ".join(request.state.unknown_modules)
        yield HostError(
            f"the modules of the card's driver nvidia are used by one that vfiod does not know: "
            f"{names}",
            f"unload it first, with what uses it: sudo modprobe -r {names}",
        )


def roms_fit(request: Request) -> Faults:
    """A ROM must be there, be one, and be this card's."""
    for address, file in request.state.roms.items():
        function = request.state.functions.get(address)
        if file.fault:
            yield HostError(
                f"the ROM of {address}: {file.fault}", "correct rom: in the configuration"
            )
        elif function is not None:
            yield from _rom_is_for(function, file.path, file.data)


def _rom_is_for(function: PciFunction, path: str, data: bytes) -> Faults:
    try:
        image.check(data, vendor=function.vendor, device=function.device)
    except VfiodError as error:
        yield HostError(f"the ROM {path} does not fit {function}: {error.message}", error.hint)


def roms_are_used(request: Request) -> Faults:
    """The guest must read the ROM where it is staged."""
    for hostdev in request.domain.hostdevs:
        file = request.state.roms.get(hostdev.address)
        if file is None or file.fault:
            continue
        fitting = {file.staged} | ({file.path} if file.readable_in_place else set())
        if hostdev.rom_file not in fitting:
            yield HostError(
                f"the guest's <hostdev> {hostdev.address} reads the ROM "
                f"{hostdev.rom_file or 'of the card'}, not the configured one",
                f"give it <rom file='{file.staged}'/> with: {_edit(request)}",
            )


def memory_is_enough(request: Request) -> Faults:
    """A passed-through guest's memory is locked: all of it is needed at once."""
    memory, needed = request.state.memory, request.domain.memory_bytes
    freed = memory.desktop if request.ends_desktop else 0
    if not request.domain.hugepages and memory.available + freed < needed:
        yield HostError(
            f"the guest needs {_size(needed)} of memory, {_size(memory.available)} are free and "
            f"ending the desktop frees {_size(freed)}",
            "close programs or give the guest less memory",
        )


def performance_can_be_had(request: Request) -> Faults:
    """Huge pages, and whatever else performance: asks for, must not fail in the dark."""
    yield from performance.find_faults(request.performance)


def all_can_be_opened(request: Request) -> Faults:
    """QEMU would find out only after the desktop is gone."""
    yield from opened.find_absent(request)
    yield from opened.find_usb(request)
    yield from opened.find_leaving(request)


def sessions_may_end(request: Request) -> Faults:
    """What sessions: protects, wherever it is that a handoff would end it."""
    yield from goodbye.find_faults(request)


def no_guest_is_killed(request: Request) -> Faults:
    """A guest that renders on the card would lose its plug, whatever sessions says."""
    for holder in ending.guests(request):
        name = ending.guest_of(holder)
        shut_down = f"shut it down first: {virsh('shutdown', name)}" if name else ""
        yield HostError(
            f"{f'the guest {name}' if name else 'another guest'} uses a device of "
            f"{request.guest.name}: {holder}",
            shut_down or "shut that guest down first",
        )


def _edit(request: Request) -> str:
    return virsh("edit", request.guest.name)


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"


CHECKS = (
    host_is_staying,
    devices_exist,
    domain_agrees,
    devices_are_given_once,
    backends_are_known,
    iommu_is_on,
    slot_is_whole,
    group_is_viable,
    firmware_lets_go,
    nobody_else_has_them,
    holders_let_go,
    host_can_spare_them,
    display_can_return,
    modules_can_be_unloaded,
    roms_fit,
    roms_are_used,
    memory_is_enough,
    performance_can_be_had,
    all_can_be_opened,
    no_guest_is_killed,
    sessions_may_end,
)
