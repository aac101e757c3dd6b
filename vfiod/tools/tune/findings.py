"""What a guest lacks on this host, as a whole and in words. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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

    ``left`` are the kinds of change that were not looked at, with why; ``unseen`` is what Linux
    does not know.
    """

    guest: str
    processor: str
    changes: tuple[Change, ...]
    advice: tuple[Advice, ...]
    unseen: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)

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
        left=guest.left,
    )


def as_lines(
    findings: Findings, *, width: int | None = None, details: bool = True
) -> Iterator[str]:
    """Lines for a person, without the difference of the XML; ``width`` is the terminal's.

    Without ``details`` Windows' many Hyper-V features are one line.
    """
    if findings.changes:
        yield f"For {findings.guest} on {findings.processor or 'this processor'}:"
    else:
        yield f"The definition of {findings.guest} needs no change."
    for one in findings.changes if details else _in_short(findings.changes):
        yield from _row(one.name, one.reason, width)
        for old in one.instead:
            yield from _row("", f"instead of: {old}", width)
    for why in dict.fromkeys(findings.left.values()):
        names = ", ".join(name for name, given in findings.left.items() if given == why)
        yield from _row("left", f"{names}: {why}", width)
    if findings.advice:
        yield "What the definition cannot change:"
    for item in findings.advice:
        where = " (firmware)" if item.firmware else ""
        yield from _row(item.name, f"{item.fact}{where}", width)
        yield from _row("", item.remedy, width)


def _in_short(changes: Sequence[Change]) -> Iterator[Change]:
    """The features of Hyper-V as one change where the first of them is."""
    features = [one for one in changes if one.name == "hyperv"]
    for one in changes:
        if one.name != "hyperv" or len(features) == 1:
            yield one
        elif one is features[0]:
            names = ", ".join(feature.reason.partition(":")[0] for feature in features)
            lost = tuple(old for feature in features for old in feature.instead)
            reason = f"Windows asks KVM instead of trying things out: {names} (see --details)"
            yield Change("hyperv", reason, (), lost)


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
        "left": dict(findings.left),
        "difference": difference,
    }
