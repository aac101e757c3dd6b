"""What the manager tells: each event has what its text in the message catalog is about.

sd_journal_get_catalog(3) puts the name of a field that an entry has not in its place.
"""

import re
from pathlib import Path

import pytest

from vfiod.events import Event
from vfiod.host.linux.log import to_fields

CATALOG = Path(__file__).parents[2] / "systemd" / "vfiod.catalog"


def _texts() -> dict[str, str]:
    parts = re.split(r"^-- (\w+)\n", CATALOG.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


TEXTS = _texts()


class Told(list[Event]):
    """A list of events that takes no other."""

    def append(self, event: Event) -> None:
        text = TEXTS.get(event.kind.value, "")
        if lacking := set(re.findall(r"@(\w+)@", text)) - to_fields(event).keys():
            pytest.fail(f"{event.kind.name} without {', '.join(lacking)}: {event.message}")
        super().append(event)
