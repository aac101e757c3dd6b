"""The whole of a logout: find whom to ask, ask, and wait until the desktop has ended."""

import time
from collections.abc import Callable
from contextlib import suppress

from gi.repository import GLib

from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.errors import HostError
from vfiod.host.goodbye import Answer, Outcome
from vfiod.tools.goodbye import compositors, managers, surroundings
from vfiod.tools.goodbye.desktop import Desktop
from vfiod.tools.goodbye.manager import Tell, tell_nobody
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.tools.goodbye.windows import Windows
from vfiod.tools.goodbye.x11 import windows_first

_LOGIN1 = "org.freedesktop.login1"
_PATH = "/org/freedesktop/login1"
_LOOK_MS = 200
# Of the time, for the last questions.
_SPARE = 1.0

Ended = Callable[[], bool]


def find(around: Surroundings, *, seconds: float, tell: Tell = tell_nobody) -> Desktop | None:
    """Whom to ask on this desktop: a session manager if there is one, else the compositor."""
    with suppress(HostError):
        if found := managers.find(Bus(of_session=True), seconds=seconds, tell=tell):
            return windows_first(found, around)
    compositor = compositors.of(around)
    return Windows(compositor, surroundings.watch(around.pid)) if compositor else None


def log_out(desktop: Desktop | None, session_ended: Ended, *, seconds: float) -> Answer:
    """Ask it, and say what became of it within the time. ``session_ended`` is logind's word.

    What the desktop has not done by then it is told not to do any more.
    """
    if desktop is None or session_ended():
        return Answer(Outcome.NOBODY)
    answer = _ask(desktop, session_ended, min(max(_SPARE, seconds - _SPARE), desktop.patience))
    if answer.outcome is not Outcome.DONE:
        desktop.withdraw()
    return answer


def _ask(desktop: Desktop, session_ended: Ended, seconds: float) -> Answer:
    deadline = time.monotonic() + seconds
    try:
        desktop.begin()
    except HostError as error:
        return Answer(Outcome.UNANSWERED, (error.message,))
    outcome = [Outcome.UNANSWERED]

    def decided() -> bool:
        if session_ended() or desktop.look():
            outcome[0] = Outcome.DONE
        elif desktop.was_cancelled():
            outcome[0] = Outcome.DECLINED
        return outcome[0] is not Outcome.UNANSWERED or desktop.has_failed()

    _until(decided, deadline)
    left = desktop.waits_for() if outcome[0] is Outcome.UNANSWERED else ()
    return Answer(outcome[0], tuple(left))


def session_state(ident: str) -> Ended:
    """Whether logind has let a session go: what is left of it then has no desktop any more."""
    bus = Bus()

    def ended() -> bool:
        try:
            path = bus.call(_LOGIN1, _PATH, f"{_LOGIN1}.Manager.GetSession", "s", ident)[0]
            return bool(bus.get(_LOGIN1, path, f"{_LOGIN1}.Session.State") == "closing")
        except BusError as error:
            return error.name.endswith(("NoSuchSession", "UnknownObject"))
        except HostError:
            return False

    return ended


def _until(condition: Callable[[], bool], deadline: float) -> None:
    """Let signals of the bus come in until it holds, or the time is over."""
    context = GLib.MainContext.default()
    tick = GLib.timeout_add(_LOOK_MS, lambda: True)
    try:
        while not condition() and time.monotonic() < deadline:
            context.iteration(True)  # noqa: FBT003
    finally:
        GLib.source_remove(tick)
