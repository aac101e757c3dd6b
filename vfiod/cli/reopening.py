"""vfiod reopen at a login: once, after a question if one is wanted, and alone."""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from vfiod.cli.asking import plain
from vfiod.cli.telling import find_desktop
from vfiod.config.schema import Reopen
from vfiod.errors import HostError
from vfiod.tools.reopen.look import environment_of_desktop, has_display, see
from vfiod.tools.reopen.record import Place
from vfiod.tools.reopen.session import Missing, missing, open_again, wait_until_quiet

_PATIENCE = 600
_SHOWN = 6
_YES, _NO = "reopen", "no"


def at_login(own: Mapping[str, str]) -> list[HostError]:
    """Open again what waits, as its record says; what went wrong.

    What nobody can be asked about waits on, and so does all where there is no display; whatever
    else becomes of it, it is not offered again.
    """
    environment = environment_of_desktop(own)
    if not has_display(environment):
        return []
    with _alone(environment) as alone:
        place = Place(environment)
        record = place.read() if alone else None
        if record is None:
            return []
        wanted = missing(record, wait_until_quiet(environment))
        answer = not wanted.applications or record.how is Reopen.ALWAYS or _ask(wanted)
        if answer is None or not place.take() or not answer:
            return []
        # The answer may have taken its time.
        return open_again(missing(record, see(environment)), environment)


@contextmanager
def _alone(environment: Mapping[str, str]) -> Iterator[bool]:
    """A desktop may start this twice: by the user's manager and by its autostart."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    path = Path(runtime) / "vfiod-reopen.lock" if runtime else Path(os.devnull)
    with path.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _ask(wanted: Missing) -> bool | None:
    """Whether to open them; None if nobody can be asked here."""
    desktop = find_desktop()
    if desktop is None:
        return None
    summary, body = question(wanted.names)
    if not desktop.has_actions:
        with suppress(HostError):
            desktop.show(summary, f"{body}\nTo open them: vfiod reopen", urgent=True)
        return False
    buttons = {_YES: summary, _NO: "Not now"}
    try:
        return desktop.ask(summary, body, buttons, seconds=_PATIENCE, urgent=True) == _YES
    except HostError:
        return None


def question(names: Sequence[str]) -> tuple[str, str]:
    """Summary and body of the notification."""
    what = names[0] if len(names) == 1 else f"{len(names)} applications"
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    listed = ", ".join([*names[:_SHOWN], *more])
    return plain(f"Reopen {what}"), plain(f"Open when a guest took the screen: {listed}.")
