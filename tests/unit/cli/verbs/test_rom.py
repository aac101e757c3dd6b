"""vfiod rom as it is typed, on the ROMs that Debian ships and on damaged ones."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.roms import EFI_E1000, SHIPPED, STDVGA
from vfiod.cli import rom_cards
from vfiod.cli.main import main
from vfiod.cli.verbs import rom_dump
from vfiod.errors import HostError
from vfiod.rom.image import parse
from vfiod.util import files

NOWHERE = "fffe:fe:1e.7"
WRAPPED = b"NVGI" + bytes(1532) + STDVGA.read_bytes()


@pytest.fixture
def wrapped(tmp_path: Path) -> Path:
    path = tmp_path / "gpuz.rom"
    path.write_bytes(WRAPPED)
    return path


def typed(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main(["rom", *map(str, words)])
    out, err = capsys.readouterr()
    return status, out, err


def as_json(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    status, out, _ = typed(capsys, *words, "--json")
    assert status == 0
    return json.loads(out)


def test_show_lists_the_images(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = typed(capsys, "show", EFI_E1000)
    assert status == 0
    head, bios, uefi, *_ = out.splitlines()
    assert head == f"{EFI_E1000}: {EFI_E1000.stat().st_size} bytes"
    assert "0x000000" in bios
    assert "8086:100e  BIOS, checksum good" in bios
    assert re.search("UEFI for x86-64(, compressed)?, last$", uefi)


def test_show_counts_what_follows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "long.rom"
    path.write_bytes(STDVGA.read_bytes() + bytes(2048))
    assert "2.0 KiB  behind the last image" in typed(capsys, "show", path)[1]


def test_show_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    images = as_json(capsys, "show", EFI_E1000)["images"]
    (_, uefi) = parse(EFI_E1000.read_bytes()).images
    assert uefi.uefi is not None
    compressed = ", compressed" * uefi.uefi.compressed
    assert [image["kind"] for image in images] == ["BIOS", f"UEFI for x86-64{compressed}"]
    assert images[1]["machine"] == "x86-64"
    assert images[1]["compressed"] is uefi.uefi.compressed
    assert (images[0]["last"], images[1]["last"]) == (False, True)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_roms_pass(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    assert as_json(capsys, "check", path)["level"] in ("ok", "warn")


def test_what_is_no_rom_is_status_3(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "no.rom"
    path.write_bytes(b"\xff" * 4096)
    status, out, _ = typed(capsys, "check", path)
    assert status == 3
    assert out.startswith("FAIL  not an option ROM: every byte is FF")
    status, _, err = typed(capsys, "show", path)
    assert status == 3
    assert "every byte is FF" in err


def test_a_header_is_cut_into_a_new_file(
    capsys: pytest.CaptureFixture[str], wrapped: Path, tmp_path: Path
) -> None:
    status, out, _ = typed(capsys, "check", wrapped)
    assert status == 3
    assert "--fix" in out
    new = tmp_path / "cut.rom"
    status, out, err = typed(capsys, "check", wrapped, "--fix", new)
    assert status == 0
    assert "without the 1536 bytes" in err
    assert out.startswith("ok    an option ROM")
    assert new.read_bytes() == STDVGA.read_bytes()
    assert wrapped.read_bytes() == WRAPPED


@pytest.mark.parametrize("there", ["file", "link", "itself"])
def test_nothing_is_ever_overwritten(
    capsys: pytest.CaptureFixture[str], wrapped: Path, tmp_path: Path, there: str
) -> None:
    new = wrapped if there == "itself" else tmp_path / "cut.rom"
    if there == "file":
        new.write_bytes(b"mine")
    elif there == "link":
        new.symlink_to(tmp_path / "dangling")
    before = new.read_bytes() if new.exists() else None
    status, _, err = typed(capsys, "check", wrapped, "--fix", new)
    assert status == 6
    assert "exists already, and nothing is ever overwritten" in err
    assert (new.read_bytes() if new.exists() else None) == before
    assert not (tmp_path / "dangling").exists()


@pytest.mark.parametrize("data", [STDVGA.read_bytes(), b"NVGI" + bytes(99), WRAPPED[:9000]])
def test_without_a_header_and_a_rom_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: bytes
) -> None:
    old, new = tmp_path / "old.rom", tmp_path / "new.rom"
    old.write_bytes(data)
    status, _, err = typed(capsys, "check", old, "--fix", new)
    assert status == 3
    assert "header" in err or "cut off" in err
    assert not new.exists()


@pytest.mark.parametrize(
    "words",
    [("check", STDVGA, "--for", NOWHERE), ("show", NOWHERE), ("dump", NOWHERE, "/nowhere/x.rom")],
)
def test_a_card_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], words: tuple[object, ...]
) -> None:
    status, _, err = typed(capsys, *words)
    if words[0] == "dump" and "only root" in err:
        assert status == 8
    else:
        assert status == 6
        assert f"the device {NOWHERE} is not there" in err


def test_an_address_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        typed(capsys, "check", STDVGA, "--for", "1:0")
    assert caught.value.code == 2
    assert "not a PCI address: '1:0' (one looks like 0000:01:00.0)" in capsys.readouterr().err


# A file that is made before the card is touched


def test_a_new_file_is_gone_if_its_making_fails(tmp_path: Path) -> None:
    path = tmp_path / "new"

    def fail() -> None:
        with files.new_file(path, mode=0o600) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not path.exists()


def test_a_new_file_is_whole(tmp_path: Path) -> None:
    with files.new_file(tmp_path / "new", mode=0o640) as file:
        file.write(b"whole")
    assert (tmp_path / "new").read_bytes() == b"whole"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    new = rom_cards.new_file(tmp_path / "none" / "new")
    with pytest.raises(HostError, match="No such file or directory"), new:
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_kill_unwinds(number: signal.Signals) -> None:
    before = signal.getsignal(number)  # nohup(1) has one of them ignored
    undone = []

    def work() -> None:
        with rom_dump._ends_in_order():
            try:
                signal.raise_signal(number)
            finally:
                undone.append(number)

    with pytest.raises(SystemExit) as caught:
        work()
    assert caught.value.code == 128 + number
    assert undone
    assert signal.getsignal(number) is before
