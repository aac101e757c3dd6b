"""Checks of a start: configuration, definition, ROMs and PC are of the same devices. Pure."""

from collections.abc import Iterator

from vfiod.errors import HostError, VfiodError
from vfiod.guest.passed import BACKENDS
from vfiod.guest.saved import drop
from vfiod.handoff.decision.request import Request
from vfiod.model import PciFunction
from vfiod.rom import image
from vfiod.util.typed import TO_CHANGE, virsh

Faults = Iterator[VfiodError]


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
    name = request.guest.name
    saved = f"\nif {name} was saved before it had them, drop that state: {drop(name)}"
    for address in sorted(configured - passed):
        yield HostError(
            f"{address} is configured for {name} but is no <hostdev> of the guest",
            f"add one with: {_edit(request)}; or take it out of /etc/vfiod/vfiod.yaml"
            + (saved if configured.isdisjoint(passed) else ""),
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


def _edit(request: Request) -> str:
    return virsh("edit", request.guest.name)
