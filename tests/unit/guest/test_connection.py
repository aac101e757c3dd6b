"""What libvirt knows of a guest, by its own test driver."""

from vfiod.guest import domain
from vfiod.guest.connection import look

URI = "test:///default"


def test_a_guest_is_found_with_its_state_and_definition() -> None:
    found = look("test", URI)
    assert found is not None
    assert found.state == "running"
    assert domain.parse(found.xml).name == "test"


def test_a_guest_that_libvirt_has_not_is_no_error() -> None:
    assert look("nobody", URI) is None
    assert look("../test", URI) is None
