"""Facts as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiod.model import PciAddress, PciFunction, Session


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0000:01:00.0", PciAddress(0, 1, 0, 0)),
        ("01:00.1", PciAddress(0, 1, 0, 1)),
        ("0001:0A:1f.7", PciAddress(1, 10, 31, 7)),
        ("10000:00:02.0", PciAddress(0x10000, 0, 2, 0)),
    ],
)
def test_an_address_is_read_as_the_kernel_writes_it(text: str, address: PciAddress) -> None:
    assert PciAddress.parse(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "01:00", "0000:01:00.8", "0000:01:20.0", "0000:1:00.0", " 01:00.0", "01:00.0\n", "1:00.0",
     "0000:01:00.0 ", "000:01:00.0", "gg:00.0", "\u06601:00.0"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="not a PCI address"):
        PciAddress.parse(text)


@given(
    st.builds(
        PciAddress,
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 255),
        st.integers(0, 31),
        st.integers(0, 7),
    )
)
def test_an_address_reads_back_as_it_is_written(address: PciAddress) -> None:
    assert PciAddress.parse(str(address)) == address


def test_addresses_are_ordered_and_know_their_slot() -> None:
    first, second, other = map(PciAddress.parse, ("01:00.0", "01:00.1", "02:00.0"))
    assert first < second < other
    assert first.same_slot(second)
    assert not second.same_slot(other)
    assert not first.same_slot(PciAddress.parse("0001:01:00.0"))


@pytest.mark.parametrize(
    ("code", "display", "bridge"),
    [(0x030000, True, False), (0x038000, True, False), (0x060400, False, True),
     (0x040300, False, False), (0x0C0330, False, False)],
)  # fmt: skip
def test_what_a_function_is(*, code: int, display: bool, bridge: bool) -> None:
    function = PciFunction(PciAddress.parse("01:00.0"), 0x1002, 0x73BF, code)
    assert (function.is_display, function.is_bridge) == (display, bridge)
    assert str(function) == "0000:01:00.0 [1002:73bf]"


@pytest.mark.parametrize("kind", ["greeter", "lock-screen", "manager", "background"])
def test_only_a_session_of_class_user_is_a_persons(kind: str) -> None:
    assert Session("1", "alice", 1000, "seat0", "user").is_person
    assert not Session("1", "alice", 1000, "seat0", kind).is_person
