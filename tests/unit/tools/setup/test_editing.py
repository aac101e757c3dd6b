"""Editing lines of other people's files: what is not certain is not done."""

import pytest

from vfiod.tools.setup import editing


def test_a_word_inside_quotes_is_not_the_option() -> None:
    line = b"""GRUB_CMDLINE_LINUX='x="nomodeset y" nomodeset'\n"""
    assert editing.replace_option(line, 1, "nomodeset") is None


def test_an_option_that_is_not_there_is_not_cut() -> None:
    assert editing.replace_option(b"GRUB_CMDLINE_LINUX='xnomodeset'\n", 1, "nomodeset") is None


def test_bytes_that_are_no_text_stay() -> None:
    data = b"# \xff\xfe\r\nGRUB_CMDLINE_LINUX='a nomodeset'\n\x80"
    cut = b"# \xff\xfe\r\nGRUB_CMDLINE_LINUX='a'\n\x80"
    assert editing.replace_option(data, 2, "nomodeset") == cut
    commented = editing.comment_out(b"\xff\nblacklist a\n\xfe", 2, 1)
    assert commented == b"\xff\n# taken out by vfiod setup: blacklist a\n\xfe"


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_lines_are_added_as_lines(end: bytes) -> None:
    former = editing.HEAD + b"# mine \xff" + end
    assert editing.add_lines(former, ["a"]) == editing.HEAD + b"# mine \xff\na\n"


def test_lines_that_are_there_are_not_added() -> None:
    former = editing.add_lines(None, ["a", "b"])
    assert former == editing.HEAD + b"a\nb\n"
    assert editing.add_lines(former, ["b"]) == former


def test_words_of_a_command_line_change_and_its_blanks_stay() -> None:
    data = b"root=/dev/sda1  quiet nomodeset\tro\n"
    changed = editing.change_words(data, {"nomodeset": "", "quiet": "loud"}, ["iommu=pt"])
    assert changed == b"root=/dev/sda1  loud ro iommu=pt\n"
    assert editing.change_words(b"", {}, ["a"]) == b"a\n"
    assert editing.change_words(b"a", {}, ["b"]) == b"a b\n"
    assert editing.change_words(b"a", {"x": ""}, []) == b"a", "nothing to do is nothing done"
    assert editing.change_words(b"a b\n", {"b": ""}, []) == b"a\n", "no blank is left at the end"


def test_comments_between_words_stay() -> None:
    data = b"# x a\na x\n# b\n"
    assert editing.change_words(data, {"x": ""}, ["c"]) == b"# x a\na c\n# b\n"
    assert editing.change_words(b"a\nx\n", {"x": ""}, []) == b"a\n"
    assert editing.change_words(b"x", {"x": ""}, ["c"]) == b"c\n"
    assert editing.change_words(b"# b\n", {}, ["c"]) == b"# b\nc\n"
