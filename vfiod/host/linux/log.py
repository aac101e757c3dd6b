"""Events into the system journal, with their MESSAGE_ID and fields (sd_journal_send(3))."""

from systemd import journal  # type: ignore[attr-defined]
from vfiod.events import Event


def send(event: Event) -> None:
    """Write one structured entry; ``journalctl -t vfiod`` shows it, with -x its catalog text."""
    fields = to_fields(event)
    journal.send(fields.pop("MESSAGE"), **fields)


def to_fields(event: Event) -> dict[str, str]:
    """The fields of the entry that an event becomes."""
    return {
        "MESSAGE": event.message,
        "MESSAGE_ID": event.kind.value,
        "PRIORITY": str(event.priority),
        "SYSLOG_IDENTIFIER": "vfiod",
        **{f"VFIOD_{name}": value for name, value in event.fields.items() if value},
    }
