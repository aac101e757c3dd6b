"""What is told of a start at the next login: how long, what happened, what is wrong. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from vfiod.model import Direction
from vfiod.tools.log import format
from vfiod.tools.log.story import OPEN, Outcome, Story

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Notice:
    """``transaction`` is that of the story; ``urgent`` ones stay until they are closed."""

    transaction: str
    summary: str
    body: str
    urgent: bool


def notice_of(stories: Sequence[Story], *, told: str) -> Notice | None:
    """The last start if it took the screen and has ended; None if it was told of already.

    Arguments: ``told`` is the transaction that was told of last.
    """
    taken = [story for story in stories if story.outcome is not Outcome.REFUSED]
    if not taken or taken[-1].transaction in ("", told) or not _has_ended(taken[-1]):
        return None
    story = taken[-1]
    lines = [line for line in (_times(story), *story.problems, *_remarks(story)) if line]
    body = "\n".join(lines)
    return Notice(
        transaction=story.transaction,
        summary=format.head(story),
        body=body if len(body) <= _LONGEST else f"{body[:_LONGEST]}…",
        urgent=story.outcome is not Outcome.RETURNED or bool(story.problems),
    )


def _has_ended(story: Story) -> bool:
    return story.outcome not in OPEN or story.outcome is Outcome.STUCK or story.rebooted


def _times(story: Story) -> str:
    """How long it had the screen, and how long the way back was."""
    parts = [f"It had the screen for {format.held(story.held)}."] if story.held is not None else []
    back = format.total(story, Direction.RETURN)
    return " ".join([*parts, f"The way back took {back}."] if back else parts)


def _remarks(story: Story) -> list[str]:
    """Of the way back: what else did not come back as it was."""
    back = [way for way in story.ways if way.direction is Direction.RETURN]
    return [remark for way in back for remark in way.remarks]
