"""Stories on the terminal: bars where there is room, plain lines in a pipe."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from vfiod.events import ERRORS, WARNINGS, Kind
from vfiod.model import Direction
from vfiod.tools.log import format
from vfiod.tools.log.entry import Entry
from vfiod.tools.log.story import BAD, Outcome, Story
from vfiod.tools.log.way import Step, Way
from vfiod.util.wrap import NARROWEST, beginning

_LISTED = 20
_COLUMNS = 26  # of a step, before its bar
_BAR_FROM, _BAR_TO = 16, 30


def show(stories: Sequence[Story], out: Console, *, every: bool) -> None:
    """One line for each of several stories; all of the last one, or of ``every`` one."""
    if len(stories) > 1 and not every:
        _list(stories, out)
    for story in stories if every else stories[-1:]:
        _story(story, out)


def show_entry(entry: Entry, out: Console) -> None:
    """One entry, as it happens."""
    clock = entry.when.astimezone().strftime("%H:%M:%S")
    first = Text(f"{clock}  ").append(f"{entry.guest}  ", _colour(entry.kind))
    _hang(first, Text(entry.message, _colour(entry.kind)), out)
    _explain(entry.explanation, out)


def _colour(kind: Kind) -> str:
    if kind in ERRORS:
        return "red"
    if kind in WARNINGS:
        return "yellow"
    return "" if kind is Kind.STEP_DONE else "bold"


# Several stories


def _list(stories: Sequence[Story], out: Console) -> None:
    if hidden := len(stories[:-_LISTED]):
        _say(f"({hidden} earlier: --since '1 month ago', or --json)", out)
    for story in stories[-_LISTED:]:
        _hang(Text(f"{format.date(story)}  "), _listed(story), out)
    out.print()


def _listed(story: Story) -> Text:
    there = format.total(story, Direction.HANDOFF) if story.outcome is not Outcome.REFUSED else ""
    held = format.held(story.held) if story.held is not None else ""
    back = format.total(story, Direction.RETURN)
    named = (("there", there), ("with the guest", held), ("back", back))
    times = ", ".join(f"{time} {name}" for name, time in named if time)
    return Text(format.head(story), _style(story)).append(f"  ({times})" if times else "", "dim")


def _style(story: Story) -> str:
    if story.outcome in BAD:
        return "bold yellow" if story.outcome is Outcome.REFUSED else "bold red"
    return "bold green" if story.outcome is Outcome.RETURNED else "bold"


# One story


def _story(story: Story, out: Console) -> None:
    _hang(Text(f"{format.date(story)}  "), Text(format.head(story), _style(story)), out)
    for way in story.ways:
        _say(f"{format.title(way)} ({format.took(story, way)})", out)
        _way(way, out)
        if way.direction is Direction.HANDOFF and story.held is not None:
            _say(f"{story.guest} had the devices for {format.held(story.held)}", out)
    for note in story.notes:
        _say(f"vfiod was restarted: {note}", out)
    for problem in story.problems:
        _hang(Text("! ", "bold red"), Text(problem), out)
    _explain(story.remedy, out)
    out.print()


def _way(way: Way, out: Console) -> None:
    for step in way.steps:
        _step(step, way, out)
    for remark in way.remarks:
        _hang(Text("  note: ", "yellow"), Text(remark), out)


def _step(step: Step, way: Way, out: Console) -> None:
    mark = "  " if step.done else "! "
    style = "" if step.done else "red"
    columns = Text(f"{mark}{step.start:+9.3f} {step.seconds:9.3f} s  ", style)
    if room := _room_for_bar(out):
        columns.append(_bar(step, way, room), style or "cyan").append("  ")
    _hang(columns, Text(step.text, style), out)


def _room_for_bar(out: Console) -> int:
    """A third of what is beside the numbers; none in a pipe or a narrow window."""
    room = (out.width - _COLUMNS) // 3
    return min(room, _BAR_TO) if out.is_terminal and room >= _BAR_FROM else 0


def _bar(step: Step, way: Way, room: int) -> str:
    """The step within its way. Whole blocks only: a text console's font has no others."""
    scale = room / way.seconds if way.seconds else 0.0
    begin = min(int(step.start * scale), room - 1)
    length = max(1, min(round(step.end * scale), room) - begin)
    return " " * begin + "█" * length + " " * (room - begin - length)


def _explain(explanation: str, out: Console) -> None:
    for text, is_command in format.paragraphs(explanation):
        indent, style = ("        ", "bold") if is_command else ("    ", "")
        _hang(Text(indent), Text(text, style), out)


def _say(text: str, out: Console) -> None:
    _hang(Text("  "), Text(text), out)


def _hang(first: Text, text: Text, out: Console) -> None:
    """Lines that go on below their own beginning; in a pipe they are as long as they are."""
    for line in text.split("\n", allow_blank=True):
        words = beginning(line.plain)
        room = max(0, out.width - NARROWEST - first.cell_len)
        shown = Text(words if not out.is_terminal else words[-room:] if room else "")
        _hang_line(first + shown, line[len(words) :], out)
        first = Text(" " * first.cell_len)


def _hang_line(first: Text, text: Text, out: Console) -> None:
    if not out.is_terminal:
        out.print(first + text)
        return
    for line in text.wrap(out, max(NARROWEST, out.width - first.cell_len)):
        line.rstrip()
        out.print(first + line)
        first = Text(" " * first.cell_len)
