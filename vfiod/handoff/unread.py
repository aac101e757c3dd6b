"""A journal that cannot be read for a moment, for want of descriptors or memory, is read later."""

from collections.abc import Callable
from functools import partial

from vfiod.errors import HostError
from vfiod.events import Event, Kind, Report
from vfiod.handoff.watcher import Submit, Watcher

LOOK_AGAIN_SECONDS = 60.0
# A journal that is damaged will never be read: that is for a person.
TRIES = 10


def read_later(
    error: HostError,
    tries: int,
    task: Callable[[int], None],
    report: Report,
    watcher: Watcher,
    submit: Submit,
) -> None:
    """Tell it once, and have ``task`` tried again with one try less, as long as there are any."""
    if tries == TRIES:
        text = f"what is to be done cannot be known: {error}"
        report(Event(Kind.STUCK, text, {"GUEST": ""}))
    if tries:
        watcher.after(LOOK_AGAIN_SECONDS, partial(submit, task, tries - 1))
