"""Stories as one HTML page that needs nothing else: no network, no scripts.

lxml escapes all text; entry.printable() has taken out what it could not write.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

from lxml import etree, html
from lxml.html.builder import CLASS, E

from vfiod.model import Direction
from vfiod.tools.log import format
from vfiod.tools.log.story import Step, Story, Way
from vfiod.tools.log.style import STYLE

_TICKS = 5
# Of a bar within its row, whose text may have several lines.
_TOP, _THICK = "0.4rem", "0.8rem"
# Nothing is fetched and nothing runs, whatever a name in the journal contains.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(stories: Sequence[Story]) -> bytes:
    """The page, newest story first."""
    page = E.html(
        E.head(
            E.meta(charset="utf-8"),
            E.meta({"http-equiv": "Content-Security-Policy", "content": _POLICY}),
            E.meta(name="viewport", content="width=device-width, initial-scale=1"),
            E.title("vfiod: handoffs"),
            E.style(STYLE),
        ),
        E.body(
            E.h1("Handoffs of vfiod"),
            E.p(_summary(stories)),
            *(_story(story) for story in reversed(stories)),
        ),
        lang="en",
    )
    text: bytes = html.tostring(page, doctype="<!DOCTYPE html>", encoding="utf-8")
    return text + b"\n"


def _summary(stories: Sequence[Story]) -> str:
    number = "One start" if len(stories) == 1 else f"{len(stories)} starts"
    return f"{number} of guests, {format.date(stories[0])} to {format.date(stories[-1])}."


def _story(story: Story) -> Any:
    article = E.article(
        CLASS(story.outcome.value), E.h2(format.head(story)), E.p(format.date(story))
    )
    for way in story.ways:
        article.append(E.h3(f"{format.title(way)} ", E.span(format.took(story, way))))
        article.extend(_way(way))
        if way.direction is Direction.HANDOFF and story.held is not None:
            held = f"{story.guest} had the devices for {format.held(story.held)}."
            article.append(E.p(CLASS("held"), held))
    article.extend(E.p(CLASS("note"), f"vfiod was restarted: {note}") for note in story.notes)
    article.extend(E.p(CLASS("problem"), problem) for problem in story.problems)
    for text, is_command in format.paragraphs(story.remedy):
        article.append(E.pre(text) if is_command else E.p(text))
    return article


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
        E.th(step.text, scope="row"),
        E.td(CLASS("chart"), drawing),
        E.td(CLASS("time"), format.seconds(step.seconds)),
    )
    return E.tr(*cells) if step.done else E.tr(CLASS("failed"), *cells)


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
