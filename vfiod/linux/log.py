"""Events into the system journal, with their MESSAGE_ID and fields (sd_journal_send(3))."""

from systemd import journal  # type: ignore[attr-defined]
from vfiod.events import Event


def send(event: Event) -> None:
    """Write one structured entry; ``journalctl -t vfiod`` shows it, with -x its catalog text."""
    fields = {f"VFIOD_{name}": value for name, value in event.fields.items() if value}
    journal.send(
        event.message,
        MESSAGE_ID=event.kind.value,
        PRIORITY=str(event.priority),
        SYSLOG_IDENTIFIER="vfiod",
        **fields,
    )
