"""The reader of the ACPI table VFCT, on tables made by hand."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.roms import bios_image, vfct
from vfiod.errors import RomError
from vfiod.model import PciAddress, PciFunction
from vfiod.rom.vfct import VfctImage, find, parse

IDS = (0x1002, 0x67DF)
ROM = bios_image()
AT = (1, 0, 0)


def card(address: str = "0000:01:00.0", device: int = 0x67DF) -> PciFunction:
    return PciFunction(PciAddress.parse(address), 0x1002, device, 0x030000)


def test_one_image() -> None:
    assert parse(vfct((AT, IDS, ROM))) == (VfctImage(1, 0, 0, *IDS, ROM),)


def test_the_structure_is_the_kernel_s() -> None:
    """Byte for byte what amdgpu_acpi_vfct_bios reads where."""
    table = vfct((AT, IDS, ROM))
    assert struct.unpack_from("<I", table, 0x34) == (0x4C,)
    assert table[0x4C : 0x4C + 16] == struct.pack("<IIIHH", *AT, *IDS)
    assert struct.unpack_from("<I", table, 0x4C + 24) == (len(ROM),)
    assert table[0x4C + 28 :] == ROM


def test_images_of_several_cards() -> None:
    other = bios_image(ids=(0x1002, 0x164E))
    images = parse(vfct(((0x0B, 0, 0), (0x1002, 0x164E), other), (AT, IDS, ROM), offset=100))
    assert [i.data for i in images] == [other, ROM]
    found = find(images, card())
    assert found is not None
    assert found.data == ROM


def test_an_empty_image_is_none() -> None:
    assert parse(vfct((AT, IDS, b""), (AT, IDS, ROM))) == (VfctImage(1, 0, 0, *IDS, ROM),)
    assert parse(vfct()) == ()


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([(2, 0, 0)], 0),
        ([(2, 0, 0), (1, 0, 0)], 1),
        ([(2, 0, 0), (3, 0, 0)], None),
        ([(1, 0, 1), (1, 1, 0)], None),
        ([], None),
    ],
)
def test_the_card_is_found_even_if_its_bus_was_renumbered(
    places: list[tuple[int, int, int]], expected: int | None
) -> None:
    images = parse(vfct(*((place, IDS, ROM + bytes([n])) for n, place in enumerate(places))))
    found = find(images, card())
    assert found == (None if expected is None else images[expected])


def test_a_card_of_another_kind_or_domain_is_not_taken() -> None:
    images = parse(vfct((AT, IDS, ROM), ((2, 0, 0), IDS, ROM)))
    assert find(images, card(device=0x73BF)) is None
    assert find(images, card("0001:01:00.0")) is None


def test_what_is_whole_before_the_damage_is_kept() -> None:
    table = vfct((AT, IDS, ROM), ((2, 0, 0), IDS, ROM))
    for lost in (1, len(ROM), len(ROM) + 1, len(ROM) + 27):
        cut = bytearray(table[:-lost])
        struct.pack_into("<I", cut, 4, len(cut))
        assert [i.bus for i in parse(bytes(cut))] == [1]


def damaged(at: int, value: int) -> bytes:
    table = bytearray(vfct((AT, IDS, ROM)))
    struct.pack_into("<I", table, at, value)
    return bytes(table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"", "not a VFCT table"),
        (b"VFCT", "not a VFCT table"),
        (b"SSDT" + vfct()[4:], "not a VFCT table"),
        (damaged(4, 2**32 - 1), "is damaged: length 4294967295, first image at 76"),
        (damaged(4, 20), "is damaged: length 20"),
        (damaged(0x34, 0), "first image at 0"),
        (damaged(0x4C + 24, 2**32 - 1), "it ends within the image at 0x68"),
        (damaged(4, 80), "it ends within the header at 0x4c"),
    ],
)
def test_damage_is_named(table: bytes, message: str) -> None:
    with pytest.raises(RomError) as caught:
        parse(table)
    assert message in caught.value.message
    assert caught.value.hint


@given(st.integers(0, 200), st.binary(min_size=1, max_size=8), st.integers(0, 2500))
def test_any_damage_gives_images_or_an_error(at: int, new: bytes, end: int) -> None:
    table = vfct((AT, IDS, ROM), ((2, 0, 0), IDS, ROM))
    table = (table[:at] + new + table[at + len(new) :])[:end]
    assert outcome(table)


def outcome(table: bytes) -> str:
    try:
        return f"{sum(len(image.data) for image in parse(table))} bytes"
    except RomError as error:
        return error.hint
