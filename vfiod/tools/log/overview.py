"""All starts of the page in one table, each with a link to its story."""

from collections.abc import Iterator, Sequence
from typing import Any

from lxml.html.builder import CLASS, E

from vfiod.model import Direction
from vfiod.tools.log import format
from vfiod.tools.log.story import Outcome, Story

_HEADS = ("When", "What became of it", "There", "With the guest", "Back")


def table(numbered: Sequence[tuple[int, Story]]) -> Any:
    """A row for each story; its number is that of the article it points at."""
    return E.table(
        CLASS("overview"),
        E.thead(E.tr(*(E.th(head, scope="col") for head in _HEADS))),
        E.tbody(*(_row(number, story) for number, story in numbered)),
    )


def _row(number: int, story: Story) -> Any:
    link = E.a(format.date(story), href=f"#start-{number}")
    cells = zip(_HEADS[2:], _times(story), strict=True)
    return E.tr(
        CLASS(story.outcome.value),
        E.td(link),
        E.td(CLASS("outcome"), format.head(story)),
        *(E.td(CLASS("time"), time, {"data-head": head}) for head, time in cells),
    )


def _times(story: Story) -> Iterator[str]:
    """There, with the guest, back; empty for what it did not come to."""
    refused = story.outcome is Outcome.REFUSED
    yield "" if refused else format.total(story, Direction.HANDOFF)
    yield format.held(story.held) if story.held is not None else ""
    yield format.total(story, Direction.RETURN)
