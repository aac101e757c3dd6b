"""Whether a guest could start now, and whose work that would end: what ListGuests tells. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vfiod.errors import Refused, VfiodError
from vfiod.handoff.decision import ending
from vfiod.handoff.decision.checks import find_faults
from vfiod.handoff.decision.ending import Person
from vfiod.handoff.decision.request import Request

RUNNING = "running"
OFF = frozenset({"shut off", "crashed"})


@dataclass(frozen=True, slots=True)
class GuestFacts:
    """A configured guest as it is now.

    ``title``, ``system`` and ``uuid`` are those of its definition, the second libosinfo's id;
    ``state`` is virsh's word; all are empty if libvirt has no such guest or was not asked.
    ``reasons`` are those against a start, each with its remedy; ``people`` those whose work a start
    would end.
    """

    name: str
    title: str = ""
    system: str = ""
    state: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    people: tuple[Person, ...] = ()
    uuid: str = ""

    def require_ready(self) -> None:
        """Raises Refused with every reason against a start."""
        if self.reasons:
            raise Refused([VfiodError(reason, remedy) for reason, remedy in self.reasons])


def assess(request: Request) -> tuple[tuple[tuple[str, str], ...], tuple[Person, ...]]:
    """The reasons against a start of this guest, and the people whose work it would end."""
    reasons = tuple((fault.message, fault.hint) for fault in find_faults(request))
    return reasons, tuple(ending.people(request))


def dump(guests: Iterable[GuestFacts]) -> str:
    """As JSON, for another process and for the bus."""
    return json.dumps([_row(facts) for facts in guests], ensure_ascii=False)


def load(text: str) -> tuple[GuestFacts, ...]:
    """What dump() has made. Raises VfiodError if it is something else."""
    try:
        return tuple(_facts(row) for row in json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VfiodError(f"not a list of guests: {error!r}") from error


def with_trial(text: str, guest: str, until: int) -> str:
    """The same JSON with the end of a trial for the guest that is on one (microseconds)."""
    rows = json.loads(text)
    for row in rows:
        row["trial_until"] = until if row["name"] == guest else 0
    return json.dumps(rows, ensure_ascii=False)


def shown(person: Person) -> str:
    """A person with their programs, as menus and pages have room for it."""
    return f"{person.user}: {', '.join(person.shown)}" if person.programs else person.user


def _row(facts: GuestFacts) -> dict[str, Any]:
    return {
        "name": facts.name,
        "uuid": facts.uuid,
        "title": facts.title,
        "system": facts.system,
        "state": facts.state,
        "readiness": "; ".join(_sentence(*reason) for reason in facts.reasons) or "ok",
        "reasons": [{"reason": text, "remedy": remedy} for text, remedy in facts.reasons],
        "people": [shown(person) for person in facts.people],
        "ends": [{"user": p.user, "programs": list(p.programs)} for p in facts.people],
        "trial_until": 0,
    }


def _facts(row: Mapping[str, Any]) -> GuestFacts:
    return GuestFacts(
        name=row["name"],
        title=row["title"],
        system=row["system"],
        state=row["state"],
        reasons=tuple((r["reason"], r["remedy"]) for r in row["reasons"]),
        people=tuple(Person(p["user"], tuple(p["programs"])) for p in row["ends"]),
        uuid=row.get("uuid", ""),
    )


def _sentence(reason: str, remedy: str) -> str:
    return f"{reason}. {remedy}".rstrip(". ") if remedy else reason


def not_asked(names: Sequence[str], reason: str) -> str:
    """What there is to say of guests while libvirt cannot be asked."""
    return dump(GuestFacts(name, reasons=((reason, ""),)) for name in names)
