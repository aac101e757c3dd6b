"""What a person is told before a start ends their work. Pure."""

from collections.abc import Sequence

from vfiod.handoff.decision.ending import Person
from vfiod.handoff.decision.readiness import shown

# Dialogs and notifications take markup and escapes; names of programs and guests are others' text.
_PLAIN = str.maketrans({"<": "[", ">": "]", "&": "+", "\\": "/"})


def plain(text: str) -> str:
    """Text that no dialog takes for anything else; line breaks stay."""
    return "".join(s for s in text.translate(_PLAIN) if s.isprintable() or s == "\n")


def whose_work_ends(people: Sequence[Person], me: str) -> list[str]:
    """A line for each person, oneself first."""
    own = [person for person in people if person.user == me]
    others = [person for person in people if person.user != me]
    lines = [_own(person) for person in own]
    return lines + [f"The work of {shown(person)} ends." for person in others]


def question(guest: str, people: Sequence[Person], me: str) -> str:
    """What a dialog asks."""
    lines = whose_work_ends(people, me) or ["Nobody's work ends."]
    return plain("\n".join([*lines, "", f"Start {guest}?"]))


def _own(person: Person) -> str:
    if not person.programs:
        return "Your session will end."
    return f"Your session will end. Still open: {', '.join(person.shown)}."
