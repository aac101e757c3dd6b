"""All findings, in the order in which a person would put things right. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vfiod.tools.doctor import (
    cards,
    confinement,
    desktop,
    firmware,
    groups,
    iommu,
    leftovers,
    libvirt,
    memory,
    resetting,
    settings,
)
from vfiod.tools.doctor.facts import Facts
from vfiod.tools.doctor.guest import examine_guest
from vfiod.util import finding
from vfiod.util.finding import Finding, Findings, Level

SUBJECTS: Sequence[tuple[str, Sequence[Callable[[Facts], Findings]]]] = (
    ("Processor and firmware", firmware.CHECKS),
    ("IOMMU", iommu.CHECKS),
    ("Graphics", (*cards.CHECKS, *groups.CHECKS, *resetting.CHECKS)),
    ("Leftovers of a static set-up", leftovers.CHECKS),
    ("Desktop", desktop.CHECKS),
    ("Memory", memory.CHECKS),
    ("libvirt and vfiod", (*libvirt.CHECKS, *confinement.CHECKS)),
    ("Configuration", settings.CHECKS),
)


@dataclass(frozen=True, slots=True)
class Section:
    """What belongs together under one heading."""

    title: str
    findings: tuple[Finding, ...]


def examine(facts: Facts) -> tuple[Section, ...]:
    """Every check of every subject; empty sections are left out."""
    sections = [Section(title, tuple(_findings(facts, checks))) for title, checks in SUBJECTS]
    if facts.guest is not None:
        sections.append(Section(f"Guest {facts.guest.name}", tuple(examine_guest(facts))))
    return tuple(section for section in sections if section.findings)


def _findings(facts: Facts, checks: Sequence[Callable[[Facts], Findings]]) -> Iterator[Finding]:
    return (each for check in checks for each in check(facts))


def worst(sections: Sequence[Section]) -> Level:
    """The level that decides the exit status."""
    return finding.worst(each for section in sections for each in section.findings)
