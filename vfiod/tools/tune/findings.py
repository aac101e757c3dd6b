"""What a guest lacks on this host, as a whole and in words. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from vfiod.guest import tree
from vfiod.tools.tune import advice, change, proposals
from vfiod.tools.tune.advice import Advice
from vfiod.tools.tune.change import Change
from vfiod.tools.tune.facts import Host, read_guest
from vfiod.util.wrap import hang

_COLUMN = 11  # the longest name and two spaces


@dataclass(frozen=True, slots=True)
class Findings:
    """``changes`` can be made in the definition of ``guest``, ``advice`` is for elsewhere.

    ``unseen`` is what Linux does not know.
    """

    guest: str
    processor: str
    changes: tuple[Change, ...]
    advice: tuple[Advice, ...]
    unseen: tuple[str, ...] = ()

    @property
    def missing(self) -> bool:
        """True if anything at all is left to do."""
        return bool(self.changes or self.advice)


def examine(
    xml: str, host: Host, *, only: Collection[str] = (), without: Collection[str] = ()
) -> Findings:
    """Everything to be said of a definition. Raises DomainError if it cannot be read."""
    root = tree.read(xml)
    guest = read_guest(root)
    wanted = change.chosen(proposals.propose(root, host), only=only, without=without)
    return Findings(
        guest=guest.name,
        processor=host.topology.model,
        changes=tuple(change.pending(root, wanted)),
        advice=tuple(advice.advise(guest, root, host, proposals.cpu_placement(guest, host))),
        unseen=tuple(advice.unseen(host.settings)),
    )


def as_lines(findings: Findings, *, width: int | None = None) -> Iterator[str]:
    """Lines for a person, without the difference of the XML; ``width`` is the terminal's."""
    if findings.changes:
        yield f"For {findings.guest} on {findings.processor or 'this processor'}:"
    else:
        yield f"The definition of {findings.guest} needs no change."
    for one in findings.changes:
        yield from _row(one.name, one.reason, width)
        for old in one.instead:
            yield from _row("", f"instead of: {old}", width)
    if findings.advice:
        yield "What the definition cannot change:"
    for item in findings.advice:
        where = " (firmware)" if item.firmware else ""
        yield from _row(item.name, f"{item.fact}{where}", width)
        yield from _row("", item.remedy, width)


def _row(name: str, text: str, width: int | None) -> Iterator[str]:
    yield from hang(f"  {name:<{_COLUMN}}", text, width)


def as_json(findings: Findings, difference: list[str]) -> dict[str, Any]:
    """The same for a program."""
    return {
        "guest": findings.guest,
        "processor": findings.processor,
        "changes": [
            {"name": c.name, "reason": c.reason, "instead": list(c.instead)}
            for c in findings.changes
        ],
        "advice": [
            {"name": a.name, "fact": a.fact, "remedy": a.remedy, "firmware": a.firmware}
            for a in findings.advice
        ],
        "difference": difference,
    }
