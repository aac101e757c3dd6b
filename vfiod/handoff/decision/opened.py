"""What the guest opens beside its PCI devices: all of it is there, and stays. Pure.

QEMU would find out only after the desktop is gone. What hangs on a controller that goes over to
the guest is there now, and gone when QEMU looks for it.
"""

import re
import shlex
from collections.abc import Iterator, Sequence

from vfiod.errors import HostError
from vfiod.guest.opened import TOGETHER, Opened, UsbHostdev
from vfiod.guest.rendering import TO_DRAW_WITHOUT
from vfiod.handoff.decision import ending
from vfiod.handoff.decision.request import Request
from vfiod.model import PciAddress, Session, UsbPlugged
from vfiod.util.typed import TO_CHANGE, virsh

_ROM = "<rom file>"
# It goes with the user's last session (user-runtime-dir@.service(5)).
_OF_USER = re.compile(r"(?:/var)?/run/user/([0-9]{1,10})/")


def find_absent(request: Request) -> Iterator[HostError]:
    """Files, device nodes and programs that are not there, or do not answer."""
    staged = {rom.staged for rom in request.state.roms.values()}
    for opened in request.domain.opened:
        why = [request.state.missing.get(path, "") for path in opened.paths]
        is_staged = opened.element == _ROM and staged.issuperset(opened.paths)
        if all(why) and not is_staged and not opened.is_sound:
            yield HostError(_absent(opened, why[-1]), f"{opened.remedy}\n{_edit(request)}")


def _absent(opened: Opened, why: str) -> str:
    if opened.program and len(opened.paths) > 1:
        return f"the guest's {opened.element} needs {opened.program}, which is not installed"
    return f"the guest's {opened.element} {opened.name or opened.paths[-1]} {opened.lack or why}"


def find_leaving(request: Request) -> Iterator[HostError]:
    """Nodes of devices behind a function that goes over."""
    listed = {f.address for f in request.listed}
    for opened in request.domain.opened:
        for path in opened.paths:
            for address in sorted(listed.intersection(request.state.behind.get(path, ()))):
                what = f"{opened.element} {opened.name or path}"
                yield _leaves(request, what, address, opened.if_leaving)


def find_ending(request: Request) -> Iterator[HostError]:
    """Sockets of a user whose manager ends with the desktop."""
    last = {s.uid: s for s in ending.sessions(request) if not ending.outlives(request, s.uid)}
    for opened in request.domain.opened:
        named = {p: int(found[1]) for p in opened.paths if (found := _OF_USER.match(p))}
        owners = set(named.values())
        if not request.state.missing.keys() & named.keys():
            yield from (_ends(request, opened, last[uid]) for uid in sorted(owners & last.keys()))


def _ends(request: Request, opened: Opened, session: Session) -> HostError:
    verb = "plays through" if opened.is_sound else "opens"
    out = f"take {opened.element} out of the definition"
    instead = f"{opened.remedy}: the card has its own sound" if opened.is_sound else out
    return HostError(
        f"the guest's {opened.element} {verb} {opened.paths[-1]}, which ends with "
        f"{session.user}'s session",
        f"have it stay: sudo loginctl enable-linger {shlex.quote(session.user)}\n"
        f"or {instead}\n{_edit(request)}",
    )


def find_undrawn(request: Request) -> Iterator[HostError]:
    """OpenGL for the emulated screen, and no render node that stays."""
    listed = {f.address for f in request.listed}
    ways = request.state.render_nodes.values()
    if request.domain.renderer and all(listed.intersection(way) for way in ways):
        yield HostError(
            f"the guest's {request.domain.renderer} draws with OpenGL, and the host keeps no card "
            "for that: none has a render node, or it goes over to the guest itself",
            f"{TO_DRAW_WITHOUT}\n{_edit(request)}",
        )


def find_windows(request: Request) -> Iterator[HostError]:
    """A window on a desktop that ends."""
    if request.domain.window and request.ends_desktop:
        yield HostError(
            f"the guest's {request.domain.window} opens a window on the host's desktop, which is "
            "gone when the guest starts",
            f"take it out of the definition: the guest has the card\n{_edit(request)}",
        )


def find_usb(request: Request) -> Iterator[HostError]:
    """USB devices that are not plugged in, or into a controller that goes over, or of which
    libvirt finds several then.
    """
    listed = {f.address for f in request.listed}
    for wanted in request.domain.usb:
        found = [p for p in request.state.usb if wanted.fits(p.vendor, p.product, p.bus, p.number)]
        staying = [plugged for plugged in found if plugged.controller not in listed]
        if len(staying) > 1 and wanted.is_any_of_its_kind:
            yield _several(request, wanted, staying)
        elif staying or wanted.optional:
            continue
        elif found:
            what = f"<hostdev type='usb'> {wanted}{_called(found[0])}"
            yield _leaves(request, what, found[0].controller, TOGETHER)
        else:
            yield HostError(
                f"the guest's <hostdev type='usb'> {wanted} is not plugged in",
                f"plug it in (see: lsusb), or take it out of the definition\n{_edit(request)}",
            )


def _several(request: Request, wanted: UsbHostdev, found: Sequence[UsbPlugged]) -> HostError:
    """libvirt refuses them whatever the startupPolicy (its hypervisor/virhostdev.c)."""
    first, others = found[0], "others" if len(found) > 2 else "other"
    places = ", ".join(f"bus {plugged.bus} device {plugged.number}" for plugged in found)
    return HostError(
        f"{len(found)} USB devices {wanted}{_called(first)} are plugged in ({places}), and libvirt "
        "does not choose",
        f"add <address bus='{first.bus}' device='{first.number}'/> to the <source> of the guest's "
        f"<hostdev type='usb'>, or unplug the {others}\n{_edit(request)}",
    )


def _called(plugged: UsbPlugged) -> str:
    return f" ({plugged.name})" if plugged.name else ""


def _leaves(request: Request, what: str, address: PciAddress, remedy: str) -> HostError:
    goes = f"hangs on {address}, which goes over to the guest itself"
    if what.endswith(f" {address}"):
        goes = "goes over to the guest itself: it would be given twice"
    return HostError(
        f"the guest's {what} {goes}",
        f"{remedy}\n{_edit(request)}",
    )


def _edit(request: Request) -> str:
    return f"{TO_CHANGE}{virsh('edit', request.guest.name)}"
