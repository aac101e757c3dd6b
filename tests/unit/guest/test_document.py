"""The text of domain XML: what is not to be trusted is refused before anything is made of it."""

import pytest

from tests.unit.guest.test_domain import HEAD, refused, xml
from vfiod.guest.document import MAX_BYTES
from vfiod.guest.domain import parse

REFUSED = [
    ("", "not well formed: no element found at line 1, column 1"),
    ("<domain>", "not well formed: no element found at line 1, column 9"),
    ("<domain>\n<a></b></domain>", "not well formed: mismatched tag at line 2, column 6"),
    ("\x00", "not well formed"),
    ("\ud800", "not valid Unicode"),
    ("<!DOCTYPE domain><domain/>", "has a document type (DOCTYPE)"),
    ("<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>", "has a document type (DOCTYPE)"),
    ("<!DOCTYPE d [<!ENTITY a 'b'>]><domain>&a;</domain>", "has a document type (DOCTYPE)"),
    ("<domain>&a;</domain>", "not well formed: undefined entity"),
    (65 * "<a>" + 65 * "</a>", "nested deeper than 64 elements"),
    (700_000 * "<a>", "nested deeper than 64 elements"),
    (" " * (MAX_BYTES + 1), "larger than 4 MiB"),
    ("ä" * (MAX_BYTES // 2 + 1), "larger than 4 MiB"),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED, ids=[e[:50] for _, e in REFUSED])
def test_what_is_refused(text: str, expected: str) -> None:
    assert expected in refused(text)


def test_entities_are_not_even_expanded() -> None:
    entities = "".join(f"<!ENTITY e{i + 1} '{10 * f'&e{i};'}'>" for i in range(9))
    bomb = f"<!DOCTYPE d [<!ENTITY e0 'ha'>{entities}]><domain>&e9;</domain>"
    assert "DOCTYPE" in refused(bomb)


def test_the_encoding_a_text_declares_is_not_its_encoding() -> None:
    text = "<?xml version='1.0' encoding='UTF-16'?>" + xml()
    assert parse(text).name == "win10"


def test_deep_but_not_too_deep() -> None:
    deep = 63 * "<a>" + 63 * "</a>"
    assert parse(xml(head=HEAD + deep)).name == "a"
    assert "nested deeper" in refused(xml(head=HEAD + 99 * "<a/>" + f"<a>{deep}</a>"))


def test_the_largest_text_is_read() -> None:
    text = xml()
    assert parse(text + " " * (MAX_BYTES - len(text))).name == "win10"
