"""What root does in a session and must not be cut off half-way: an update of the system. Pure.

A kernel that is half configured may leave a PC that does not boot. Package managers have logind
keep the host from going down meanwhile: apt (pkgDPkgPM::Go() in apt-pkg/deb/dpkgpm.cc), whatever
uses rpm (rpm-plugin-systemd-inhibit(8)), and who calls systemd-inhibit(1), as Mint's updater does.
So they are found by that.
"""

from collections.abc import Iterator, Mapping

from vfiod.errors import HostError
from vfiod.handoff.accounts import is_manager, manager_of
from vfiod.handoff.decision import ending, staying
from vfiod.handoff.decision.request import Request
from vfiod.host.systemd import Inhibitor

# The second is one that root passes over (since systemd 257): the work is as unfinished.
_MODES = ("block", "block-weak")
# What a desktop gives as its reason, that of root too (gnome-session: gsm-systemd.c).
_DESKTOPS_OWN = "user session inhibited"


def is_vital(inhibitor: Inhibitor) -> bool:
    """Whether it stands for such work. Of a desktop's own, which it takes for each program that
    objects to a logout, sessions: decides.
    """
    is_block = "shutdown" in inhibitor.what and inhibitor.mode in _MODES
    return is_block and inhibitor.uid == 0 and inhibitor.why != _DESKTOPS_OWN


def find_faults(request: Request) -> Iterator[HostError]:
    """Whatever sessions: says, as this is nobody's own work to lose."""
    units = _ending(request)
    for inhibitor in filter(is_vital, request.state.inhibitors):
        if inhibitor.unit in units:
            why = f": {inhibitor.why.rstrip('.')}" if inhibitor.why else ""
            yield HostError(
                f"{inhibitor.who} is at work in {units[inhibitor.unit]}, which would end, and must "
                f"not be cut off half-way{why}",
                "wait for its end: cut off, it may leave a host that does not boot\n"
                "to see it: systemd-inhibit --list",
            )


def _ending(request: Request) -> Mapping[str, str]:
    """Units in which something would be cut off, each in words.

    A manager that stays may have a terminal in it whose window goes with the desktop.
    """
    manager = request.state.display_manager.ident
    units = [*ending.spawners(request), *request.config.stop, *_stopped(request)]
    units += [manager] if request.ends_desktop else []
    found = {unit: unit for unit in units}
    for session in ending.sessions(request):
        words = f"the session of {session.user}"
        found |= {session.unit: words, manager_of(session.uid): words}
    return found


def _stopped(request: Request) -> Iterator[str]:
    """With a device, and not one that lets go of it without its end."""
    for unit, uid in ending.holding_units(request).items():
        if not is_manager(unit) or staying.letting_go(request, uid) is None:
            yield unit
