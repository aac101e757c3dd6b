"""The option ROM reader, on ROMs made here and on those of SeaBIOS where they are installed."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.roms import EFI_E1000, SHIPPED, STDVGA, checksummed, uefi_image
from vfiod.errors import RomError
from vfiod.rom import image as rom
from vfiod.rom.image import (
    CodeType,
    Machine,
    Rom,
    RomImage,
    UefiDriver,
    check,
    header_before,
    parse,
)

PCIR = 0x20


def make_rom(
    *,
    vendor: int = 0x1234,
    device: int = 0x1111,
    code_type: int = 0,
    last: bool = True,
    units: int = 2,
    revision: int = 0,
    devices: tuple[int, ...] = (),
) -> bytes:
    """Build one image: header, PCI data structure at 0x20, its device list behind that."""
    listed = struct.pack(f"<{len(devices) + 1}H", *devices, 0)
    pointer = 0x1C if devices else 0
    data = struct.pack("<4sHHHHB3sHHBBH", b"PCIR", vendor, device, pointer, 0x1C, revision,
                       b"\0\0\3", units, 0, code_type, 0x80 * last, 0)  # fmt: skip
    header = b"\x55\xaa\x02".ljust(0x18, b"\0") + struct.pack("<H", PCIR)
    return (header.ljust(PCIR, b"\0") + data.ljust(0x1C, b"\0") + listed).ljust(1024, b"\x90")


def patched(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def refused(data: bytes) -> RomError:
    with pytest.raises(RomError) as caught:
        parse(data)
    assert caught.value.hint
    return caught.value


def test_one_image() -> None:
    image = RomImage(
        0, 1024, 0x1234, 0x1111, code_type=CodeType.BIOS, last=True, class_code=0x030000,
        sum_is_zero=False,
    )  # fmt: skip
    assert parse(make_rom()) == Rom((image,))
    assert parse(make_rom()).complete


def test_a_chain_of_images() -> None:
    data = make_rom(last=False) + make_rom(code_type=3) + b"\xff" * 300
    found = parse(data)
    assert [(i.offset, i.length, i.code_type, i.last) for i in found.images] == [
        (0, 1024, CodeType.BIOS, False),
        (1024, 1024, CodeType.UEFI, True),
    ]
    assert found.has_uefi
    assert found.ids == ((0x1234, 0x1111),)


def test_a_bios_alone_is_nothing_for_uefi() -> None:
    assert not parse(make_rom()).has_uefi


def test_code_types_of_a_vendor_are_numbers() -> None:
    assert parse(make_rom(code_type=0xE0)).images[0].code_type == 0xE0


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_roms_that_debian_ships(path: Path) -> None:
    """SeaBIOS and iPXE build them with their own tools: sums are right, the last is marked.

    What may follow (in Debian 13) fills the file up to a power of two.
    """
    data = path.read_bytes()
    found = parse(data)
    assert found.complete
    assert not data[found.end :].strip(b"\xff")
    for image in found.images:
        assert image.sum_is_zero is (True if image.code_type == CodeType.BIOS else None)
        assert (image.uefi is not None) == (image.code_type == CodeType.UEFI)


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        pytest.param(make_rom(), (0x1234, 0x1111), id="made here"),
        pytest.param(STDVGA.read_bytes(), (0x1234, 0x1111), id="stdvga"),
        pytest.param(EFI_E1000.read_bytes(), (0x8086, 0x100E), id="efi-e1000"),
    ],
)
def test_roms_that_work(data: bytes, ids: tuple[int, int]) -> None:
    assert check(data, vendor=ids[0], device=ids[1]).complete


def test_a_real_uefi_image_tells_its_machine() -> None:
    bios, uefi = parse(EFI_E1000.read_bytes()).images
    assert (bios.code_type, bios.uefi) == (CodeType.BIOS, None)
    assert uefi.uefi in {UefiDriver(Machine.X64, compressed=is_) for is_ in (False, True)}
    assert uefi.class_code == 0x020000


def test_a_uefi_image_tells_whether_it_is_compressed() -> None:
    (image,) = parse(uefi_image(machine=Machine.AARCH64, compressed=True)).images
    assert image.uefi == UefiDriver(Machine.AARCH64, compressed=True)


def test_a_uefi_image_without_its_signature_has_no_driver() -> None:
    (image,) = parse(patched(uefi_image(), 4, b"\0")).images
    assert image.code_type == CodeType.UEFI
    assert image.uefi is None


def test_one_changed_byte_spoils_the_sum() -> None:
    data = checksummed(make_rom())
    assert parse(data).images[0].sum_is_zero
    assert not parse(patched(data, 900, b"\1")).images[0].sum_is_zero


@pytest.mark.parametrize("units", [0, 3])
def test_a_sum_over_nothing_or_too_much_is_wrong(units: int) -> None:
    data = patched(bytes(1024), 0, make_rom()[:0x40])
    assert not parse(patched(data, 2, bytes([units]))).images[0].sum_is_zero


@pytest.mark.parametrize(
    ("device", "revision"), [(0x1111, 0), (0x1111, 3), (0x2222, 3), (0x3333, 3)]
)
def test_check_takes_the_ids_of_the_device_list(device: int, revision: int) -> None:
    data = make_rom(revision=revision, devices=(0x2222, 0x3333))
    assert check(data, vendor=0x1234, device=device).images


def test_no_device_list() -> None:
    assert parse(make_rom(revision=3)).images[0].more_devices == ()


def test_a_data_structure_at_the_very_end() -> None:
    data = make_rom()
    moved = data[:-0x16] + data[PCIR : PCIR + 0x16]
    assert parse(patched(moved, 0x18, struct.pack("<H", 1024 - 0x16))).images


def test_check_takes_any_image() -> None:
    data = make_rom(device=1, last=False) + make_rom(device=2)
    assert check(data, vendor=0x1234, device=2).ids == ((0x1234, 1), (0x1234, 2))


@pytest.mark.parametrize(
    ("data", "vendor", "message"),
    [
        (make_rom(), 0x10DE, "the ROM is for 1234:1111, the card is 10de:2222"),
        (make_rom(), 0x1234, "the ROM is for 1234:1111, the card is 1234:2222"),
        (make_rom(devices=(0x2222,)), 0x1234, "the ROM is for 1234:1111, the card is 1234:2222"),
        (
            make_rom(revision=3, devices=(1, 2, 3, 4)),
            0x1234,
            "the ROM is for 1234:1111, 1234:0001, 1234:0002, 1234:0003, ..., the card is 1234:2222",
        ),
    ],
)
def test_check_says_what_the_rom_is_for(data: bytes, vendor: int, message: str) -> None:
    with pytest.raises(RomError) as caught:
        check(data, vendor=vendor, device=0x2222)
    assert caught.value.message == message
    assert "this very card" in caught.value.hint


def test_a_rom_for_any_device_of_the_maker_fits_all_of_its_cards() -> None:
    data = make_rom(device=0xFFFF, code_type=CodeType.UEFI)
    assert check(data, vendor=0x1234, device=0x1640).has_uefi
    with pytest.raises(RomError, match="is for any device of 1234, the card is 1002:1640"):
        check(data, vendor=0x1002, device=0x1640)


def test_check_refuses_what_parse_refuses() -> None:
    with pytest.raises(RomError, match="is empty"):
        check(b"", vendor=0x1234, device=0x1111)


def test_a_device_list_ends_with_the_image() -> None:
    data = make_rom(revision=3, devices=(7,) * 482)
    assert len(parse(data + make_rom()).images[0].more_devices) == 482


def test_a_device_list_is_not_read_endlessly() -> None:
    data = make_rom(revision=3, units=0xFFFF, devices=(7,)).replace(b"\x90", b"") + b"\7" * 2**20
    data = patched(data, PCIR + 0x10, struct.pack("<H", len(data) // 512)).replace(
        b"\7\0\0\0", b"\7\7"
    )
    assert len(parse(data).images[0].more_devices) == 1024


REFUSED = [
    (b"", "the ROM is empty"),
    (bytes(rom.MAX_BYTES + 1), "the ROM has 16777217 bytes, more than the 16777216 PCI allows"),
    (b"\xff" * 1024, "not an option ROM: every byte is FF, so the card did not answer"),
    (bytes(1024), "not an option ROM: every byte is 00, so the card did not answer"),
    (b"\x55", "not an option ROM: it does not start with 55 AA"),
    (
        b"NVGI" + bytes(600),
        "not an option ROM: it does not start with 55 AA (NVGI, by nvflash or GPU-Z)",
    ),
    (bytes(600) + b"\x55\xaa" + bytes(600), "not an option ROM: it does not start with 55 AA"),
    (b"\x55\xaa", "the ROM is cut off or damaged: it ends within the image at 0x0"),
    (make_rom()[:0x18], "the ROM is cut off or damaged: it ends within the image at 0x0"),
    (make_rom()[:0x30], "the ROM is cut off or damaged: it ends within the image at 0x0"),
    (
        patched(make_rom(), 0x18, b"\xff\xff"),
        "the ROM is cut off or damaged: it ends within the im",
    ),
    (make_rom()[:1023], "the ROM is cut off: it has 1023 bytes, an image of it ends at 1024"),
    (make_rom(units=3), "the ROM is cut off: it has 1024 bytes, an image of it ends at 1536"),
    (patched(make_rom(), PCIR, b"PCIX"), "the image at 0x0 has no PCI data structure (PCIR)"),
    (patched(make_rom(), 0x18, b"\0\0"), "the image at 0x0 has no PCI data structure (PCIR)"),
    (make_rom(units=0), "the ROM is damaged: the image at 0x0 has length 0"),
    (make_rom(last=False) + b"\x55\xaa", "cut off or damaged: it ends within the image at 0x400"),
    (
        make_rom(last=False) + make_rom(units=0),
        "the ROM is damaged: the image at 0x400 has length 0",
    ),
]


@pytest.mark.parametrize(("data", "expected"), REFUSED, ids=[e[:60] for _, e in REFUSED])
def test_what_is_refused(data: bytes, expected: str) -> None:
    error = refused(data)
    assert expected in error.message
    assert "this very card" in error.hint


def test_the_largest_rom_is_read() -> None:
    assert parse(make_rom() + bytes(rom.MAX_BYTES - 1024)).images


@pytest.mark.parametrize("header", [b"NVGI" + bytes(0x5FC), b"\x55\xaa" * 300, b"\0" * 513])
def test_a_header_before_the_rom_is_measured(header: bytes) -> None:
    data = header + make_rom(vendor=0x10DE)
    if not header.startswith(b"\x55"):
        error = refused(data)
        assert error.message.startswith(
            f"the ROM does not start with 55 AA: {len(header)} bytes of"
        )
        assert ("NVGI, by nvflash" in error.message) == header.startswith(b"NVGI")
        assert error.hint == "Cut them off: vfiod rom check OLD --fix NEW"
        assert header_before(data) == len(header)
        assert parse(data[len(header) :]).images
    else:
        assert "damaged" in refused(data).message


def test_a_header_with_false_starts_is_measured() -> None:
    header = b"NVGI" + b"\x55\xaa" * 20
    assert f" {len(header)} bytes of header" in refused(header + make_rom()).message


@pytest.mark.parametrize("data", [b"", bytes(600), STDVGA.read_bytes(), b"\0\x55\xaa" + bytes(99)])
def test_no_header_is_found_where_none_is(data: bytes) -> None:
    assert header_before(data) == 0


@pytest.mark.parametrize("rest", [b"", bytes(1024), b"\x77\xbb" + bytes(99), b"VN" + bytes(99)])
def test_a_chain_that_breaks_off_is_read_as_far_as_it_goes(rest: bytes) -> None:
    """The legacy image alone, as VFCT and old firmware keep it; firmware runs it (SeaBIOS)."""
    data = make_rom(last=False) + rest
    found = parse(data)
    assert len(found.images) == 1
    assert not found.complete
    assert rom.vendor_data_follows(data, found) == rest.startswith((b"\x77\xbb", b"VN"))


@given(st.binary(max_size=200) | st.binary(max_size=200).map(make_rom().__add__))
def test_any_bytes_give_a_rom_or_an_error_of_its_own(data: bytes) -> None:
    assert outcome(data)


@given(st.integers(0, 0x3F), st.binary(min_size=1, max_size=8), st.integers(0, 1100))
def test_any_damage_gives_a_rom_or_an_error_of_its_own(at: int, new: bytes, end: int) -> None:
    assert outcome(patched(make_rom(revision=3, devices=(1, 2)), at, new)[:end])


REAL = EFI_E1000.read_bytes()


@given(st.integers(0, len(REAL) - 1), st.binary(min_size=1, max_size=8), st.integers(0, len(REAL)))
def test_any_damage_of_a_real_rom_gives_a_rom_or_an_error(at: int, new: bytes, end: int) -> None:
    assert outcome(patched(REAL, at, new)[:end])


def outcome(data: bytes) -> object:
    try:
        return parse(data).images
    except RomError as error:
        return error.message
