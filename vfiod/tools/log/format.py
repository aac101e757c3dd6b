"""The words of a story that text and page share. Pure."""

from collections.abc import Sequence
from itertools import groupby
from shlex import quote

from vfiod.model import Direction
from vfiod.tools.log.story import Outcome, Story
from vfiod.tools.log.way import Way

HEADS = {
    Outcome.REFUSED: "refused; no device was touched",
    Outcome.HANDOFF: "being handed over",
    Outcome.GUEST: "has the devices",
    Outcome.RETURN: "on the way back",
    Outcome.STUCK: "STUCK: something could not be given back",
    Outcome.RETURNED: "handed over and returned",
    Outcome.FAILED: "not started; the host has its display back",
}
_UNDER_WAY = frozenset({Outcome.HANDOFF, Outcome.RETURN})
NOTHING = (
    "No start of {guest} is in the journal{since}. vfiod writes there what it does when a guest "
    "that /etc/vfiod/vfiod.yaml names starts or ends; other guests start without it.\n"
)


def head(story: Story) -> str:
    """Guest and outcome, in a few words."""
    words = HEADS[story.outcome] + (", until the host was rebooted" if story.rebooted else "")
    return f"{story.guest or 'vfiod'}: {words}"


def date(story: Story) -> str:
    """When it began, in the reader's time zone."""
    return story.began.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def zone(story: Story) -> str:
    """The reader's time zone when it began, such as ``CET (UTC+01:00)``."""
    when = story.began.astimezone()
    return f"{when:%Z} (UTC{when.isoformat()[-6:]})" if when.utcoffset() else "UTC"


def seconds(value: float) -> str:
    """A short time, as a step takes it."""
    return f"{value:.3f} s"


def took(story: Story, way: Way) -> str:
    """The time of a way, and whether it came to its end."""
    under_way = way is story.ways[-1] and story.outcome in _UNDER_WAY and not story.rebooted
    state = "" if way.complete else ", so far" if under_way else ", not finished"
    return seconds(way.seconds) + state


def held(value: float) -> str:
    """A time from seconds to days, in at most two units."""
    whole = round(value)
    for size, name, below, unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // below} {unit}"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{value:.1f} s"


def total(story: Story, direction: Direction) -> str:
    """What one direction took, first try to end; empty if it was not gone."""
    ways = [way for way in story.ways if way.direction is direction]
    return f"{sum(way.seconds for way in ways):.1f} s" if ways else ""


def title(way: Way) -> str:
    """What a way is about, with a capital."""
    return way.text[:1].upper() + way.text[1:]


def paragraphs(explanation: str) -> list[tuple[str, bool]]:
    """A text of the catalog: paragraphs without line breaks, and commands (True), one a line."""
    found: list[tuple[str, bool]] = []
    for is_command, lines in groupby(explanation.splitlines(), key=lambda x: x[:1] in (" ", "")):
        words = [line.strip() for line in lines if line.strip()]
        found += [(line, True) for line in words] if is_command else [(" ".join(words), False)]
    return found


def nothing(guest: str | None, since: str | None, named: Sequence[str] = ()) -> str:
    """What to say instead of no stories at all; ``named`` are the guests of the configuration."""
    when = f" since {since}" if since else ""
    if guest is None or guest in named:
        following = f"Whether a start would work now: sudo vfiod plan {quote(guest or 'GUEST')}"
    else:
        following = f"It does not name {guest}. It names: {', '.join(named) or 'none'}"
    return NOTHING.format(guest=guest or "a guest", since=when) + following
