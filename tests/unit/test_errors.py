"""An error as text, over the bus and back."""

import pytest

from vfiod.bus.errors import BusError
from vfiod.cli.client import _translate_error
from vfiod.errors import Busy, ConfigError, HostError, Refused, Stuck, VfiodError, parts_of

FAULTS = ConfigError(["a.yaml:1:2: x: is 'a; b'; write c", "a.yaml does not exist"])
REFUSED = Refused([HostError("no memory", "close programs"), HostError("no ROM"), FAULTS])


def test_each_fault_has_its_line_and_its_remedy_one_below() -> None:
    assert str(FAULTS) == "a.yaml:1:2: x: is 'a; b'\n    write c\na.yaml does not exist"
    assert str(REFUSED) == f"no memory\n    close programs\nno ROM\n{FAULTS}"


def test_several_things_to_do_are_several_lines() -> None:
    assert (
        str(Stuck("dark\nlate", "1. wait\n2. reboot")) == "dark\nlate\n    1. wait\n    2. reboot"
    )


@pytest.mark.parametrize(
    "error",
    [FAULTS, REFUSED, Busy("it runs", "end it"), Stuck("dark\nlate", "1. wait\n2. reboot")],
    ids=lambda error: type(error).__name__,
)
def test_what_goes_over_the_bus_comes_back_as_it_was(error: VfiodError) -> None:
    back = _translate_error(BusError(str(error), error.dbus_name))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert back.exit_code == error.exit_code


def test_a_text_without_a_beginning_is_one_all_the_same() -> None:
    assert [part.message for part in parts_of("    odd\n    x")] == ["    odd"]
    assert parts_of("") == ()
