"""Telling of the last start by a notification: once to each user, at their next login."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vfiod.cli import notifications
from vfiod.cli.asking import plain
from vfiod.errors import HostError, TimedOut
from vfiod.util import userstate
from vfiod.util.programs import find, leave_running

if TYPE_CHECKING:
    from vfiod.tools.log.notice import Notice
    from vfiod.tools.log.story import Story

# The desktop may still be on its way.
_WAIT_SECONDS, _PAUSE = 30, 1.0
_PATIENCE = 120
_OPEN_SECONDS = 30.0
_TOLD = "told"  # the transaction that this user was told of last
LEFT = "not-started"


def tell(stories: "Sequence[Story]") -> None:
    """Show it if it is new to this user, and the whole story if they ask for it."""
    from vfiod.tools.log.notice import notice_of

    notice = notice_of(stories, told=userstate.read(_TOLD))
    desktop = find_desktop() if notice else None
    if notice is None or desktop is None:
        return
    userstate.write(_TOLD, notice.transaction)
    if _wants_more(desktop, notice):
        story = next(story for story in stories if story.transaction == notice.transaction)
        _open_page(story)


def tell_left() -> None:
    """Show what could not be shown where it happened, e.g. at the login screen."""
    text = userstate.read(LEFT)
    desktop = find_desktop() if text else None
    if desktop is not None:
        desktop.show("vfiod", plain(text), urgent=True)
        userstate.write(LEFT, "")


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
    program = find("xdg-open")
    if program is None:
        raise HostError("xdg-open is not installed", f"the page is {path}")
    with suppress(TimedOut):  # the browser that it has begun, and stays with
        leave_running([program, str(path)], seconds=_OPEN_SECONDS, environment=os.environ)
