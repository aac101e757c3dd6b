"""What the README tells people to type exists; the Chinese one tells the same."""

import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest

from vfiod.cli import main as cli

ROOT = Path(__file__).parents[1]
README, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
PAGES = [README, CHINESE]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
DOCTOR = ROOT / "tests/data/hosts/ryzen-1600-rx480/doctor.txt"


def parts(path: Path) -> tuple[str, list[str]]:
    """The text without what is printed by vfiod, and that: the blocks between ``` and ```."""
    pieces = path.read_text().split("```\n")
    return "".join(pieces[::2]), pieces[1::2]


def commands(path: Path) -> list[str]:
    """The lines of all code blocks, without their remarks."""
    lines = [line for line in parts(path)[0].splitlines() if line.startswith("    ")]
    return [re.sub(r"\s+#.*", "", line.strip()) for line in lines]


def spans(path: Path) -> set[str]:
    """What stands in `code` within the text and is a command line or a path of ours."""
    lines = parts(path)[0].splitlines()
    text = "\n".join(line for line in lines if not line.startswith("    "))
    found = {re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", text)}
    return {span for span in found if re.match(r"(sudo |make |vfiod |virsh |/)", span)}


def headings(path: Path) -> list[int]:
    """The depth of each heading, in order."""
    return [len(mark) for mark in re.findall(r"^(#+) ", path.read_text(), re.MULTILINE)]


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_commands_of_vfiod_exist(path: Path) -> None:
    told = [shlex.split(c.removeprefix("sudo ")) for c in [*commands(path), *spans(path)]]
    ours = [words[1:] for words in told if words[0] == "vfiod"]
    assert ours
    for words in ours:
        assert callable(cli.parser().parse_args(words).run), words


@pytest.mark.parametrize("path", [*PAGES, CONTRIBUTING], ids=lambda p: p.name)
def test_targets_of_make_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = [c.split()[1:] for c in [*commands(path), *spans(path)] if c.startswith("make ")]
    asked = {word for words in told for word in words if "=" not in word}
    assert asked or path != CONTRIBUTING
    assert asked - targets == set()


def test_the_chinese_readme_has_the_same_headings() -> None:
    theirs, ours = headings(README), headings(CHINESE)
    assert ours == theirs, f"README.md has {len(theirs)} headings, README.zh-CN.md {len(ours)}"


def test_the_chinese_readme_has_the_same_commands() -> None:
    theirs, ours = commands(README), commands(CHINESE)
    missing = [line for line in theirs if line not in ours]
    stale = [line for line in ours if line not in theirs]
    assert (missing, stale) == ([], []), "README.zh-CN.md is out of step with README.md"
    assert ours == theirs, "README.zh-CN.md has the commands in another order"


def test_the_chinese_readme_names_the_same_commands_in_its_text() -> None:
    theirs, ours = spans(README), spans(CHINESE)
    assert theirs - ours == set(), "not in README.zh-CN.md"
    assert ours - theirs == set(), "not in README.md any more"


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_what_doctor_says_is_what_it_says(path: Path) -> None:
    (sample,) = parts(path)[1]
    assert len(sample.splitlines()) > 10
    assert sample in DOCTOR.read_text()


def test_the_chinese_readme_has_the_same_links() -> None:
    theirs, ours = (set(re.findall(r"\]\(([^)]+)\)", path.read_text())) for path in PAGES)
    assert theirs - {CHINESE.name} == ours - {README.name}


def test_the_picture_is_one() -> None:
    assert "](docs/handoff.svg)" in README.read_text()
    root = ElementTree.parse(ROOT / "docs/handoff.svg").getroot()
    stages = [group.get("id") for group in root if group.tag.endswith("}g")]
    assert stages == ["desktop", "guest", "login"]


def test_the_screens_are_a_small_picture() -> None:
    """Made by `make demo`: build/demo/screens.png."""
    assert "](docs/screens.png)" in README.read_text()
    picture = (ROOT / "docs/screens.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) < 20_000


def test_the_status_stands_before_the_first_section() -> None:
    top = README.read_text().partition("\n## ")[0]
    assert "No step has met a real card yet" in " ".join(top.split())
    assert "| owner |" not in (ROOT / "docs/hardware.md").read_text()
