"""vfiod goodbye: what the service has asked of a person, by a process that runs as they."""

import argparse
import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ANNOUNCE, LOG_OUT = "announce", "log-out"
_NOT_NOW = "not-now"


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "goodbye",
        help="run by the service as the person whose desktop is to end",
        description="Tell a person that a guest is about to take the screen, or have their desktop "
        "log out, for the service; answers in JSON.",
    )
    verb.add_argument("what", choices=(ANNOUNCE, LOG_OUT))
    verb.add_argument("session", metavar="SESSION", help="logind's name of the session")
    verb.add_argument("seconds", metavar="SECONDS", type=float, help="how long it may take")
    verb.add_argument("guest", metavar="GUEST", nargs="?", default="", help="who is to start")
    verb.add_argument(
        "--settle",
        metavar="SECONDS",
        type=float,
        default=0.0,
        help="how long a desktop that cannot be asked may turn out to be ending",
    )
    verb.set_defaults(run=run, wrong=verb.error)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print the answer. Told to end meanwhile it takes back what it has begun."""
    from vfiod.host.goodbye import encode
    from vfiod.tools.goodbye import surroundings

    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", arguments.session):
        arguments.wrong("not the name of a session")
    told = _listen()
    around = surroundings.read(arguments.session, _runtime())
    # Gio looks for the bus here (g_bus_get_sync()).
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = around.bus
    if arguments.what == ANNOUNCE:
        answer = _announce(arguments.guest, arguments.seconds, told)
    else:
        answer = _log_out(arguments, around, told)
    if told():
        return 1  # nobody's answer
    print(encode(answer))
    return 0


def _listen() -> Callable[[], bool]:
    """Whether SIGTERM has come, which systemd sends whom it ends (systemd.kill(5))."""
    come: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: come.append(number))
    return lambda: bool(come)


def _log_out(arguments: argparse.Namespace, around: Any, told: Callable[[], bool]) -> Any:
    from vfiod.tools.goodbye import farewell

    seconds = max(1.0, arguments.seconds - _age())
    tell = partial(_tell, arguments.guest)
    # The service gives it that where a desktop that has not ended by itself is left alone.
    settle = arguments.settle
    desktop = farewell.find(around, seconds=seconds, tell=tell, must_ask=settle > 0)
    ended = farewell.session_state(arguments.session)
    return farewell.log_out(desktop, ended, seconds=seconds, settle=settle, told=told)


def _age() -> float:
    """How long this program has been there: on a slow PC its start takes much of the time."""
    import psutil

    return max(0.0, time.time() - float(psutil.Process().create_time()))


def _runtime() -> Path:
    return Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")


def _tell(guest: str, what: Sequence[str], declined: Callable[[], None]) -> Callable[[], None]:
    """A notification of what keeps the desktop from logging out; what is returned ends it."""
    from vfiod.cli import notifications
    from vfiod.cli.asking import plain
    from vfiod.errors import HostError

    def pressed(key: str) -> None:
        if key == _NOT_NOW:
            declined()

    shown = notifications.find()
    if shown is None:
        return lambda: None
    try:
        return shown.put(
            f"Save and close what is open: {guest or 'a guest'} is waiting",
            plain(f"Your desktop cannot log out yet: {', '.join(what)}"),
            {_NOT_NOW: "Not now"} if shown.has_actions else {},
            pressed,
        )
    except HostError:
        return lambda: None


def _announce(guest: str, seconds: float, told: Callable[[], bool]) -> Any:
    """The notification stays as long, even if it is only closed; "Not now" ends it at once."""
    from vfiod.cli import notifications
    from vfiod.errors import HostError
    from vfiod.host.goodbye import Answer, Outcome
    from vfiod.tools.goodbye import farewell

    shown = notifications.find()
    if shown is None:
        return Answer(Outcome.NOBODY)
    deadline, pressed = time.monotonic() + seconds, list[str]()
    try:
        take_off = shown.put(
            f"{guest or 'A guest'} is about to take the screen",
            f"In {seconds:g} seconds your desktop is asked to log out. Save your work.",
            {_NOT_NOW: "Not now"} if shown.has_actions else {},
            pressed.append,
        )
    except HostError:
        return Answer(Outcome.NOBODY)

    def declined() -> Outcome | None:
        return Outcome.DECLINED if _NOT_NOW in pressed else None

    found = farewell.until(declined, deadline, told)
    take_off()
    return Answer(found or Outcome.DONE)
