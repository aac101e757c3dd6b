"""What the daemon has done by processes of their own, on the model: implements Commands."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from vfiod.config.schema import Config, GuestConfig
from vfiod.errors import HostError, Refused, VfiodError
from vfiod.guest import domain
from vfiod.handoff.decision import readiness, snapshot
from vfiod.handoff.decision.readiness import GuestFacts
from vfiod.handoff.decision.request import Request

if TYPE_CHECKING:
    from tests.fakes.host import FakeHost


class FakeCommands:
    """libvirt as the command line finds it. ``done`` is what was asked of it, in order."""

    def __init__(self, host: "FakeHost") -> None:
        self._host = host
        self.load: Callable[[], Config] = Config
        self.definition: Callable[[str], str] = str
        self.done: list[str] = []
        self.running: set[str] = set()
        self.fails = ""
        self.before_start: Callable[[], object] = lambda: None
        self.trial, self.on_trial = 0, "win10"
        self.keeps_trials = False  # systemd does not stop their timer

    def look(self) -> str:
        config = self.load()
        return readiness.dump(self._facts(config, guest) for guest in config.guests.values())

    def start(self, guest: str) -> None:
        self.before_start()
        if self.fails:
            raise HostError(self.fails)
        self.done.append(f"start {guest}")
        self.running.add(guest)

    def shut_down(self, guest: str) -> None:
        if guest not in self.running:
            raise HostError(f"libvirt says: {guest} is not running")
        self.done.append(f"shutdown {guest}")

    def destroy(self, guest: str) -> None:
        if self.fails:
            raise HostError(self.fails)
        self.done.append(f"destroy {guest}")

    def propose_session(self, uid: int, session: str) -> None:
        self.done.append(f"propose {session} to {uid}")

    def trial_until(self, guest: str) -> int:
        return self.trial if guest == self.on_trial else 0

    def keep(self, guest: str, seconds: int) -> None:
        if not self.trial_until(guest):
            raise Refused([VfiodError(f"{guest} is not on trial")])
        self.done.append(f"keep {seconds}")
        self.trial = round((time.time() + seconds) * 1e6) if seconds else 0

    def end_trial(self, guest: str) -> None:
        if self.keeps_trials:
            raise HostError("no answer to StopUnit in time")
        if guest == self.on_trial:
            self.trial = 0

    def _facts(self, config: Config, guest: GuestConfig) -> GuestFacts:
        wanted = domain.parse(self.definition(guest.name))
        if guest.name in self.running:
            why = (("it is running", ""),)
            return GuestFacts(guest.name, state="running", reasons=why, uuid=wanted.uuid)
        state = snapshot.read(self._host, config, guest, wanted)
        reasons, people = readiness.assess(Request(config, guest, wanted, state))
        return GuestFacts(
            guest.name, state="shut off", reasons=reasons, people=people, uuid=wanted.uuid
        )
