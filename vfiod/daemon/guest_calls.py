"""What people ask for on the bus: to see the guests, to start one, to end one, to keep one.

Text from outside is looked up among the configured guests before anything is done with it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from vfiod.bus.calls import answer
from vfiod.config.schema import Config
from vfiod.config.unknown import unknown_guest
from vfiod.daemon import rights
from vfiod.daemon.answers import answered, refuse_with, when_done
from vfiod.daemon.authority import Authority
from vfiod.daemon.background import OneEach, begin
from vfiod.daemon.rights import Action
from vfiod.daemon.starts import Countdown, Starts, Wish, find, require_host_has_them
from vfiod.errors import Busy, HostError, Refused, VfiodError
from vfiod.events import Event, Kind, Report
from vfiod.handoff.decision import readiness
from vfiod.handoff.decision.readiness import GuestFacts
from vfiod.host.door import Host
from vfiod.model import Phase

MAX_DELAY = 3600
MAX_TRIAL = 86400
_BETWEEN = (Phase.HANDOFF, Phase.PREPARED)


class GuestCalls:
    """One method for each of the bus's, called in the main loop."""

    def __init__(
        self,
        host: Host,
        authority: Authority,
        starts: Starts,
        load: Callable[[], Config],
        phase: Callable[[], tuple[Phase, str]],
        report: Report,
        force_off: Callable[[str], "Future[None]"],
    ) -> None:
        """``force_off`` ends the guest's QEMU where libvirt does not."""
        self._host, self._authority, self._starts = host, authority, starts
        self._load, self._phase, self._report = load, phase, report
        self._by_signals = force_off
        self._looking: tuple[tuple[Phase, str], Future[str]] | None = None
        self._considering = OneEach("asked for a start, which is being looked at")
        self._methods = {
            "ListGuests": self._list, "StartGuest": self._start, "CancelStart": self._cancel,
            "ShutdownGuest": self._shut_down, "ForceOff": self._force_off, "Keep": self._keep,
        }  # fmt: skip

    def __contains__(self, method: str) -> bool:
        return method in self._methods

    def call(self, sender: str, method: str, values: Sequence[Any], invocation: Any) -> None:
        """Raises VfiodError, or answers now or later."""
        self._methods[method](sender, values, invocation)

    # Looking

    def _list(self, _sender: str, _values: Sequence[Any], invocation: Any) -> None:
        when_done(invocation, self._look(), lambda text: answer(invocation, "s", text))

    def _look(self) -> "Future[str]":
        """All who ask at the same time get one answer: it takes a process, and anybody may ask."""
        now = self._phase()
        if self._looking is not None:
            then, looking = self._looking
            if then == now and not looking.done():
                return looking
        looking = begin(lambda: self._read(*now))
        self._looking = now, looking
        return looking

    def _read(self, phase: Phase, guest: str) -> str:
        if phase in _BETWEEN:
            # libvirt waits for vfiod and answers nobody.
            names = list(self._load().guests)
            return readiness.not_asked(names, f"{guest} is being started")
        text = self._host.commands.look()
        until = self._host.commands.trial_until(guest) if guest else 0
        return readiness.with_trial(text, guest, until)

    # Starting

    def _start(self, sender: str, values: Sequence[Any], invocation: Any) -> None:
        name, seconds = self._configured(values[0]), values[1]
        if seconds > MAX_DELAY:
            raise _refused(f"a countdown has at most {MAX_DELAY} seconds")
        require_host_has_them(self._phase(), name)
        self._starts.require_free()
        uid, looking = self._authority.uid_of(sender), self._look()

        def look() -> tuple[GuestFacts, str]:
            facts = find(readiness.load(looking.result()), name)
            facts.require_ready()
            return facts, self._host.logins.user_name(uid)

        def looked(found: tuple[GuestFacts, str]) -> None:
            facts, user = found
            action = rights.to_start(facts.people, user)
            wish = Wish(name, uid, user, spares_others=action is rights.START and uid != 0)
            whose = ", ".join(person.user for person in facts.people)
            self._if_allowed(
                sender, action, invocation, lambda: self._begin(wish, seconds, invocation),
                guest=name, people=whose,
            )  # fmt: skip

        when_done(invocation, self._considering.begin(uid, look), looked)

    def _begin(self, wish: Wish, seconds: int, invocation: Any) -> None:
        self._starts.begin(wish, seconds)
        when = f"in {seconds} s" if seconds else "now"
        self._say(wish.guest, f"{wish.guest} starts {when}, as {wish.user} asked")
        answer(invocation)

    def _cancel(self, sender: str, _values: Sequence[Any], invocation: Any) -> None:
        countdown = self._starts.require_countdown()
        wish, uid = countdown.wish, self._authority.uid_of(sender)

        def do() -> None:
            self._cancelled(countdown, uid, invocation)

        if uid == wish.uid:
            do()
        else:
            details = {"guest": wish.guest, "user": wish.user}
            self._if_allowed(sender, rights.CANCEL, invocation, do, **details)

    def _cancelled(self, countdown: Countdown, uid: int, invocation: Any) -> None:
        wish = countdown.wish
        if self._starts.require_countdown() is not countdown:
            raise Busy(f"{wish.guest} is not about to start any more")
        who = wish.user if uid == wish.uid else f"user {uid}"
        self._starts.cancel(f"{wish.guest} was not started: {who} cancelled it")
        answer(invocation)

    # Ending and keeping

    def _shut_down(self, sender: str, values: Sequence[Any], invocation: Any) -> None:
        name, force = self._configured(values[0]), values[1]

        def do() -> None:
            self._say(name, f"{name} is {'forced off' if force else 'asked to shut down'}")
            task = self._destroy if force else self._host.commands.shut_down
            when_done(invocation, begin(lambda: task(name)))

        self._if_allowed(sender, rights.SHUTDOWN, invocation, do, guest=name)

    def _destroy(self, name: str) -> None:
        """In a thread: by libvirt, or without it where that does not."""
        try:
            self._host.commands.destroy(name)
        except HostError as error:
            try:
                self._by_signals(name).result()
            except Refused:
                raise error from None

    def _force_off(self, sender: str, values: Sequence[Any], invocation: Any) -> None:
        """The configuration may be broken by now: who has the devices is known without it."""
        name = values[0]
        if name != self._phase()[1]:
            raise _refused(f"{name[:60]!r} has not the devices, so there is nothing to end")

        def do() -> None:
            self._say(name, f"{name} is forced off, without libvirt")
            when_done(invocation, self._by_signals(name))

        self._if_allowed(sender, rights.SHUTDOWN, invocation, do, guest=name)

    def _keep(self, sender: str, values: Sequence[Any], invocation: Any) -> None:
        name, seconds = self._configured(values[0]), values[1]
        if seconds > MAX_TRIAL:
            raise _refused(f"a trial has at most {MAX_TRIAL} seconds")
        if name != self._phase()[1]:
            raise _refused(f"{name} has not the devices, so it is not on trial")

        def do() -> None:
            when_done(invocation, begin(lambda: self._host.commands.keep(name, seconds)))

        self._if_allowed(sender, rights.KEEP, invocation, do, guest=name)

    # What all have in common

    def _configured(self, name: str) -> str:
        guests = self._load().guests
        if name not in guests:
            raise unknown_guest(name, ", ".join(guests))
        return name

    def _if_allowed(
        self,
        sender: str,
        action: Action,
        invocation: Any,
        then: Callable[[], None],
        **details: str,
    ) -> None:
        def allowed() -> None:
            with answered(invocation):
                then()

        self._authority.ask(
            sender, action, allowed, lambda error: refuse_with(invocation, error), details
        )

    def _say(self, guest: str, text: str) -> None:
        self._report(Event(Kind.ASKED, text, {"GUEST": guest}))


def _refused(text: str) -> Refused:
    return Refused([VfiodError(text)], heading="nothing was done")
