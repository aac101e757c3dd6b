"""Asking the people at the screen to leave it: what is asked, and what may come back.

The asking is done by a program that runs as the person (vfiod.tools.goodbye). What it says is a
user's word: it is read strictly, shown as text, and decides nothing but whether a start goes on.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from vfiod.errors import HostError
from vfiod.model import Session

MOST_BYTES = 16384
_MOST_THINGS, _LONGEST = 10, 120
_NO_ANSWER = "no answer of the program that was to ask"


# Raises what ends a wait for people: nobody wants their answer any more.
GoOn = Callable[[], None]


class Outcome(Enum):
    """What became of a question to a person at the screen.

    ``DONE``: the notification was there for its time, or the desktop has logged out. ``DECLINED``:
    the person said no. ``UNANSWERED``: the time is over. ``FAILED``: the desktop does not take the
    question. ``NOBODY``: it shows no notifications, or has nobody that could be asked to log out.
    """

    DONE = "done"
    DECLINED = "declined"
    UNANSWERED = "unanswered"
    FAILED = "failed"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome; ``waits_for`` names what holds a logout up, as far as the desktop tells."""

    outcome: Outcome
    waits_for: tuple[str, ...] = ()


class Goodbyes(Protocol):
    """Each call waits for the person, at most its ``seconds`` and a little for the programs.

    ``go_on`` is called before, every half second meanwhile, and after it. What it raises is raised
    once the question is off the person's screen and what was begun of a logout is taken back.

    Both raise HostError if nothing could be asked, or no answer came.
    """

    def announce(self, session: Session, guest: str, *, seconds: float, go_on: GoOn) -> Answer:
        """Show a notification with the button "Not now" for as long, if the desktop shows any."""

    def log_out(
        self, session: Session, guest: str, *, seconds: float, settle: float, go_on: GoOn
    ) -> Answer:
        """Have the desktop's session manager log out; returns when the desktop has ended.

        ``guest`` is whom a person is told that they keep waiting. A desktop that cannot be asked
        is watched for ``settle`` seconds: it may be ending already. With 0 it is ended all the
        same; else one that would ask no program counts as one that cannot be asked.
        """


def encode(answer: Answer) -> str:
    """As a line of JSON, for the service."""
    facts = {"outcome": answer.outcome.value, "waits_for": answer.waits_for[:_MOST_THINGS]}
    return json.dumps(facts)


def decode(text: str) -> Answer:
    """What encode() has made; anybody else may have made it. Raises HostError if it is no answer.

    What is too much of it is cut off, what could steer a terminal becomes a question mark.
    """
    try:
        return _answer(json.loads(text[:MOST_BYTES]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HostError(_NO_ANSWER) from error


def _answer(facts: Mapping[str, Any]) -> Answer:
    things = facts["waits_for"]
    if not isinstance(things, list):
        raise TypeError(things)
    return Answer(
        Outcome(facts["outcome"]), tuple(_shown(thing) for thing in things[:_MOST_THINGS])
    )


def _shown(thing: object) -> str:
    if not isinstance(thing, str):
        raise TypeError(thing)
    return "".join(c if c.isprintable() else "?" for c in thing[:_LONGEST])
