"""Files that are read with suspicion, ROMs that are staged, the hook that is installed."""

import errno
import os
import stat
from pathlib import Path

import pytest

from tests.fakes.tree import grow
from vfiod.config.file import CONFIG_LIMIT, read_config
from vfiod.errors import ConfigError, HostError
from vfiod.host.linux import hook_file
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


# The hook


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"#!/bin/sh\n# Installed by vfiod.service\nexit 0\n")
    (tmp_path / "libvirt").mkdir()
    return path


def target(tmp_path: Path) -> Path:
    return tmp_path / "libvirt/hooks/qemu.d/50-vfiod"


def test_the_hook_is_installed_once(source: Path, tmp_path: Path) -> None:
    assert hook_file.install(source, target(tmp_path))
    assert target(tmp_path).read_bytes() == source.read_bytes()
    assert stat.S_IMODE(target(tmp_path).stat().st_mode) == 0o755
    assert not hook_file.install(source, target(tmp_path))


def test_an_older_hook_of_ours_is_replaced(source: Path, tmp_path: Path) -> None:
    hook_file.install(source, target(tmp_path))
    source.write_bytes(source.read_bytes() + b"# newer\n")
    assert hook_file.install(source, target(tmp_path))
    assert target(tmp_path).read_bytes().endswith(b"# newer\n")


def test_a_hook_that_cannot_be_executed_is_repaired(source: Path, tmp_path: Path) -> None:
    hook_file.install(source, target(tmp_path))
    target(tmp_path).chmod(0o644)
    assert hook_file.install(source, target(tmp_path))
    assert target(tmp_path).stat().st_mode & stat.S_IXUSR


@pytest.fixture
def other_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """qemu.d is mounted, or a link to somewhere else: rename(2) does not go there."""
    rename = Path.replace

    def replace(old: Path, new: Path) -> Path:
        if old.parent != new.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(old, new)

    monkeypatch.setattr(Path, "replace", replace)


def hooks_that_run(tmp_path: Path) -> list[Path]:
    """What libvirt would run: every file in qemu.d that can be executed, by whatever name."""
    files = target(tmp_path).parent.iterdir()
    return [file for file in files if file.stat().st_mode & 0o111]


@pytest.mark.parametrize("place", ["", "other_file_system"])
def test_a_crash_while_the_hook_is_written_leaves_no_second_one(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest, place: str,
) -> None:  # fmt: skip
    hook_file.install(source, target(tmp_path))
    source.write_bytes(source.read_bytes() + b"# newer\n")
    if place:
        request.getfixturevalue(place)
    seen: list[list[Path]] = []
    monkeypatch.setattr("os.fsync", lambda _file: seen.append(hooks_that_run(tmp_path)))
    assert hook_file.install(source, target(tmp_path))
    assert seen
    assert all(files == [target(tmp_path)] for files in seen)
    assert hooks_that_run(tmp_path) == [target(tmp_path)]
    assert target(tmp_path).read_bytes().endswith(b"# newer\n")
    assert not list(tmp_path.glob("libvirt/**/.*"))


def test_what_a_crash_has_left_of_the_hook_goes(source: Path, tmp_path: Path) -> None:
    hook_file.install(source, target(tmp_path))
    folder = target(tmp_path).parent
    ours = [folder / ".50-vfiod.a1b2c3d4", folder.parent / ".50-vfiod.e5f6a7b8"]
    others = [folder / ".50-vfiodx", folder / ".60-mine.a1b2c3d4"]
    for file in (*ours, *others):
        file.write_bytes(source.read_bytes())
    assert not hook_file.install(source, target(tmp_path))
    assert not any(file.exists() for file in ours)
    assert all(file.exists() for file in others)


def test_somebody_else_s_file_is_left_alone(source: Path, tmp_path: Path) -> None:
    target(tmp_path).parent.mkdir(parents=True)
    target(tmp_path).write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(HostError, match="not vfiod's own file") as caught:
        hook_file.install(source, target(tmp_path))
    assert "moved away" in caught.value.hint
    assert target(tmp_path).read_text() == "#!/bin/sh\necho mine\n"


def test_without_libvirt_nothing_is_installed(tmp_path: Path, source: Path) -> None:
    (tmp_path / "libvirt").rmdir()
    with pytest.raises(HostError, match="libvirt is not installed"):
        hook_file.install(source, target(tmp_path))
    assert not (tmp_path / "libvirt").exists()


def test_a_package_without_its_hook_says_so(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="is missing"):
        hook_file.install(tmp_path / "absent", target(tmp_path))
