"""What vfiod says of each PC in tests/data/corpus; each was reviewed against what is known of it.

After a change that is meant to alter it, write the verdicts anew and review the difference:

    UPDATE_GOLDEN=1 build/venv/bin/python -m pytest -q tests/test_corpus.py && git diff tests/data
"""

import os
from pathlib import Path

import pytest

from tests import hosts
from tests.corpus import verdict
from tests.corpus.pc import parse
from tests.corpus.tree import materialise
from tests.corpus.write import write

FOLDER = Path(__file__).parent / "data/corpus"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
# Above it is the PC, below it what vfiod says.
RULE = "----\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_was_reviewed(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.txt"
    pc, _, reviewed = path.read_text(encoding="utf-8").partition(RULE)
    said = verdict.of(materialise(parse(pc), tmp_path))
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(f"{pc}{RULE}{said}", encoding="utf-8")
        reviewed = said
    assert said == reviewed


@pytest.mark.parametrize("name", hosts.NAMES)
def test_a_recording_means_the_same_in_short(name: str, tmp_path: Path) -> None:
    recorded = hosts.build(name, tmp_path / "recorded")
    short = materialise(parse(write(recorded, "Recorded.")), tmp_path / "short")
    assert _sets(short) == _sets(recorded)


def _sets(root: Path) -> list[str]:
    """Without what a device is needed for: names of interfaces and swap are not kept."""
    return [line.partition(" for ")[0] for line in verdict.groups_of(root)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 00:01.0 1022:1483", "line 4: neither a key nor a PCI function"),
        ("1 00:01.0 1022:1483 0604 gibberish", "line 4: unknown word 'gibberish'"),
        ("colour red", "line 4: neither"),
    ],
)
def test_what_is_not_of_the_format_is_refused(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(f"cpu AMD\nkernel 6.1\npci\n{line}\n")
