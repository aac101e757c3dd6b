"""What is said, and looked at, before a person agrees to the end of the desktop."""

import pytest

from vfiod.cli.ready import describe, warning
from vfiod.errors import UnknownGuest


def test_whose_work_ends_is_said_by_name() -> None:
    said = describe("win10", "win10 is started.", ("alice (firefox)", "bob"))
    assert said.splitlines()[:2] == [
        "win10 is started.",
        "The desktop ends, and with it the work of alice (firefox), bob. "
        "What is not saved in it is lost.",
    ]


def test_what_is_to_be_typed_has_the_name_as_one_word() -> None:
    said = describe("Windows 11", "Windows 11 is started.", ())
    assert said.splitlines()[-1] == "  sudo vfiod log 'Windows 11' --last"


def test_the_desktop_ends_whoever_it_is() -> None:
    """Another user than root is not told, as not everything may be read."""
    assert "\nThe desktop ends. What is not saved in it is lost.\n" in describe("win10", "x", ())


def test_a_desktop_on_another_card_stays() -> None:
    assert describe("win10", "win10 is started.", None).splitlines()[1] == "The desktop stays."


def test_the_configuration_is_looked_at_before_anything_else() -> None:
    with pytest.raises(UnknownGuest) as caught:
        warning("a guest of nobody's", "x")
    assert caught.value.hint.endswith("sudo vfiod init 'a guest of nobody'\"'\"'s'")
