"""What vfiod does by itself about a return that got stuck, and the words for it. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vfiod.errors import Stuck

# Each may be late again: a probe that takes a minute and fails is not asked for ever.
TRIES = 5

TO_A_SUCCESSOR = (
    "vfiod ends with the system bus, is started anew with it, and goes on by itself then"
)
_WAITS = "vfiod waits for what is late, and goes on by itself as soon as it ends"
_WAITS_NO_MORE = (
    f"vfiod does not go on by itself any more: it was tried again {TRIES} times, as often as "
    "something that was late had ended"
)
_WAITS_FOR_NOBODY = "vfiod does not go on by itself"
_REBOOTS_NOW = "the host is rebooted now, as on_stuck: reboot says"
_REBOOTS = (
    "if that is not over {minutes:g} minutes after it got stuck, the host is rebooted, as "
    "on_stuck: reboot says"
)

_WAIT = "give it some minutes; whether it is over: vfiod status"
_STAY = "keep the host from being rebooted, until vfiod runs again: sudo systemctl stop vfiod"
_ONCE = "once what is late has ended, have it tried again: sudo vfiod return"
RETURN = "have it tried again: sudo vfiod return"
FORCE = "have it tried again, with all resets: sudo vfiod return --force"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known once it is watched.

    ``waits``: something is watched that may end by itself. ``is_spent``: it was tried again often
    enough. ``reboots_after``: in how many seconds on_stuck: reboot acts; None if it does not.
    ``was_forced``: somebody had insisted on the resets.
    """

    waits: bool = False
    is_spent: bool = False
    reboots_after: float | None = None
    was_forced: bool = False


# Told of what is stuck, without words; watches it.
Foresee = Callable[[Stuck], Outlook]


def unforeseen(_: Stuck) -> Outlook:
    """Nobody watches."""
    return Outlook()


def facts(outlook: Outlook) -> Iterator[str]:
    """Whether vfiod goes on by itself, and whether the host is rebooted."""
    seconds = outlook.reboots_after
    if outlook.waits:
        yield _WAITS_NO_MORE if outlook.is_spent else _WAITS
    elif seconds is None:
        yield _WAITS_FOR_NOBODY
    if seconds is not None:
        yield _REBOOTS.format(minutes=seconds / 60) if seconds else _REBOOTS_NOW


def ways(outlook: Outlook, again: str) -> Iterator[str]:
    """What to do. ``again``: how it is tried again."""
    if outlook.waits and not outlook.is_spent:
        yield _WAIT
    if outlook.reboots_after:
        yield _STAY
    yield _ONCE if outlook.waits and outlook.is_spent else again


def taken_up(text: str) -> str:
    """What an earlier daemon told, now that a new one watches and tries again."""
    for old, new in ((_WAITS_NO_MORE, _WAITS), (_ONCE, RETURN)):
        text = text.replace(old, new)
    lines = [_WAITS if line == _WAITS_FOR_NOBODY else line for line in text.split("\n")]
    return "\n".join(lines)
