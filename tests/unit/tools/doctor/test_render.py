"""How findings look to a person and to a program."""

from dataclasses import replace

import pytest
from rich.text import Text

from vfiod.tools.doctor.examine import Section, worst
from vfiod.tools.doctor.render import as_lines, document, summary
from vfiod.util.finding import Finding, Level, fail, ok, warn

BAD = fail(
    "iommu-on",
    "the IOMMU is off",
    why="Without it the kernel hands no device over, whatever else is in order on this PC.",
    remedy="Switch it on.",
    command="sudo some-command --with-a-long-line --that-must-not-be-broken-anywhere-at-all",
    source="https://example.org/",
)
ODD = warn("uefi", "an old PC", why="Old.", remedy="Buy one.")
SECTIONS = (Section("IOMMU", (ok("x", "there is one"), BAD)), Section("Firmware", (ODD,)))


def lines(width: int = 60) -> list[str]:
    return [line.plain for line in as_lines(SECTIONS, width)]


def test_headings_and_levels() -> None:
    assert lines()[:3] == ["IOMMU", "  ok    there is one", "  FAIL  the IOMMU is off"]


def test_text_is_wrapped_beside_its_label() -> None:
    first, second = lines()[3:5]
    assert first == "        why: Without it the kernel hands no device over,"
    assert second == "             whatever else is in order on this PC."


def test_findings_of_one_kind_are_explained_once() -> None:
    two = [replace(BAD, fact="one"), replace(BAD, fact="two"), replace(ODD, fact="three")]
    words = [line.plain.split() for line in as_lines([Section("x", tuple(two))], 200)]
    said = [word[0] for word in words if word]
    assert said[1:9] == ["FAIL", "FAIL", "why:", "do:", "run:", "see:", "warn", "why:"]


def test_a_command_is_never_broken() -> None:
    assert f"        run: {BAD.command}" in lines()


def test_what_is_empty_is_left_out() -> None:
    at = lines().index("  warn  an old PC")
    assert lines()[at : at + 4] == [
        "  warn  an old PC", "        why: Old.", "        do:  Buy one.", "",
    ]  # fmt: skip


def test_only_the_level_is_coloured() -> None:
    line = next(line for line in as_lines(SECTIONS, 60) if "the IOMMU is off" in line.plain)
    assert isinstance(line, Text)
    assert [(span.start, span.end, str(span.style)) for span in line.spans] == [(2, 6, "bold red")]


@pytest.mark.parametrize(("findings", "words"), [
    ((BAD, ODD), "1 failed, 1 warning, 0 ok. Begin with the first FAIL; then run this again."),
    ((ODD, ODD), "0 failed, 2 warnings, 0 ok. A handoff can be tried."),
    ((ok("x", "y"),), "0 failed, 0 warnings, 1 ok. All is well."),
])  # fmt: skip
def test_summary(findings: tuple[Finding, ...], words: str) -> None:
    assert summary([Section("x", findings)]) == words


def test_document() -> None:
    facts = document(SECTIONS, ["a note"])
    assert facts["worst"] == "fail"
    assert facts["notes"] == ["a note"]
    assert facts["findings"][0] == {
        "subject": "IOMMU", "check": "x", "level": "ok", "fact": "there is one", "why": "",
        "remedy": "", "command": "", "source": "",
    }  # fmt: skip


def test_worst_of_nothing() -> None:
    assert worst(()) is Level.OK
