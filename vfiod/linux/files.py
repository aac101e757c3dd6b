"""Files that vfiod reads for others and the ROMs it stages for QEMU."""

import os
import stat
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from vfiod.atomic import replace_file
from vfiod.errors import ConfigError, HostError
from vfiod.model import PciAddress

ROM_LIMIT = 16 * 2**20
CONFIG_LIMIT = 2**20
# libvirt's AppArmor abstraction lets QEMU read these (libvirt: src/security/apparmor).
QEMU_READS = ("/usr/share/vgabios", "/usr/share/seabios", "/usr/share/qemu", "/usr/share/kvm")
STAGE = Path("/usr/share/vgabios/vfiod")


class LinuxFiles:
    """Implements vfiod.host.Files."""

    def __init__(self, stage: Path = STAGE) -> None:
        self._stage = stage

    def read_rom(self, path: str) -> bytes:
        data, _ = _read_regular(Path(path), ROM_LIMIT)
        return data

    def staged_path(self, address: PciAddress) -> str:
        return str(self._stage / f"{address}.rom")

    def qemu_may_read(self, path: str) -> bool:
        try:
            real = Path(path).resolve(strict=True)
            readable = real.stat().st_mode & stat.S_IROTH
        except OSError:
            return False
        return bool(readable) and any(real.is_relative_to(place) for place in QEMU_READS)

    def stage_rom(self, address: PciAddress, data: bytes) -> None:
        try:
            self._stage.mkdir(mode=0o755, exist_ok=True)
            replace_file(Path(self.staged_path(address)), data, mode=0o644)
        except OSError as error:
            raise HostError(f"cannot write the ROM to {self._stage}: {error.strerror}") from error

    def staged_roms(self) -> Sequence[PciAddress]:
        found = []
        for path in sorted(self._stage.glob("*.rom")):
            with suppress(ValueError):
                found.append(PciAddress.parse(path.stem))
        return found

    def unstage_rom(self, address: PciAddress) -> None:
        try:
            Path(self.staged_path(address)).unlink(missing_ok=True)
        except OSError as error:
            raise HostError(f"cannot remove the staged ROM: {error.strerror}") from error

    def missing(self, paths: Collection[str]) -> Sequence[str]:
        return [path for path in paths if not Path(path).exists()]


def read_config(path: Path, *, trusted: bool) -> str:
    """Text of a configuration file.

    ``trusted`` insists that only root can have written it, as what it says is done by root.
    Raises ConfigError.
    """
    try:
        data, status = _read_regular(path, CONFIG_LIMIT)
    except HostError as error:
        raise ConfigError([error.message]) from error
    if trusted and (status.st_uid != 0 or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        fix = f"run: chown root:root {path} && chmod 0644 {path}"
        raise ConfigError([f"{path}: others than root can write it; {fix}"])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text at byte {error.start}"]) from error


def _read_regular(path: Path, limit: int) -> tuple[bytes, os.stat_result]:
    """Read a bounded regular file through one descriptor: what is checked is what is read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}") from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise HostError(f"{path} is not a regular file")
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}") from error
    finally:
        os.close(fd)
    if len(data) > limit:
        raise HostError(f"{path} is larger than {limit // 2**10} KiB")
    return data, status
