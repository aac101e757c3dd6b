"""Entry: one message of vfiod in the system journal, parsed where it comes in. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vfiod.events import Kind
from vfiod.model import Direction

_KINDS = {kind.value: kind for kind in Kind}
_DIRECTIONS = {direction.value: direction for direction in Direction}
_HEADER = re.compile(r"(?:[A-Z][A-Za-z-]*: .*\n)+\n?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message. All text is safe to print; what the entry does not have is empty or None.

    ``when`` is the wall clock at its sending, ``began`` seconds since the boot ``boot``,
    ``explanation`` its text in the message catalog.
    """

    kind: Kind
    when: datetime
    boot: str
    message: str
    guest: str = ""
    transaction: str = ""
    step: str = ""
    device: str = ""
    direction: Direction | None = None
    began: float | None = None
    seconds: float | None = None
    explanation: str = ""

    @property
    def ended(self) -> float | None:
        """Seconds since boot at its end, if it took time."""
        return None if self.began is None or self.seconds is None else self.began + self.seconds


def parse(fields: Mapping[str, object], explanation: str = "") -> Entry | None:
    """An entry from its fields (systemd.journal-fields(7)); None for what no story tells.

    Arguments: ``fields`` as text, times as microseconds; ``explanation`` as the catalog has it.
    """
    kind = _KINDS.get(_text(fields, "MESSAGE_ID"))
    if kind is None:
        return None
    # The time of sending, if journald knows it: that of arrival lags on a busy machine.
    sent = _number(fields, "_SOURCE_REALTIME_TIMESTAMP")
    when = sent if sent is not None else _number(fields, "__REALTIME_TIMESTAMP")
    return Entry(
        kind=kind,
        when=datetime.fromtimestamp(when or 0, UTC),
        boot=_text(fields, "_BOOT_ID"),
        message=_text(fields, "MESSAGE", keep="\n"),
        guest=_text(fields, "VFIOD_GUEST"),
        transaction=_text(fields, "VFIOD_TRANSACTION"),
        step=_text(fields, "VFIOD_STEP"),
        device=_text(fields, "VFIOD_DEVICE"),
        direction=_DIRECTIONS.get(_text(fields, "VFIOD_DIRECTION")),
        began=_number(fields, "VFIOD_BEGAN_USEC"),
        seconds=_number(fields, "VFIOD_DURATION_USEC"),
        explanation=printable(_HEADER.sub("", explanation, count=1).strip("\n"), keep="\n"),
    )


def printable(text: str, *, keep: str = "") -> str:
    """The text with every control and formatting character written as its code.

    Guests and programs choose their names: none may move the cursor of who reads about them.
    """
    return "".join(c if c.isprintable() or c in keep else _code(c) for c in text)


def _code(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _text(fields: Mapping[str, object], name: str, *, keep: str = "") -> str:
    """A field as text. journald gives a list if an entry has the field more than once."""
    value = fields.get(name, "")
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    return printable(str(value), keep=keep)


def _number(fields: Mapping[str, object], name: str) -> float | None:
    """A field of microseconds, in seconds."""
    text = _text(fields, name)
    return int(text) / 1e6 if re.fullmatch(r"[0-9]{1,18}", text) else None
