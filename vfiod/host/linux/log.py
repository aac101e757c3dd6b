"""Events into the system journal, with their MESSAGE_ID and fields.

A journald that does not take them (its disk hangs, it is stopped) costs messages, never a return:
what does not go through is dropped, counted, and told of once it goes again.
"""

from threading import Lock

from vfiod.events import Event, Kind
from vfiod.util.journald import Journald, encode


class Log:
    """Where events go. May be used from any thread."""

    def __init__(self, journald: Journald) -> None:
        self._journald = journald
        self._lock = Lock()
        self._lost = 0

    def send(self, event: Event) -> None:
        """Waits once: after an entry that was not taken, not again before one is."""
        with self._lock:
            wait = not self._lost
            if self._lost and self._take(_missing(self._lost), wait=wait):
                self._lost = 0
            self._lost += not self._take(event, wait=wait)

    def _take(self, event: Event, *, wait: bool) -> bool:
        return self._journald.take(encode({**to_fields(event), **_CODE}), wait=wait)


def to_fields(event: Event) -> dict[str, str]:
    """The fields of the entry that an event becomes."""
    return {
        "MESSAGE": event.message,
        "MESSAGE_ID": event.kind.value,
        "PRIORITY": str(event.priority),
        "SYSLOG_IDENTIFIER": "vfiod",
        **{f"VFIOD_{name}": value for name, value in event.fields.items() if value},
    }


def _missing(entries: int) -> Event:
    text = (
        f"the system journal did not take {entries} message{'s' if entries > 1 else ''} of vfiod, "
        "which would stand here; how things are now: vfiod status"
    )
    return Event(Kind.REMARK, text)


_LOG = Log(Journald())


def send(event: Event) -> None:
    """Write one structured entry; ``journalctl -t vfiod`` shows it, with -x its catalog text."""
    _LOG.send(event)


# Who sends, as sd_journal_send(3) adds it (systemd.journal-fields(7)).
_CODE = {
    "CODE_FILE": send.__code__.co_filename,
    "CODE_LINE": str(send.__code__.co_firstlineno),
    "CODE_FUNC": send.__name__,
}
