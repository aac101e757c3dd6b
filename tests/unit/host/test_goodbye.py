"""What comes back from a person's program is read as a stranger's word."""

import json

import pytest

from vfiod.errors import HostError
from vfiod.host.goodbye import MOST_BYTES, Answer, Outcome, decode, encode


@pytest.mark.parametrize("outcome", Outcome)
def test_an_answer_comes_back_as_it_was(outcome: Outcome) -> None:
    answer = Answer(outcome, ("gedit (2 unsaved files)", "Gäst"))
    assert decode(encode(answer) + "\n") == answer


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[]", "null", "3", "[" * 9000, '{"outcome": "done"}', "{" * MOST_BYTES,
        '{"outcome": "yes", "waits_for": []}', '{"outcome": ["done"], "waits_for": []}',
        '{"outcome": "done", "waits_for": "gedit"}', '{"outcome": "done", "waits_for": [1]}',
        '{"outcome": "done", "waits_for": {"a": 1}}', "done",
    ],
)  # fmt: skip
def test_what_is_no_answer_is_told_in_words(text: str) -> None:
    with pytest.raises(HostError, match="no answer of the program that was to ask"):
        decode(text)


def test_what_is_too_long_is_cut_and_what_steers_a_terminal_is_not_printed() -> None:
    things = ["\x1b[2Jgedit\n", "x" * 4000, *("y" for _ in range(30))]
    answer = decode(json.dumps({"outcome": "unanswered", "waits_for": things}))
    assert answer.waits_for[0] == "?[2Jgedit?"
    assert len(answer.waits_for) == 10
    assert max(map(len, answer.waits_for)) == 120
