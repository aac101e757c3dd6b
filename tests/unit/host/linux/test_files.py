"""Files that are read with suspicion, ROMs that are staged, the hook that is installed."""

import os
import stat
from pathlib import Path

import pytest

from tests.fakes.tree import grow
from vfiod.config.file import CONFIG_LIMIT, read_config
from vfiod.errors import ConfigError, HostError
from vfiod.host.linux.files import QEMU_READS, ROM_LIMIT, LinuxFiles
from vfiod.model import PciAddress

VGA = PciAddress.parse("0000:01:00.0")
IS_ROOT = os.geteuid() == 0


@pytest.fixture
def files(tmp_path: Path) -> LinuxFiles:
    return LinuxFiles(tmp_path / "stage")


# ROMs


def test_a_rom_is_read(files: LinuxFiles, tmp_path: Path) -> None:
    path = tmp_path / "card.rom"
    path.write_bytes(b"\x55\xaa")
    assert files.read_rom(str(path)) == b"\x55\xaa"


def test_a_rom_behind_a_link_is_read(files: LinuxFiles, tmp_path: Path) -> None:
    (tmp_path / "card.rom").write_bytes(b"rom")
    (tmp_path / "link").symlink_to("card.rom")
    assert files.read_rom(str(tmp_path / "link")) == b"rom"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("absent", "No such file"), ("directory", "not a regular file"),
     ("fifo", "not a regular file"), ("device", "not a regular file")],
)  # fmt: skip
def test_what_is_no_file_is_named_and_never_waited_for(
    files: LinuxFiles, tmp_path: Path, kind: str, words: str
) -> None:
    path = tmp_path / "rom"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    with pytest.raises(HostError, match=words) as caught:
        files.read_rom(str(path))
    assert str(path) in caught.value.message


def test_a_rom_that_is_too_large_is_not_read_whole(files: LinuxFiles, tmp_path: Path) -> None:
    path = tmp_path / "rom"
    path.touch()
    os.truncate(path, ROM_LIMIT)
    assert len(files.read_rom(str(path))) == ROM_LIMIT
    os.truncate(path, ROM_LIMIT * 1000)
    with pytest.raises(HostError, match="larger than 16384 KiB"):
        files.read_rom(str(path))


def test_a_rom_is_staged_for_everybody_to_read(files: LinuxFiles) -> None:
    files.stage_rom(VGA, b"rom")
    path = Path(files.staged_path(VGA))
    assert path.name == "0000:01:00.0.rom"
    assert path.read_bytes() == b"rom"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert files.staged_roms() == [VGA]


def test_a_staged_rom_is_replaced_and_removed(files: LinuxFiles) -> None:
    files.stage_rom(VGA, b"old")
    files.stage_rom(VGA, b"new")
    assert Path(files.staged_path(VGA)).read_bytes() == b"new"
    files.unstage_rom(VGA)
    files.unstage_rom(VGA)
    assert files.staged_roms() == []


def test_other_files_beside_staged_roms_are_not_ours(files: LinuxFiles, tmp_path: Path) -> None:
    files.stage_rom(VGA, b"rom")
    (tmp_path / "stage" / "card.rom").touch()
    (tmp_path / "stage" / "0000:02:00.0.bin").touch()
    assert files.staged_roms() == [VGA]


def test_a_rom_that_somebody_keeps_in_the_folder_is_used_and_never_removed(
    files: LinuxFiles, tmp_path: Path
) -> None:
    theirs = tmp_path / "stage" / f"{VGA}.rom"
    grow(tmp_path, {f"stage/{VGA}.rom": b"dump"})
    files.stage_rom(VGA, files.read_rom(str(theirs)))
    assert files.staged_roms() == []
    files.unstage_rom(VGA)
    assert theirs.read_bytes() == b"dump"
    assert [path.name for path in theirs.parent.iterdir()] == [theirs.name]


def test_a_rom_that_somebody_keeps_in_the_folder_is_not_overwritten(
    files: LinuxFiles, tmp_path: Path
) -> None:
    grow(tmp_path, {f"stage/{VGA}.rom": b"dump"})
    with pytest.raises(HostError, match="was not written by vfiod") as caught:
        files.stage_rom(VGA, b"another")
    assert "move it away" in caught.value.hint
    assert (tmp_path / "stage" / f"{VGA}.rom").read_bytes() == b"dump"


