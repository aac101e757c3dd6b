"""Files that vfiod reads for others and the ROMs it stages for QEMU."""

import hashlib
import stat
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux.lookup import Lookup
from vfiod.model import PciAddress
from vfiod.paths import ROM_STAGE
from vfiod.util import sysfs
from vfiod.util.files import read_regular, replace_file

ROM_LIMIT = 16 * 2**20
# libvirt's AppArmor abstraction lets QEMU read these (libvirt: src/security/apparmor).
QEMU_READS = ("/usr/share/vgabios", "/usr/share/seabios", "/usr/share/qemu", "/usr/share/kvm")


class LinuxFiles:
    """Implements vfiod.host.door.Files.

    Beside each ROM that vfiod wrote is a mark, a hidden file in the form of sha256sum(1): a file
    that somebody keeps in the same folder has none, or one that does not fit, and is left alone.
    """

    def __init__(self, stage: Path = ROM_STAGE, lookup: Lookup | None = None) -> None:
        self._stage = stage
        self._lookup = lookup or Lookup()

    def read_rom(self, path: str) -> bytes:
        data, _ = read_regular(Path(path), ROM_LIMIT)
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
        path, there = Path(self.staged_path(address)), self._there(address)
        if there is not None and not self._is_ours(address, there):
            if there == data:
                return
            raise HostError(
                f"{path} was not written by vfiod and is not the configured ROM",
                f"move it away, or configure that one, with: rom: {path}",
            )
        try:
            self._stage.mkdir(mode=0o755, exist_ok=True)
            # First: what was written and not marked would be taken for somebody's own.
            replace_file(self._mark(address), _mark(path.name, data).encode(), mode=0o644)
            replace_file(path, data, mode=0o644)
        except OSError as error:
            raise HostError(f"cannot write the ROM to {self._stage}: {error.strerror}") from error

    def staged_roms(self) -> Sequence[PciAddress]:
        found = []
        for path in sorted(self._stage.glob("*.rom")):
            with suppress(ValueError):
                address = PciAddress.parse(path.stem)
                if self._is_ours(address, self._there(address)):
                    found.append(address)
        return found

    def unstage_rom(self, address: PciAddress) -> None:
        try:
            if self._is_ours(address, self._there(address)):
                Path(self.staged_path(address)).unlink(missing_ok=True)
            self._mark(address).unlink(missing_ok=True)
        except OSError as error:
            raise HostError(f"cannot remove the staged ROM: {error.strerror}") from error

    def _there(self, address: PciAddress) -> bytes | None:
        path = Path(self.staged_path(address))
        return self.read_rom(str(path)) if path.exists() else None

    def _is_ours(self, address: PciAddress, data: bytes | None) -> bool:
        mark, name = sysfs.read(self._mark(address)), f"{address}.rom"
        return data is not None and mark == _mark(name, data).strip()

    def _mark(self, address: PciAddress) -> Path:
        return self._stage / f".{address}.rom.sha256"

    def missing(self, paths: Collection[str], *, seconds: float) -> Mapping[str, str]:
        return self._lookup.missing(paths, seconds=seconds)


def _mark(name: str, data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()}  {name}\n"
