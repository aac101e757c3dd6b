"""Stories as one HTML page that needs nothing else: no network, no scripts.

lxml escapes all text; entry.printable() has taken out what it could not write.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from lxml import etree, html
from lxml.html.builder import CLASS, E

from vfiod.model import Direction
from vfiod.tools.log import format, overview
from vfiod.tools.log.entry import printable
from vfiod.tools.log.story import Outcome, Story
from vfiod.tools.log.style import STYLE
from vfiod.tools.log.way import Step, Way

_TICKS = 5
_WHOLE = 24  # characters of a word that fit on a phone
# Of a bar within its row, whose text may have several lines.
_TOP, _THICK = "0.4rem", "0.8rem"
# Nothing is fetched and nothing runs, whatever a name in the journal contains.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Place:
    """The PC that the page is about: its ``host`` name, and names of devices by their address."""

    host: str = ""
    devices: Mapping[str, str] = field(default_factory=dict)


def render(stories: Sequence[Story], place: Place = Place()) -> bytes:
    """The page: all starts in a table, then each in full, newest first.

    Starts that went well are folded, except for the only one.
    """
    numbered = list(enumerate(stories, 1))[::-1]
    page = E.html(
        E.head(
            E.meta(charset="utf-8"),
            E.meta({"http-equiv": "Content-Security-Policy", "content": _POLICY}),
            E.meta(name="viewport", content="width=device-width, initial-scale=1"),
            E.title(_title(place)),
            E.style(STYLE),
        ),
        E.body(
            E.h1(_title(place)),
            E.p(_summary(stories)),
            *([overview.table(numbered)] if len(stories) > 1 else []),
            *(_story(story, number, place, folded=_is_folded(story, stories))
              for number, story in numbered),
        ),
        lang="en",
    )  # fmt: skip
    text: bytes = html.tostring(page, doctype="<!DOCTYPE html>", encoding="utf-8")
    return text + b"\n"


def _title(place: Place) -> str:
    return f"Handoffs of vfiod on {printable(place.host)}" if place.host else "Handoffs of vfiod"


def _summary(stories: Sequence[Story]) -> str:
    number = "One start" if len(stories) == 1 else f"{len(stories)} starts"
    when = f"{format.date(stories[0])} to {format.date(stories[-1])}"
    return f"{number} of guests, {when}. Times are {format.zone(stories[-1])}."


def _is_folded(story: Story, stories: Sequence[Story]) -> bool:
    return story.outcome is Outcome.RETURNED and not story.problems and len(stories) > 1


def _story(story: Story, number: int, place: Place, *, folded: bool) -> Any:
    """What went wrong and what to do stand before what happened."""
    details = E.details(
        E.summary(E.h2(format.head(story)), E.p(format.date(story))),
        *(E.p(CLASS("problem"), problem) for problem in story.problems),
        *(E.pre(text) if is_command else E.p(text)
          for text, is_command in format.paragraphs(story.remedy)),
        *_devices(story, place),
        *_ways(story),
        *(E.p(CLASS("note"), f"vfiod was restarted: {note}") for note in story.notes),
    )  # fmt: skip
    if not folded:
        details.set("open", "")
    return E.article(CLASS(story.outcome.value), details, id=f"start-{number}")


def _devices(story: Story, place: Place) -> Iterator[Any]:
    """The names of its devices, as far as they are in this PC now."""
    addresses = {step.device for way in story.ways for step in way.steps}
    named = sorted(addresses & place.devices.keys())
    if named:
        rows = [(E.dt(address), E.dd(printable(place.devices[address]))) for address in named]
        yield E.dl(*(cell for row in rows for cell in row))


def _ways(story: Story) -> Iterator[Any]:
    for way in story.ways:
        yield E.h3(f"{format.title(way)} ", E.span(format.took(story, way)))
        yield from _way(way)
        if way.direction is Direction.HANDOFF and story.held is not None:
            held = f"{story.guest} had the devices for {format.held(story.held)}."
            yield E.p(CLASS("held"), held)


def _way(way: Way) -> Iterator[Any]:
    if way.steps:
        times = list(ticks(way.seconds))
        rows = [_row(step, way, times) for step in way.steps]
        yield E.table(E.tbody(*rows), E.tfoot(_axis(way, times)))
    for remark in way.remarks:
        yield E.p(CLASS("note"), f"Note: {remark}")


def _row(step: Step, way: Way, ticks: Sequence[float]) -> Any:
    lines = [_line(tick, way) for tick in ticks]
    width = f"{_percent(step.seconds, way):.2f}%"
    bar = _svg("rect", x=_at(step.start, way), y=_TOP, width=width, height=_THICK, rx="2")
    # A step of no time is seen all the same.
    mark = _svg("rect", x=_at(step.start, way), y=_TOP, width="2", height=_THICK)
    drawing = _svg("svg", *lines, bar, mark, role="img")
    drawing.set("aria-label", f"{step.seconds:.3f} s, {step.start:.3f} s after the beginning")
    cells = (
        E.th(*_words(step.text), scope="row"),
        E.td(CLASS("chart"), drawing),
        E.td(CLASS("time"), format.seconds(step.seconds)),
    )
    return E.tr(*cells) if step.done else E.tr(CLASS("failed"), *cells)


def _words(text: str) -> Iterator[Any]:
    """A browser would break vfio-pci at its hyphen, and a path at its slashes."""
    for part in re.split(r"((?<!\S)\S*-\S*)", text):
        yield E.span(CLASS("whole"), part) if "-" in part and len(part) <= _WHOLE else part


def _axis(way: Way, ticks: Sequence[float]) -> Any:
    labels = [_label(tick, way) for tick in ticks]
    return E.tr(E.th(), E.td(CLASS("chart"), _svg("svg", *labels)), E.td(CLASS("time")))


def _label(tick: float, way: Way) -> Any:
    label = _svg("text", x=_at(tick, way), y="1.4em")
    label.set("text-anchor", "start" if tick == 0 else "middle")
    label.text = f"{tick:g} s"
    return label


def _line(tick: float, way: Way) -> Any:
    line = _svg("line", x1=_at(tick, way), x2=_at(tick, way), y1="0", y2="100%")
    line.set("class", "tick")
    return line


def ticks(seconds: float) -> Iterator[float]:
    """Round times, about so many in all: 1, 2 or 5 times a power of ten apart."""
    rough = max(seconds, 1e-3) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    distance = next(n * power for n in (1, 2, 5, 10) if n * power >= rough)
    return takewhile(lambda tick: tick <= seconds * 0.97, (n * distance for n in range(100)))


def _at(seconds: float, way: Way) -> str:
    return f"{_percent(seconds, way):.2f}%"


def _percent(seconds: float, way: Way) -> float:
    return 100 * seconds / way.seconds if way.seconds else 0.0


def _svg(tag: str, *children: Any, **attributes: str) -> Any:
    """An element of SVG within HTML, where it needs no namespace."""
    element = etree.Element(tag, attributes)
    element.extend(children)
    return element
