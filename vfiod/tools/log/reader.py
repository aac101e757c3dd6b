"""The door to the system journal: what vfiod wrote there, as entries, oldest first."""

import os
import select
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from systemd import id128, journal  # type: ignore[attr-defined]
from vfiod.errors import HostError, NotAuthorized, VfiodError
from vfiod.events import Kind
from vfiod.tools.log.entry import Entry, parse
from vfiod.util.programs import finish

_SECONDS = 30.0
_FOLDERS = ("var/log/journal", "run/log/journal")
_EXPLAINED = frozenset(
    {
        Kind.REFUSED,
        Kind.CONFIG_WRONG,
        Kind.STEP_FAILED,
        Kind.STUCK,
        Kind.START_TIMED_OUT,
        Kind.KERNEL_STUCK,
    }
)
_TIMES = ("_SOURCE_REALTIME_TIMESTAMP", "MESSAGE_ID", "_BOOT_ID")


class HistoryReader:
    """Reads what root's vfiod wrote; what another user signs with its name is not seen.

    Arguments: ``folder`` is a directory of journal files instead of this system's journal.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def entries(self, since: float | None = None) -> Iterator[Entry]:
        """All entries, or those from a time on (seconds since the epoch)."""
        with self._open() as source:
            if since is not None:
                source.seek_realtime(since)
            yield from _read(source)

    def follow(self) -> Iterator[Entry]:
        """Entries that come from now on; does not end."""
        source = self._open()
        source.seek_tail()
        # Only a step back fixes the place: sd_journal_next(3) from the tail itself would begin at
        # the first entry of a file that comes later, or (systemd 257) never find what comes. Where
        # nothing is yet, all that comes is new.
        if not source.get_previous():
            source.seek_head()
        return _wait_and_read(source)

    def _open(self) -> Any:
        # Text as it stands in the journal: entry.parse() is the one place that makes values of it.
        plain = dict.fromkeys(_TIMES, bytes.decode)
        if self._folder is None:
            require_readable()
            flags = journal.SYSTEM_ONLY | journal.LOCAL_ONLY
            source = journal.Reader(flags=flags, converters=plain)
        else:
            source = journal.Reader(path=str(self._folder), converters=plain)
        # journald adds the _UID of the sender itself (systemd.journal-fields(7)).
        source.add_match(SYSLOG_IDENTIFIER="vfiod", _UID="0")
        return source


def this_boot() -> str:
    """The ID of the boot under way, as _BOOT_ID has it."""
    return str(id128.get_boot().hex)


def require_readable(root: Path = Path("/")) -> None:
    """Raises NotAuthorized if this user may not read the system journal, HostError without one.

    journalctl(1): it is readable by root and the groups systemd-journal, adm and wheel.
    """
    files = [f for name in _FOLDERS for f in (root / name).glob("*/system.journal")]
    if not files:
        raise HostError(
            "this host keeps no system journal",
            "look at: systemctl status systemd-journald",
        )
    if not any(os.access(file, os.R_OK) for file in files):
        raise NotAuthorized(
            "you may not read the system journal, where vfiod tells what it does",
            "use: sudo vfiod log; or, for good: sudo usermod -aG systemd-journal $USER, "
            "and log in again",
        )


def parse_time(text: str) -> float:
    """Seconds since the epoch of a time as systemd.time(7) has it: 'yesterday', '2 hours ago'.

    Raises VfiodError if it is none.
    """
    zone = {name: os.environ[name] for name in ("TZ",) if name in os.environ}
    program = ["systemd-analyze", "timestamp", "--", text]
    done = finish(program, seconds=_SECONDS, environment=zone)
    for line in done.stdout.splitlines():
        name, _, value = line.partition(": @")
        if name.strip() == "UNIX seconds":
            return float(value)
    raise VfiodError(
        f"{text!r} is not a time",
        "write it as journalctl does: '2 hours ago', yesterday, '2026-11-24 18:00'",
    )


def _wait_and_read(source: Any) -> Iterator[Entry]:
    poll = select.poll()
    poll.register(source.fileno(), source.get_events())
    while True:
        yield from _read(source)
        poll.poll(source.get_timeout_ms())
        source.process()


def _read(source: Any) -> Iterator[Entry]:
    for fields in source:
        arrived = fields.get("__REALTIME_TIMESTAMP")
        if arrived is not None:
            fields["__REALTIME_TIMESTAMP"] = round(arrived.timestamp() * 1e6)
        entry = parse(fields)
        if entry is not None and entry.kind in _EXPLAINED:
            entry = parse(fields, _catalog(source))
        if entry is not None:
            yield entry


def _catalog(source: Any) -> str:
    """The catalog's text for the entry; empty if the catalog has none (journalctl(1), -x).

    systemd-python says KeyError for the ENOENT of sd_journal_get_catalog(3).
    """
    with suppress(OSError, KeyError):
        return str(source.get_catalog())
    return ""
