"""What to undo, on disk before it is done, in /run: a reboot undoes both.

One JSON file, replaced atomically at every change. It also says which guest the handoff is for
and how far it has come; who owns a device is never written here, the driver links say that.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from vfiod.atomic import remove_file, replace_file
from vfiod.errors import HostError
from vfiod.model import PciAddress, Phase
from vfiod.steps.base import Prior, Step
from vfiod.steps.codec import decode, encode

VERSION = 1


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

    ``may_sleep`` and ``may_reboot``: the last resorts that the configuration allowed, for a
    display that does not come back.
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
    may_sleep: bool = False
    may_reboot: bool = False

    def to_json(self) -> str:
        """One line: indenting would take Python's own encoder, at every step."""
        value = asdict(replace(self, entries=()))
        value |= {
            "version": VERSION,
            "phase": self.phase.value,
            "devices": [str(address) for address in self.devices],
            "entries": [
                {"step": encode(e.step), "prior": dict(e.prior), "stage": e.stage}
                for e in self.entries
            ],
        }
        return json.dumps(value, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises HostError if the text is not a journal of this version."""
        try:
            return cls._from_value(json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise HostError(f"the journal cannot be read: {error}") from error

    @classmethod
    def _from_value(cls, value: dict[str, Any]) -> Self:
        if value.pop("version") != VERSION:
            raise ValueError("it was written by another version of vfiod")
        # A package before stages may have written it and been upgraded under the guest: one each.
        entries = tuple(
            Entry(decode(e["step"]), e["prior"], e.get("stage", number))
            for number, e in enumerate(value.pop("entries"))
        )
        return cls(
            devices=tuple(PciAddress.parse(text) for text in value.pop("devices")),
            groups=tuple(value.pop("groups")),
            phase=Phase(value.pop("phase")),
            faults=tuple(value.pop("faults")),
            entries=entries,
            **value,
        )


class Journal:
    """The journal's file. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def read(self) -> Record | None:
        """The handoff under way, or None. Raises HostError if the file cannot be understood."""
        try:
            return Record.from_json(self._path.read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HostError(f"cannot read {self._path}: {error.strerror}") from error
        except HostError as error:
            raise HostError(
                f"{self._path}: {error.message}",
                "reboot the host; or, if every device has its driver, remove that file and "
                "run: systemctl restart vfiod",
            ) from error

    def begin(self, record: Record) -> None:
        """Open the journal of a new handoff."""
        with self._lock:
            self._write(record)

    def update(self, change: Callable[[Record], Record]) -> Record | None:
        """Replace the record by what ``change`` makes of it; None if there is none."""
        with self._lock:
            record = self.read()
            if record is not None:
                record = change(record)
                self._write(record)
            return record

    def push(self, entry: Entry) -> None:
        """Write down a step before it is done."""
        self.update(lambda record: replace(record, entries=(*record.entries, entry)))

    def remove(self, entry: Entry) -> None:
        """Strike out a step that was undone."""

        def without(record: Record) -> Record:
            return replace(record, entries=tuple(e for e in record.entries if e != entry))

        self.update(without)

    def clear(self) -> None:
        """The handoff is over and everything was given back."""
        with self._lock:
            remove_file(self._path)

    def _write(self, record: Record) -> None:
        try:
            replace_file(self._path, record.to_json().encode(), mode=0o644)
        except OSError as error:
            raise HostError(f"cannot write {self._path}: {error.strerror}") from error
