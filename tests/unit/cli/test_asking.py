"""What a person is told before their work ends, and that nobody's text is taken for markup."""

from vfiod.cli.asking import plain, question, whose_work_ends
from vfiod.handoff.decision.ending import Person

ALICE, BOB = Person("alice", ("Firefox", "LibreOffice")), Person("bob", ("vi",))


def test_one_s_own_session_comes_first() -> None:
    assert whose_work_ends([BOB, ALICE], "alice") == [
        "Your session will end. Still open: Firefox, LibreOffice.",
        "The work of bob: vi ends.",
    ]


def test_the_question_names_the_guest() -> None:
    assert question("win11", [Person("alice")], "alice") == (
        "Your session will end.\n\nStart win11?"
    )
    assert question("win11", [], "alice").startswith("Nobody's work ends.")


def test_nobody_s_text_is_markup() -> None:
    evil = Person("alice", ("<b>bold</b>&amp;", "a\\nb", "x\x1b[2J\u202e"))
    text = question("<i>", [evil], "alice")
    assert not set(text) & set("<>&\\\x1b\u202e")


def test_line_breaks_are_ours() -> None:
    assert plain("a\nb\r\t") == "a\nb"
