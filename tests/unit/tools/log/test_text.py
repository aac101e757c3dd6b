"""Stories on a terminal and in a pipe, against the text that people have read and approved.

To renew it: python -m tests.unit.tools.log.test_text, and read what git diff says.
"""

import io
import itertools
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tests.fakes.record import BOOT, entries
from tests.fakes.scenes import SCENES
from vfiod.tools.log import text
from vfiod.tools.log.story import Story, find_stories

GOLDEN = Path(__file__).parents[3] / "data" / "history"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def stories(scene: str, directory: Path) -> list[Story]:
    return find_stories(entries(SCENES[scene](directory)), boot=BOOT)


def shown(told: list[Story], *, width: int | None = None, every: bool = False) -> str:
    """What is printed: at a terminal of that width, or into a pipe."""
    file = io.StringIO()
    terminal = width is not None
    out = Console(
        file=file, highlight=False, force_terminal=terminal, width=width, soft_wrap=not terminal
    )
    text.show(told, out, every=every)
    return file.getvalue()


@pytest.mark.parametrize("scene", SCENES)
def test_in_a_pipe(scene: str, run_directory: Path) -> None:
    assert shown(stories(scene, run_directory)) == (GOLDEN / f"{scene}.txt").read_text()


@pytest.mark.parametrize("width", [120, 80, 60, 40])
@pytest.mark.parametrize("scene", ["returned", "stuck", "interleaved", "refused"])
def test_no_line_is_wider_than_the_terminal(scene: str, width: int, run_directory: Path) -> None:
    lines = shown(stories(scene, run_directory), width=width, every=True).splitlines()
    assert lines
    assert max(len(ESCAPE.sub("", line)) for line in lines) <= width
    assert not any(ESCAPE.sub("", line).endswith("  ") for line in lines if "█" not in line)


def bars(lines: str) -> list[tuple[int, int]]:
    """First and last column of each bar."""
    plain = [ESCAPE.sub("", line) for line in lines.splitlines() if "█" in line]
    return [(line.index("█"), line.rindex("█")) for line in plain]


def test_bars_follow_each_other_within_their_room(run_directory: Path) -> None:
    told = stories("failed", run_directory)
    found = bars(shown(told, width=100))
    assert len(found) == sum(len(way.steps) for way in told[0].ways)
    there = found[: len(told[0].ways[0].steps)]
    assert all(a[1] <= b[0] + 1 for a, b in itertools.pairwise(there))
    assert there[-1][1] - there[-1][0] > 15, "15 of 17 seconds"
    assert len({first for first, _ in there}) > 1


def test_a_narrow_terminal_has_no_bars(run_directory: Path) -> None:
    assert bars(shown(stories("returned", run_directory), width=60)) == []


def test_a_pipe_has_neither_colour_nor_bars_nor_wrapped_lines(run_directory: Path) -> None:
    plain = shown(stories("stuck", run_directory))
    assert "\x1b" not in plain
    assert "█" not in plain
    assert any(len(line) > 120 for line in plain.splitlines())


def test_what_failed_is_marked_without_colour_too(run_directory: Path) -> None:
    lines = shown(stories("stuck", run_directory)).splitlines()
    marked = [line for line in lines if line.startswith("!")]
    assert len(marked) == 3
    assert "could not give 0000:01:00.1 back" in marked[0]
    assert "unbind 0000:01:00.1 has not ended" in marked[1]
    assert "the host has its display, but not all" in marked[2]


def test_only_the_latest_of_many_are_listed(run_directory: Path) -> None:
    (story,) = stories("refused", run_directory)
    lines = shown([story] * 25).splitlines()
    assert lines[0].startswith("  (5 earlier")
    assert sum("win10: refused" in line for line in lines) == 20 + 1


def test_an_entry_as_it_happens(run_directory: Path) -> None:
    file = io.StringIO()
    out = Console(file=file, highlight=False, soft_wrap=True)
    for entry in entries(SCENES["refused"](run_directory)):
        text.show_entry(entry, out)
    lines = file.getvalue().splitlines()
    assert lines[:2] == [
        "18:00:00  win10  win10 was not started:",
        "                 the guest needs 4.0 GiB of memory, 0.0 GiB are free and ending the "
        "desktop frees 2.1 GiB",
    ]
    assert lines[-1] == "        vfiod plan 'win10'"


def renew() -> None:
    """Write the golden files."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    with tempfile.TemporaryDirectory() as name:
        for scene in SCENES:
            (GOLDEN / f"{scene}.txt").write_text(shown(stories(scene, Path(name))))


if __name__ == "__main__":
    renew()
