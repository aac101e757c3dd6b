"""The whole of a logout: find whom to ask, ask, and wait until the desktop has ended."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from gi.repository import GLib

from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.errors import HostError
from vfiod.host.goodbye import Answer, Outcome
from vfiod.tools.goodbye import compositors, managers, surroundings, windowsfirst
from vfiod.tools.goodbye.desktop import Desktop
from vfiod.tools.goodbye.manager import Tell, tell_nobody
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.tools.goodbye.windows import Windows

_LOGIN1 = "org.freedesktop.login1"
_PATH = "/org/freedesktop/login1"
_LOOK_MS = 200
# Of the time, for the last questions.
_SPARE = 1.0

Ended = Callable[[], bool]
Told = Callable[[], bool]
Look = Callable[[], Outcome | None]


def never() -> bool:
    """Nobody ends it before its time."""
    return False


def find(
    around: Surroundings, *, seconds: float, tell: Tell = tell_nobody, must_ask: bool = False
) -> Desktop | None:
    """Whom to ask on this desktop: a session manager if there is one, else the compositor.

    ``must_ask``: one that would end without asking any program is nobody to ask.
    """
    with suppress(HostError):
        if found := managers.find(Bus(of_session=True), seconds=seconds, tell=tell):
            return windowsfirst.of(found, around, must_ask=must_ask)
    compositor = compositors.of(around)
    return Windows(compositor, surroundings.watch(around.pid)) if compositor else None


def log_out(
    desktop: Desktop | None,
    session_ended: Ended,
    *,
    seconds: float,
    settle: float = 0.0,
    told: Told = never,
) -> Answer:
    """Ask it, and say what became of it within the time. ``session_ended`` is logind's word.

    ``settle``: for how much of the time one that cannot be asked, or says no, may turn out to be
    ending: who logs out by themselves leaves their session manager first and logind last. What the
    desktop has not done at the end it is told not to do any more. ``told``: that the end is now.
    """
    deadline = time.monotonic() + max(_SPARE, seconds - _SPARE)
    if desktop is None or session_ended():
        found = until(
            partial(_ended, None, session_ended), min(time.monotonic() + settle, deadline), told
        )
        return Answer(found or Outcome.NOBODY)
    ended = partial(_ended, desktop, session_ended)
    answer = _ask(desktop, ended, min(deadline, time.monotonic() + desktop.patience), told)
    if answer.outcome is Outcome.FAILED:
        found = until(ended, min(time.monotonic() + settle, deadline), told)
        answer = Answer(found) if found else answer
    if answer.outcome is not Outcome.DONE:
        desktop.withdraw()
    return answer


def _ask(desktop: Desktop, ended: Look, deadline: float, told: Told) -> Answer:
    if told():
        return Answer(Outcome.UNANSWERED)
    try:
        desktop.begin()
    except HostError as error:
        return Answer(Outcome.FAILED, (error.message,))
    outcome = until(partial(_decided, desktop, ended), deadline, told) or Outcome.UNANSWERED
    has_reasons = outcome in (Outcome.UNANSWERED, Outcome.FAILED) and not told()
    return Answer(outcome, tuple(desktop.waits_for()) if has_reasons else ())


def _ended(desktop: Desktop | None, session_ended: Ended) -> Outcome | None:
    has_ended = session_ended() or (desktop is not None and desktop.look())
    return Outcome.DONE if has_ended else None


def _decided(desktop: Desktop, ended: Look) -> Outcome | None:
    if found := ended():
        return found
    if desktop.was_cancelled():
        return Outcome.DECLINED
    return Outcome.FAILED if desktop.has_failed() else None


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


def until(look: Look, deadline: float, told: Told) -> Outcome | None:
    """Let signals of the bus come in until there is an outcome, the time is over, or told so."""
    context = GLib.MainContext.default()
    tick = GLib.timeout_add(_LOOK_MS, lambda: True)
    found: Outcome | None = None
    try:
        while not told() and (found := look()) is None and time.monotonic() < deadline:
            context.iteration(True)  # noqa: FBT003
        return found
    finally:
        GLib.source_remove(tick)
