"""A function that answers, and one that was reset behind the kernel's back."""

import struct

import pytest

from vfiod.host.config_space import Region, find_fault, find_fault_of_virtual, parse_regions

# An RX 480 behind a port: 256 MiB and 2 MiB in 64-bit BARs, ports, 256 KiB of registers.
RESOURCE = """\
0x00000000e0000000 0x00000000efffffff 0x000000000014220c
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x00000000f0000000 0x00000000f01fffff 0x000000000014220c
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x000000000000e000 0x000000000000e0ff 0x0000000000040101
0x00000000fe900000 0x00000000fe93ffff 0x0000000000040200
0x00000000000c0000 0x00000000000dffff 0x0000000000000212
"""
REGIONS = parse_regions(RESOURCE)
BARS = (0xE000000C, 0, 0xF000000C, 0, 0xE001, 0xFE900000)


def header(command: int = 0x407, bars: tuple[int, ...] = BARS, vendor: int = 0x1002) -> bytes:
    start = struct.pack("<HHH", vendor, 0x67DF, command).ljust(0x10, b"\0")
    return (start + struct.pack("<6I", *bars)).ljust(64, b"\0")


def test_a_function_that_answers_has_no_fault() -> None:
    assert find_fault(header(), REGIONS) is None


def test_a_wiped_function_has_lost_its_addresses() -> None:
    fault = find_fault(header(command=0, bars=(12, 0, 12, 0, 1, 0)), REGIONS)
    assert fault is not None
    assert "BAR 0 reads 0, and its memory was at 0xe0000000" in fault
    assert "BAR 5" in fault


def test_one_bar_that_is_lost_is_enough() -> None:
    fault = find_fault(header(bars=(*BARS[:5], 0)), REGIONS)
    assert fault == (
        "it has lost its addresses, as after a reset: BAR 5 reads 0, and its memory was at "
        "0xfe900000"
    )


# A card on the second root complex of an aarch64 host: the processor sees its ports at 0x11000 and
# its memory above 4 GiB, the bus has both lower down.
APART = """\
0x0000600030000000 0x000060003fffffff 0x000000000014220c
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x0000600040000000 0x0000600040ffffff 0x0000000000040200
0x0000000000011000 0x000000000001107f 0x0000000000040101
"""


def test_the_processor_may_see_it_elsewhere_than_the_bus() -> None:
    regions = parse_regions(APART)
    assert find_fault(header(bars=(0x3000000C, 0, 0, 0, 0x40000000, 0x1001)), regions) is None
    fault = find_fault(header(bars=(0xC, 0, 0, 0, 0x40000000, 0x1001)), regions)
    assert "BAR 0 reads 0" in (fault or "")


def test_ports_may_be_at_0_and_say_nothing() -> None:
    assert find_fault(header(bars=(*BARS[:4], 1, BARS[5])), REGIONS) is None


def test_a_wide_bar_may_have_its_address_in_the_upper_half_alone() -> None:
    """Above 4 GiB, at a multiple of that, as a card of 24 GiB with all of it in one BAR."""
    regions = parse_regions("0x0000008000000000 0x00000087ffffffff 0x000000000014220c\n")
    assert find_fault(header(bars=(0xC, 0x80, 0, 0, 0, 0)), regions) is None
    assert find_fault(header(bars=(0xC, 0, 0, 0, 0, 0)), regions)


def test_one_that_is_switched_off() -> None:
    assert "switched off" in (find_fault(header(command=0x400), REGIONS) or "")


def test_one_that_has_left_the_bus() -> None:
    assert "not on the bus" in (find_fault(b"\xff" * 64, REGIONS) or "")


def test_one_that_cannot_be_read() -> None:
    assert "0 bytes" in (find_fault(b"", REGIONS) or "")


def test_a_bar_that_the_kernel_gave_no_address_is_no_fault() -> None:
    unset = Region(0x1000, 0x20040200)
    assert find_fault(header(bars=(0,) * 6), [unset, Region(0, 0x200)]) is None


def test_a_function_without_memory_need_not_be_switched_on() -> None:
    assert find_fault(header(command=0, bars=(0,) * 6), []) is None


@pytest.mark.parametrize("text", ["", "\n", "0x0 0x0\n"])
def test_a_file_that_says_nothing_has_no_regions(text: str) -> None:
    assert list(parse_regions(text)) == []


def test_a_virtual_function_that_is_well_reads_next_to_nothing() -> None:
    well = struct.pack("<HHHH", 0xFFFF, 0xFFFF, 0x0004, 0x0010).ljust(64, b"\0")
    assert find_fault_of_virtual(well) is None


def test_a_virtual_function_that_has_left_the_bus() -> None:
    assert "not on the bus" in (find_fault_of_virtual(b"\xff" * 64) or "")
