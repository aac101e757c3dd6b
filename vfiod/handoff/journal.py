"""What to undo, on disk before it is done: the one memory that outlives a daemon.

Owner: the manager's worker begins, fills and clears it; the bus may mark a return in it, the
status reader and the hook's grep only read. It lives in /run from before the first effect of a
handoff until its last undo: a reboot undoes both, and no journal means that the host has all.

One JSON file, replaced whole at every change, so that a reader sees the state before or after and
none in between. It says for which guest, how far it has come, and the entries: each step with what
its undo must restore. Who owns a device is never written here: the driver links say that.

What must never happen: an effect that is not in it; an entry that is struck out before its undo
was seen to work; a name of a kind or field that changes, since an upgrade comes under running
guests and the new daemon undoes what the old one wrote (a new field has a default).
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from vfiod.config.schema import Limits
from vfiod.errors import Awaited, HostError, Stuck
from vfiod.handoff import damaged
from vfiod.handoff.steps.base import NOTHING, Prior, Step
from vfiod.handoff.steps.codec import decode, encode
from vfiod.handoff.steps.devices import Detach
from vfiod.handoff.steps.libvirt import AwaitLibvirt
from vfiod.model import PciAddress, Phase
from vfiod.util.files import remove_file, replace_file

VERSION = 1
# A field that was called otherwise when journals were written that are read yet.
_ON_DISK = {"may_suspend": "may_sleep"}
RETURNED = "returned.json"  # beside it: what was given back, until it was looked at once more
ALONE = -1  # a stage that no other entry has
_BEFORE_THE_RETURN = frozenset({Phase.PREPARED.value, Phase.GUEST.value})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A step that was begun, and what undo must restore.

    Only entries of one ``stage`` may be undone side by side, whatever was undone before.
    """

    step: Step
    prior: Prior
    stage: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """The whole of a handoff under way. ``since`` is in seconds since boot.

    ``may_suspend`` and ``may_reboot``: the last resorts that the configuration allowed, for a
    display that does not come back.

    ``faults`` is what got stuck, in words. ``awaits``: something was late then that may end by
    itself; ``units``: those of systemd among it. ``display_lost``: a display is what got stuck.

    ``returning``: what the return is to bring home, also what of it is home already. ``seen``: the
    guest's QEMU was seen to have the devices open.
    """

    transaction: str
    guest: str
    uuid: str
    devices: tuple[PciAddress, ...]
    groups: tuple[int, ...]
    phase: Phase
    since: float
    entries: tuple[Entry, ...] = ()
    faults: tuple[str, ...] = ()
    may_suspend: bool = False
    may_reboot: bool = False
    awaits: bool = False
    units: tuple[str, ...] = ()
    display_lost: bool = False
    returning: tuple[Entry, ...] = ()
    seen: bool = False

    def got_stuck(self, stuck: Stuck) -> Self:
        """With what got stuck, for the daemon that goes on with it."""
        return replace(
            self,
            phase=Phase.STUCK,
            faults=(str(stuck),),
            awaits=bool(stuck.awaits),
            units=tuple(sorted(stuck.units)),
            display_lost=stuck.display_lost,
        )

    @property
    def stuck(self) -> Stuck:
        """What got stuck, as far as another daemon can know."""
        awaits = [Awaited("a unit was late", units=self.units)] if self.units else []
        return Stuck("\n".join(self.faults), display_lost=self.display_lost, awaits=awaits)

    def to_json(self) -> str:
        """One line: indenting would take Python's own encoder, at every step."""
        names = ((f.name, _ON_DISK.get(f.name, f.name)) for f in fields(self))
        value = {disk: getattr(self, name) for name, disk in names} | {
            "version": VERSION,
            "phase": self.phase.value,
            "devices": [str(address) for address in self.devices],
            "entries": [_to_value(entry) for entry in self.entries],
            "returning": [_to_value(entry) for entry in self.returning],
        }
        return json.dumps(value, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises HostError if the text is not a journal of this version."""
        with _checked():
            return cls._from_value(json.loads(text))

    @classmethod
    def _from_value(cls, value: dict[str, Any]) -> Self:
        if value.pop("version") != VERSION:
            raise ValueError("it was written by another version of vfiod")
        # A package before stages may have written it and been upgraded under the guest: one each.
        entries = _from_values(value.pop("entries"))
        if value["phase"] in _BEFORE_THE_RETURN:
            entries = _with_wait(entries, value["uuid"])
        return cls(
            devices=tuple(PciAddress.parse(text) for text in value.pop("devices")),
            groups=tuple(value.pop("groups")),
            phase=Phase(value.pop("phase")),
            faults=tuple(value.pop("faults")),
            units=tuple(value.pop("units", ())),
            entries=entries,
            returning=_from_values(value.pop("returning", ())),
            may_suspend=value.pop("may_sleep", False),
            **value,
        )


def _from_values(values: Sequence[dict[str, Any]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(decode(e["step"]), e["prior"], e.get("stage", number))
        for number, e in enumerate(values)
    )


def _with_wait(entries: tuple[Entry, ...], uuid: str) -> tuple[Entry, ...]:
    """With the wait for libvirt, which a package before it did not write: see AwaitLibvirt."""
    detached = [number for number, e in enumerate(entries) if isinstance(e.step, Detach)]
    if not detached or any(isinstance(e.step, AwaitLibvirt) for e in entries):
        return entries
    place = detached[-1] + 1
    wait = Entry(AwaitLibvirt(uuid, Limits().libvirt), NOTHING, ALONE)
    return (*entries[:place], wait, *entries[place:])


def _with_entry(text: str, entry: Entry) -> str:
    """The journal with one more entry, the others as they are: half the time of a Record's way."""
    with _checked():
        value = json.loads(text)
        value["entries"].append(_to_value(entry))
        return json.dumps(value, ensure_ascii=False)


def _to_value(entry: Entry) -> dict[str, Any]:
    return {"step": encode(entry.step), "prior": dict(entry.prior), "stage": entry.stage}


@contextmanager
def _checked() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HostError(f"the journal cannot be read: {error}") from error


class Journal:
    """The journal's file. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def beside(self, name: str) -> "Journal":
        """Another one in the same folder."""
        return Journal(self._path.with_name(name))

    def read(self) -> Record | None:
        """The handoff under way, or None. Raises HostError if the file cannot be understood."""
        return self._read(Record.from_json)

    def begin(self, record: Record) -> None:
        """Open the journal of a new handoff."""
        with self._lock:
            self._write(record.to_json())

    def update(self, change: Callable[[Record], Record]) -> Record | None:
        """Replace the record by what ``change`` makes of it; None if there is none."""
        with self._lock:
            record = self.read()
            if record is not None:
                record = change(record)
                self._write(record.to_json())
            return record

    def push(self, entry: Entry) -> None:
        """Write down a step before it is done. Raises HostError also if there is no journal."""
        with self._lock:
            text = self._read(lambda text: _with_entry(text, entry))
            if text is None:
                raise self.gone()
            self._write(text)

    def remove(self, entry: Entry) -> None:
        """Strike out a step that was undone."""

        def without(record: Record) -> Record:
            return replace(record, entries=tuple(e for e in record.entries if e != entry))

        self.update(without)

    def gone(self) -> HostError:
        """The error of a handoff under way whose journal somebody has removed."""
        return HostError(f"{self._path} was removed while a handoff was under way")

    def clear(self) -> None:
        """The handoff is over and everything was given back. Raises HostError."""
        with self._lock:
            try:
                remove_file(self._path)
            except OSError as error:
                raise HostError(f"cannot remove {self._path}: {error.strerror}") from error

    def _read(self, understand: Callable[[str], T]) -> T | None:
        text = ""
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
            return understand(text)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HostError(f"cannot read {self._path}: {error.strerror}") from error
        except HostError as error:
            raise HostError(f"{self._path}: {error.message}", damaged.remedy(text)) from error

    def _write(self, text: str) -> None:
        try:
            replace_file(self._path, text.encode(), mode=0o644)
        except OSError as error:
            raise HostError(f"cannot write {self._path}: {error.strerror}") from error
