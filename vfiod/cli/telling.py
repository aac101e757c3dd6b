"""Telling of the last start by a notification: once to each user, at their next login."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vfiod.cli import notifications
from vfiod.cli.asking import plain
from vfiod.util.files import replace_file
from vfiod.util.programs import finish

if TYPE_CHECKING:
    from vfiod.tools.log.notice import Notice
    from vfiod.tools.log.story import Story

# The desktop may still be on its way.
_WAIT_SECONDS, _PAUSE = 30, 1.0
_PATIENCE = 120
_OPEN_SECONDS = 30.0


def tell(stories: "Sequence[Story]") -> None:
    """Show it if it is new to this user, and the whole story if they ask for it."""
    from vfiod.tools.log.notice import notice_of

    notice = notice_of(stories, told=read_told())
    desktop = find_desktop() if notice else None
    if notice is None or desktop is None:
        return
    write_told(notice.transaction)
    if _wants_more(desktop, notice):
        story = next(story for story in stories if story.transaction == notice.transaction)
        _open_page(story)


def read_told() -> str:
    """The transaction that this user was told of last."""
    try:
        return _place().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def write_told(transaction: str) -> None:
    """Remember it. A home that cannot be written is told again at the next login."""
    with suppress(OSError):
        _place().parent.mkdir(parents=True, exist_ok=True)
        replace_file(_place(), f"{transaction}\n".encode(), mode=0o644)


def _place() -> Path:
    """XDG Base Directory Specification: state of one user."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if state.startswith("/") else Path.home() / ".local/state"
    return folder / "vfiod" / "told"


def find_desktop() -> notifications.Notifications | None:
    """The desktop's notifications, as soon as it shows any; None if it has not in half a minute."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while (found := notifications.find()) is None and time.monotonic() < deadline:
        if "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
            return None
        time.sleep(_PAUSE)
    return found


def _wants_more(desktop: notifications.Notifications, notice: "Notice") -> bool:
    summary, body = plain(notice.summary), plain(notice.body)
    if not desktop.has_actions:
        desktop.show(summary, f"{body}\nMore: sudo vfiod log --last", urgent=notice.urgent)
        return False
    buttons = {"default": "Show what happened", "log": "Show what happened"}
    chosen = desktop.ask(summary, body, buttons, seconds=_PATIENCE, urgent=notice.urgent)
    return bool(chosen)


def _open_page(story: "Story") -> None:
    from vfiod.cli.verbs.log import put_page

    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or Path.home())
    path = folder / "vfiod-last.html"
    put_page(path, [story], force=True)
    finish(["xdg-open", str(path)], seconds=_OPEN_SECONDS, environment=os.environ)
