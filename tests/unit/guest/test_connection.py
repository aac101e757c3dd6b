"""What libvirt knows of a guest, by its own test driver."""

from collections.abc import Iterator

import libvirt
import pytest

from vfiod.guest import domain
from vfiod.guest.connection import Guests, look

URI = "test:///default"


def test_a_guest_is_found_with_its_state_and_definition() -> None:
    found = look("test", URI)
    assert found is not None
    assert found.state == "running"
    assert domain.parse(found.xml).name == "test"


@pytest.fixture
def saved() -> Iterator[None]:
    """The test driver's guests live as long as a connection to it is open."""
    connection = libvirt.open(URI)
    guest = connection.lookupByName("test")
    guest.managedSave()
    yield
    guest.managedSaveRemove()
    guest.create()


def test_a_saved_state_is_seen(saved: None) -> None:
    found = look("test", URI)
    assert found is not None
    assert found.saved
    assert Guests(URI, read_only=True).is_saved("test")


def test_without_one_a_guest_is_not_saved() -> None:
    found = look("test", URI)
    assert found is not None
    assert not found.saved
    assert not Guests(URI).is_saved("test")


def test_a_guest_that_libvirt_has_not_is_no_error() -> None:
    assert look("nobody", URI) is None
    assert look("../test", URI) is None
