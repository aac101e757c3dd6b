"""Title and system of a definition; what is not there is empty."""

from vfiod.guest import description
from vfiod.guest.description import Description

OS = "http://libosinfo.org/xmlns/libvirt/domain/1.0"
WINDOWS = "http://microsoft.com/win/11"
METADATA = f"<metadata><l:libosinfo xmlns:l='{OS}'><l:os id='{WINDOWS}'/></l:libosinfo></metadata>"


def test_both_are_read() -> None:
    xml = f"<domain><title>For games</title>{METADATA}</domain>"
    assert description.read(xml) == Description("For games", WINDOWS)


def test_a_definition_need_have_neither() -> None:
    assert description.read("<domain/>") == Description("", "")


def test_an_os_of_somebody_else_s_namespace_is_none() -> None:
    assert description.read(f"<domain><os id='{WINDOWS}'/></domain>").system == ""


def test_a_title_is_one_line_of_bounded_length() -> None:
    title = description.read(f"<domain><title>a\n\tb\x85c{'d' * 900}</title></domain>").title
    assert title.startswith("a b cddd")
    assert len(title) == 200
