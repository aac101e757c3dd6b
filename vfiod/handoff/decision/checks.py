"""Everything that can be refused while the user still sees the screen. Pure.

Each check takes the request and yields what stands in its way; none touches the host. Those of the
devices as such are in agreement.py and isolation.py.
"""

from collections.abc import Iterator

from vfiod.config.spared import will_not_let_go
from vfiod.errors import HostError, VfiodError
from vfiod.handoff.decision import (
    agreement,
    ending,
    goodbye,
    homes,
    isolation,
    opened,
    performance,
    rules,
    unfinished,
)
from vfiod.handoff.decision.hoststate import VFIO_MODULE
from vfiod.handoff.decision.request import Request
from vfiod.util.typed import virsh

Faults = Iterator[VfiodError]


def find_faults(request: Request) -> list[VfiodError]:
    """All reasons to refuse, the most telling first; an empty list means go."""
    return [fault for check in CHECKS for fault in check(request)]


def host_is_staying(request: Request) -> Faults:
    """A host that is going down must not lose its display as well."""
    if request.state.shutting_down:
        yield HostError("the host is shutting down")


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


def modules_are_installed(request: Request) -> Faults:
    """What was removed with its kernel's update is found by its name no more (modprobe(8)).

    A driver that stays loaded does no harm: it is unbound, and takes its device back.
    """
    state = request.state
    needed = [] if state.vfio_available else [VFIO_MODULE]
    needed += state.nvidia_modules if request.unloads_nvidia else []
    if state.modules_removed and needed:
        yield HostError(
            f"the modules of the running kernel were removed from the disk, as by an update: "
            f"kmod finds {', '.join(needed)} no more",
            "reboot first: the host then runs the kernel that is installed",
        )


def modules_can_be_unloaded(request: Request) -> Iterator[VfiodError]:
    """One on top of NVIDIA's keeps them loaded, and its driver waits for ever for its users."""
    if request.unloads_nvidia and request.state.unknown_modules:
        names = " ".join(request.state.unknown_modules)
        yield HostError(
            f"the modules of the card's driver nvidia are used by one that vfiod does not know: "
            f"{names}",
            f"unload it first, with what uses it: sudo modprobe -r {names}",
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
    yield from opened.find_ending(request)
    yield from homes.find_faults(request)
    yield from opened.find_undrawn(request)
    yield from opened.find_windows(request)


def sessions_may_end(request: Request) -> Faults:
    """What sessions: protects, wherever it is that a handoff would end it."""
    yield from goodbye.find_faults(request)


def work_of_root_is_finished(request: Request) -> Faults:
    """An update of the system that runs in what ends."""
    yield from unfinished.find_faults(request)


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


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"


CHECKS = (
    host_is_staying,
    agreement.devices_exist,
    agreement.domain_agrees,
    agreement.devices_are_given_once,
    agreement.backends_are_known,
    isolation.iommu_is_on,
    isolation.slot_is_whole,
    isolation.group_is_viable,
    isolation.firmware_lets_go,
    isolation.it_is_not_divided,
    nobody_else_has_them,
    holders_let_go,
    host_can_spare_them,
    display_can_return,
    modules_are_installed,
    modules_can_be_unloaded,
    agreement.roms_fit,
    agreement.roms_are_used,
    memory_is_enough,
    performance_can_be_had,
    all_can_be_opened,
    no_guest_is_killed,
    work_of_root_is_finished,
    sessions_may_end,
)