def test_a_staged_rom_that_somebody_replaced_is_theirs(files: LinuxFiles, tmp_path: Path) -> None:
    files.stage_rom(VGA, b"copy")
    theirs = tmp_path / "stage" / f"{VGA}.rom"
    theirs.write_bytes(b"dump")
    assert files.staged_roms() == []
    files.unstage_rom(VGA)
    assert [path.name for path in theirs.parent.iterdir()] == [theirs.name]


def test_a_mark_without_its_rom_goes(files: LinuxFiles, tmp_path: Path) -> None:
    """The daemon was killed between the two."""
    files.stage_rom(VGA, b"copy")
    (tmp_path / "stage" / f"{VGA}.rom").unlink()
    files.unstage_rom(VGA)
    assert list((tmp_path / "stage").iterdir()) == []


def test_a_rom_that_was_put_into_the_other_folder_is_taken_away_too(tmp_path: Path) -> None:
    """vfiod was updated, or SELinux switched on, while the guest ran."""
    before, after = tmp_path / "before", tmp_path / "after"
    LinuxFiles(before, after).stage_rom(VGA, b"rom")
    (before / "card.rom").write_bytes(b"dump")
    files = LinuxFiles(after, before)
    assert files.staged_path(VGA).startswith(str(after))
    assert files.staged_roms() == [VGA]
    files.unstage_rom(VGA)
    assert files.staged_roms() == []
    assert [path.name for path in before.iterdir()] == ["card.rom"]


def test_qemu_reads_what_lies_where_roms_are_put(files: LinuxFiles, tmp_path: Path) -> None:
    grow(tmp_path, {"stage/card.rom": b"dump"})
    (tmp_path / "stage/card.rom").chmod(0o644)
    assert files.qemu_may_read(str(tmp_path / "stage/card.rom"))


def test_no_stage_no_roms(files: LinuxFiles) -> None:
    assert files.staged_roms() == []


def test_a_stage_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="cannot write the ROM to"):
        LinuxFiles(tmp_path / "file" / "stage").stage_rom(VGA, b"rom")


def test_where_qemu_may_read(files: LinuxFiles, tmp_path: Path) -> None:
    (tmp_path / "card.rom").touch()
    assert not files.qemu_may_read(str(tmp_path / "card.rom"))
    assert not files.qemu_may_read(str(tmp_path / "absent"))


def test_a_rom_of_a_firmware_package_is_read_in_place(files: LinuxFiles) -> None:
    found = [p for place in QEMU_READS for p in Path(place).glob("*") if p.is_file()]
    if not found:
        pytest.skip("no firmware package is installed")
    assert files.qemu_may_read(str(found[0]))
    place = Path(found[0]).parent
    assert not files.qemu_may_read(f"{place}/../../../etc/passwd")


def test_a_file_that_the_kernel_will_not_let_read_is_an_error(files: LinuxFiles) -> None:
    """As rom of a boot card in /sys: a regular file, and reading it is an I/O error."""
    with pytest.raises(HostError, match="cannot read /proc/self/mem"):
        files.read_rom("/proc/self/mem")


# Configuration


def config_file(tmp_path: Path, data: bytes = b"guests:\n", mode: int = 0o644) -> Path:
    path = tmp_path / "vfiod.yaml"
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_configuration_is_read(tmp_path: Path) -> None:
    assert read_config(config_file(tmp_path), trusted=IS_ROOT) == "guests:\n"


@pytest.mark.skipif(not IS_ROOT, reason="files of root are needed")
@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_configuration_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = config_file(tmp_path, mode=mode)
    with pytest.raises(ConfigError, match="others than root can write it") as caught:
        read_config(path, trusted=True)
    assert f"chown root:root {path}" in str(caught.value)
    assert read_config(path, trusted=False)


@pytest.mark.skipif(not IS_ROOT, reason="files of others are needed")
def test_a_configuration_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = config_file(tmp_path)
    os.chown(path, 65534, 0)
    with pytest.raises(ConfigError, match="others than root can write it"):
        read_config(path, trusted=True)


def test_a_configuration_that_is_no_text_says_where(tmp_path: Path) -> None:
    path = config_file(tmp_path, b"guests:\xff\n")
    with pytest.raises(ConfigError, match="not UTF-8 text at byte 7"):
        read_config(path, trusted=False)


def test_a_configuration_that_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger than 1024 KiB"):
        read_config(config_file(tmp_path, b"#" * (CONFIG_LIMIT + 1)), trusted=False)


def test_a_configuration_that_is_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "vfiod.yaml")
    with pytest.raises(ConfigError, match="not a regular file"):
        read_config(tmp_path / "vfiod.yaml", trusted=False)
