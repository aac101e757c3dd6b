"""What doctor found, for a person at a terminal or for a program. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from vfiod.tools.doctor.examine import Section, worst
from vfiod.util.finding import Finding, Level
from vfiod.util.wrap import hang, wrap

WORDS = {Level.OK: "ok", Level.WARN: "warn", Level.FAIL: "FAIL"}
STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}
_LABEL = 4  # length of the longest word
_INDENT = 2 + _LABEL + 2


def as_lines(sections: Sequence[Section], width: int) -> Iterator[Text]:
    """Lines for a terminal of ``width`` columns: headings, findings, and what to do first.

    Several findings of one kind are explained once, below the last.
    """
    for section in sections:
        yield Text(section.title, style="bold")
        following = [*section.findings[1:], None]
        for finding, after in zip(section.findings, following, strict=True):
            yield from _fact(finding, width)
            if after is None or _explanation(after) != _explanation(finding):
                yield from _explained(finding, width)
    yield Text()
    yield from map(Text, wrap(summary(sections), width))


def summary(sections: Sequence[Section]) -> str:
    """How many of each, and where to begin."""
    count = Counter(finding.level for section in sections for finding in section.findings)
    warnings = f"{count[Level.WARN]} warning{'' if count[Level.WARN] == 1 else 's'}"
    words = f"{count[Level.FAIL]} failed, {warnings}, {count[Level.OK]} ok."
    if count[Level.FAIL]:
        return f"{words} Begin with the first FAIL; then run this again."
    if count[Level.WARN]:
        return f"{words} A handoff can be tried."
    return f"{words} All is well."


def document(sections: Sequence[Section], notes: Sequence[str] = ()) -> dict[str, Any]:
    """The same as JSON values."""
    rows = [
        {"subject": section.title, **asdict(finding), "level": finding.level.word}
        for section in sections
        for finding in section.findings
    ]
    return {"worst": worst(sections).word, "findings": rows, "notes": list(notes)}


def _fact(finding: Finding, width: int) -> Iterator[Text]:
    label = (
        Text("  ").append(f"{WORDS[finding.level]:{_LABEL}}", STYLES[finding.level]).append("  ")
    )
    yield from _hanging(label, finding.fact, width)


def _explained(finding: Finding, width: int) -> Iterator[Text]:
    for name, text in _explanation(finding).items():
        whole = name in ("run:", "see:")
        yield from _hanging(Text(f"{'':{_INDENT}}{name} "), text, width, whole=whole)


def _explanation(finding: Finding) -> dict[str, str]:
    rows = {
        "why:": finding.why,
        "do: ": finding.remedy,
        "run:": finding.command,
        "see:": finding.source,
    }
    return {name: text for name, text in rows.items() if text}


def _hanging(label: Text, text: str, width: int, *, whole: bool = False) -> Iterator[Text]:
    """Wrap ``text`` beside its label; lines after the first are indented as far.

    A command is left ``whole``: broken in two it could not be copied.
    """
    first, *more = hang(label.plain, text, width, whole=whole)
    yield label.append(first[len(label.plain) :])
    yield from map(Text, more)
