"""Step: the display manager ends, and is started again with the card; whether it shows anything.

systemd calls its start done as soon as the program is there. A login screen that fails comes after
that: LightDM and greetd end with theirs and are started anew until their start limit, GDM and SDDM
run on. So who has the card open is looked at, and nothing else tells.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from vfiod.errors import HostError, NotShown
from vfiod.handoff.accounts import is_manager
from vfiod.handoff.nodes import is_card
from vfiod.handoff.steps import ready
from vfiod.handoff.steps.base import Notes, Prior, names_in
from vfiod.handoff.steps.desktop import MASTER_SECONDS, DesktopStep
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, Holder, PciAddress

# In what was observed: a login screen was looked for, and from then on undo sees to it that one
# comes.
CHECKED = "checked"
# How long a login screen may take to open the card: from a slow disk, with all of memory cold.
GREETER_SECONDS = 60.0
# Who has the card open for that long is not one of many that fail.
STAYS_SECONDS = 3.0
_INIT = 1
_NOT_THE_HOST = (None, VFIO_DRIVER)


@dataclass(frozen=True, slots=True)
class StopDisplayManager(DesktopStep):
    """Stop the display manager; started again only once the ``displays`` are the host's.

    ``draws``: its login screen opens one of them, as one of text never does.
    """

    kind: ClassVar[str] = "stop-display-manager"
    unit: str
    displays: tuple[PciAddress, ...]
    seconds: float
    draws: bool = False

    def describe(self) -> str:
        return f"stop the display manager {self.unit}"

    def describe_undo(self) -> str:
        return f"start the display manager {self.unit}"

    def observe(self, host: Host) -> Prior:
        return {"active": host.units.unit(self.unit).active, **ready.seen(host, self.displays)}

    def apply(self, host: Host) -> Notes:
        return host.units.stop(self.unit, seconds=self.seconds)

    def undo(self, host: Host, prior: Prior) -> Notes:
        if not prior["active"]:
            return ()
        if host.units.shutting_down():
            return (f"{self.unit} not started: the host is shutting down",)
        remedy = f"once that is set right, run: sudo systemctl start {self.unit}"
        nodes = names_in(prior, ready.NODES)
        ready.require_displays(host, self.unit, remedy, self.displays, nodes)
        ready.wait_for_monitors(host, self.displays, names_in(prior, ready.CONNECTED))
        if prior.get(CHECKED):
            return self._start_visibly(host, names_in(prior, ready.CONNECTED))
        return host.units.start(self.unit, seconds=self.seconds)

    def shown_by(self, host: Host) -> frozenset[int]:
        """The processes of a login screen or a desktop that have a display open."""
        return self._shown_on(host, self.displays)

    def is_of_use(self, host: Host) -> bool:
        """True if somebody works by it, or another card of the host shows it: a monitor may have
        been plugged in there meanwhile.
        """
        others = [f for a, f in host.pci.functions().items() if a not in self.displays]
        driven = [f.address for f in others if f.is_display and f.driver not in _NOT_THE_HOST]
        lit = [address for address in driven if host.pci.output(address).connected]
        return bool(self.users(host) or self._shown_on(host, lit))

    def users(self, host: Host) -> list[str]:
        """Those who are logged in by it, on whatever card: their work ends with it."""
        people = [s for s in host.logins.sessions() if s.is_person and not s.closing]
        parents = {s.ident: host.processes.parent(s.leader) for s in people if s.leader}
        begun = host.units.begun_with({pid for pid in parents.values() if pid > _INIT})
        by_it = {ident for ident, pid in parents.items() if begun.get(pid) == self.unit}
        return sorted({s.user for s in people if (s.graphical and s.seat) or s.ident in by_it})

    def end_if_dark(self, host: Host) -> Notes:
        """Stop one that runs and shows nothing: it has looked for its card in vain.

        Not one that somebody has logged in by. Raises HostError if it does not stop.
        """
        return self._end_unless_used(host) if self._is_dark(host) else ()

    def end(self, host: Host) -> None:
        """Stop it whatever it shows; one who does not let go is no reason to give up."""
        with suppress(HostError):
            self.apply(host)
            host.wait(lambda: not self.shown_by(host), seconds=self.seconds)

    def _end_unless_used(self, host: Host) -> Notes:
        if users := self.users(host):
            return (self._left_alone(users),)
        told = f"{self.unit} runs, but nothing of it keeps {self.cards} open: it is started anew"
        return (told, *host.units.stop(self.unit, seconds=self.seconds))

    def _is_dark(self, host: Host) -> bool:
        """Who cannot be asked may show something."""
        with suppress(HostError):
            return bool(self.displays) and self._has_begun(host) and not self.shown_by(host)
        return False

    def _has_begun(self, host: Host) -> bool:
        """True if it runs; one whose start is under way may still show something."""
        unit = host.units.unit(self.unit)
        return unit.active and not unit.busy

    @property
    def cards(self) -> str:
        """The displays, for a person."""
        return ", ".join(map(str, self.displays))

    def _shown_on(self, host: Host, cards: Collection[PciAddress]) -> frozenset[int]:
        sessions = {session.unit for session in host.logins.sessions()}
        holders = host.processes.holders(cards)
        return frozenset(h.pid for h in holders if self._is_of_desktop(h, sessions))

    def _is_of_desktop(self, holder: Holder, sessions: set[str]) -> bool:
        is_desktop_s = is_manager(holder.unit) and is_card(holder)
        return holder.unit == self.unit or holder.unit in sessions or is_desktop_s

    def _start_visibly(self, host: Host, lit: Collection[str]) -> Notes:
        """``lit``: who had a screen before. Raises HostError if nothing is seen of it."""
        if self._runs(host) and self._stays(host):
            return ()  # somebody has seen to it meanwhile
        notes = list(self._end_unless_used(host)) if self._has_begun(host) else []
        notes += host.units.start(self.unit, seconds=self.seconds)
        if self._stays(host) or self.is_of_use(host):
            return notes
        raise self._absent(host, lit)

    def _runs(self, host: Host) -> bool:
        return host.units.unit(self.unit).active

    def _stays(self, host: Host) -> bool:
        """True once somebody keeps a display open; without ``draws``, if it does not end."""
        if not self.draws:
            return not host.wait(lambda: not self._runs(host), seconds=MASTER_SECONDS)
        began, seen = host.now(), frozenset[int]()
        while host.now() - began < (MASTER_SECONDS if seen else GREETER_SECONDS):
            left = GREETER_SECONDS - (host.now() - began)
            host.wait(lambda: bool(self.shown_by(host)) or not self._runs(host), seconds=left)
            seen = self.shown_by(host)
            if not seen:
                return False
            host.wait(lambda: False, seconds=STAYS_SECONDS)
            if seen & self.shown_by(host):
                return True
        return False

    def _left_alone(self, users: list[str]) -> str:
        return (
            f"{self.unit} runs, but nothing of it keeps {self.cards} open. It goes on, as "
            f"{', '.join(users)} would lose what is open; when that is saved, run: "
            f"sudo systemctl restart {self.unit}"
        )

    def _absent(self, host: Host, lit: Collection[str]) -> NotShown:
        """The error of one that has been started, with what a person can do."""
        what = f"runs, but nothing of it keeps {self.cards} open" if self._runs(host) else "ended"
        ways = ["log in on a text console meanwhile: Ctrl+Alt+F3"]
        seen = [a for a in self.displays if str(a) in lit]
        unlit = [str(a) for a in seen if not host.pci.output(a).connected]
        if unlit:
            ways.insert(0, f"see that a monitor is on: none is seen at {', '.join(unlit)}")
        return NotShown(f"it was started anew and {what}", "\n".join(ways))
