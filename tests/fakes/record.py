"""The journal entries that the real manager sends on a FakeHost, as journald would store them."""

import itertools
import re
from collections.abc import Mapping

from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from tests.fakes.told import TEXTS, Told
from vfiod.events import Event
from vfiod.host.linux.log import to_fields
from vfiod.tools.log.entry import Entry, parse

BOOT = "b" * 32
# 2026-11-24 18:00 UTC; the model's clock begins at 1000 s after boot.
_BOOTED = 1_795_543_200 - 1000
_LAG = 0.25


class Recorder(Told):
    """Stands for a rig's list of events; keeps what the journal would of each."""

    def __init__(self, host: FakeHost) -> None:
        super().__init__()
        self.records: list[dict[str, str]] = []
        self._host = host
        self._numbers: dict[str, str] = {}
        self._effects = itertools.count(1)
        host.effects.barrier = self._take_time

    def append(self, event: Event) -> None:
        """journald notes when it was sent, and when it came to it itself: later, and no two at
        the same time.
        """
        super().append(event)
        fields = to_fields(event)
        if ident := fields.get("VFIOD_TRANSACTION"):
            number = self._numbers.setdefault(ident, f"{len(self._numbers) + 1:032x}")
            fields = {key: value.replace(ident, number) for key, value in fields.items()}
        now = self._host.clock.time
        came = now + _LAG + len(self.records) * 1e-6
        self.records.append(
            fields
            | {
                "_UID": "0",
                "_BOOT_ID": BOOT,
                "_SOURCE_REALTIME_TIMESTAMP": str(round((_BOOTED + now) * 1e6)),
                "__REALTIME_TIMESTAMP": str(round((_BOOTED + came) * 1e6)),
                "__MONOTONIC_TIMESTAMP": str(round(came * 1e6)),
            }
        )

    def _take_time(self, name: str) -> None:
        """Nothing on a real host is done at once."""
        if not name.startswith("journal"):
            self._host.clock.advance(0.02 + 0.07 * (next(self._effects) % 5))


def recorded(rig: Rig) -> Recorder:
    """Make a rig tell a recorder from now on."""
    tape = Recorder(rig.host)
    rig.events = tape
    rig.boot()
    return tape


def entries(records: list[dict[str, str]]) -> list[Entry]:
    """The records as the reader gives them, with the catalog's text where the reader has it."""
    found = [parse(record, explanation(record)) for record in records]
    return [entry for entry in found if entry is not None]


def explanation(record: Mapping[str, str]) -> str:
    """The catalog's entry with the fields put in, as sd_journal_get_catalog(3) gives it."""
    text = TEXTS.get(record["MESSAGE_ID"], "")
    return re.sub(r"@(\w+)@", lambda m: record.get(m[1], ""), text)


def export(records: list[dict[str, str]]) -> bytes:
    """Journal export format (systemd.io/JOURNAL_EXPORT_FORMATS): an empty line ends each; a value
    of several lines goes by its length.
    """
    return b"".join(b"".join(_field(*item) for item in r.items()) + b"\n" for r in records)


def _field(name: str, value: str) -> bytes:
    data = value.encode()
    if b"\n" not in data:
        return f"{name}={value}\n".encode()
    return b"%s\n%s%s\n" % (name.encode(), len(data).to_bytes(8, "little"), data)
