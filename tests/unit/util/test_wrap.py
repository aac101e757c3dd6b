"""Lines that go on below their own beginning."""

import pytest

from tests.parsers import command_lines
from vfiod.util.wrap import VERBS, beginning, hang, wrap

TEXT = """\
A sentence that is longer than a narrow terminal is wide, with --an-option at its end.
  1. an item of a list that is longer than a narrow terminal is wide as well
  sudo vfiod init a-guest-with-a-long-name --device 0000:01:00.0 --dry-run
    once that is set right, have it tried again: sudo vfiod return --force
Should it hang, run: sudo vfiod return --destroy. Try now whether that is possible at all.
short"""


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_but_a_command_is_wider_than_the_terminal(width: int) -> None:
    wide = [line for line in wrap(TEXT, width) if len(line) > width]
    assert all(line.lstrip().startswith("sudo vfiod init") for line in wide)
    assert " ".join(" ".join(wrap(TEXT, width)).split()) == " ".join(TEXT.split())


def test_a_line_goes_on_below_its_beginning() -> None:
    lines = wrap(TEXT, 40)
    assert "  1. an item of a list that is longer" in lines
    assert "     than a narrow terminal is wide as" in lines


def test_a_command_stays_whole() -> None:
    assert TEXT.splitlines()[2] in wrap(TEXT, 40)
    assert wrap(TEXT.splitlines()[3], 40) == [
        "    once that is set right, have it",
        "    tried again:",
        "    sudo vfiod return --force",
    ]


def test_a_command_within_a_sentence_is_a_part_of_it() -> None:
    assert wrap(TEXT.splitlines()[4], 40)[0] == "Should it hang, run: sudo vfiod return"


def test_every_command_of_vfiod_is_one_and_a_sentence_about_it_is_none() -> None:
    assert {line.split()[1] for line in command_lines()} == set(VERBS)
    assert len(wrap("vfiod hands devices only to guests that are named there.", 40)) == 2


def test_a_pipe_has_the_lines_as_they_are() -> None:
    assert wrap(TEXT, None) == TEXT.splitlines()


def test_a_word_longer_than_the_line_stays_whole() -> None:
    path = "/var/lib/libvirt/images/a-guest-with-a-long-name.qcow2"
    assert wrap(f"its disk is {path}", 40) == ["its disk is", path]


def test_text_beside_a_label() -> None:
    assert hang("why: ", "one two three four five six", 25) == [
        "why: one two three four", "     five six",
    ]  # fmt: skip
    assert hang("run: ", "one two three four five six", 25, whole=True) == [
        "run: one two three four five six"
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("   12. x", "   12. "),
        ("  vfct    x", "  vfct    "),
        ("  - x", "  - "),
        ("! x", "! "),
        ("x - y", ""),
        ("  x", "  "),
    ],
)
def test_where_the_words_begin(line: str, found: str) -> None:
    assert beginning(line) == found
