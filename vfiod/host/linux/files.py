"""Files that vfiod reads for others and the ROMs it stages for QEMU."""

import hashlib
import stat
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.facts.mounts import read_mounts
from vfiod.host.facts.romstage import read_stages
from vfiod.host.linux.lookup import Lookup
from vfiod.model import Mount, PciAddress
from vfiod.util import sysfs
from vfiod.util.files import read_regular, replace_file

ROM_LIMIT = 16 * 2**20
# libvirt's AppArmor abstraction lets QEMU read these (libvirt: src/security/apparmor).
QEMU_READS = ("/usr/share/vgabios", "/usr/share/seabios", "/usr/share/qemu", "/usr/share/kvm")


class LinuxFiles:
    """Implements vfiod.host.door.Files.

    Beside each ROM that vfiod wrote is a mark, a hidden file in the form of sha256sum(1): a file
    that somebody keeps in the same folder has none, or one that does not fit, and is left alone.
    They are put into the first of ``stages`` and taken away from all: a guest may have been started
    when another one was the first.
    """

    def __init__(self, *stages: Path, lookup: Lookup | None = None, root: Path = Path("/")) -> None:
        self._root = root
        self._stages = stages or read_stages()
        self._stage = self._stages[0]
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
        return bool(readable) and any(real.is_relative_to(p) for p in (*QEMU_READS, self._stage))

    def stage_rom(self, address: PciAddress, data: bytes) -> None:
        path = Path(self.staged_path(address))
        there = self.read_rom(str(path)) if path.exists() else None
        if there is not None and not _is_ours(path):
            if there == data:
                return
            raise HostError(
                f"{path} was not written by vfiod and is not the configured ROM",
                f"move it away, or configure that one, with: rom: {path}",
            )
        try:
            self._stage.mkdir(mode=0o755, exist_ok=True)
            # First: what was written and not marked would be taken for somebody's own.
            replace_file(_mark(path), _sum(path.name, data).encode(), mode=0o644)
            replace_file(path, data, mode=0o644)
        except OSError as error:
            raise HostError(f"cannot write the ROM to {self._stage}: {error.strerror}") from error

    def staged_roms(self) -> Sequence[PciAddress]:
        found = set()
        for path in (rom for stage in self._stages for rom in stage.glob("*.rom")):
            with suppress(ValueError):
                address = PciAddress.parse(path.stem)
                if _is_ours(path):
                    found.add(address)
        return sorted(found)

    def unstage_rom(self, address: PciAddress) -> None:
        try:
            for path in (stage / f"{address}.rom" for stage in self._stages):
                if _is_ours(path):
                    path.unlink(missing_ok=True)
                _mark(path).unlink(missing_ok=True)
        except OSError as error:
            raise HostError(f"cannot remove the staged ROM: {error.strerror}") from error

    def missing(self, paths: Collection[str], *, seconds: float) -> Mapping[str, str]:
        return self._lookup.missing(paths, seconds=seconds)

    def mounts(self, paths: Collection[str]) -> Mapping[str, Mount]:
        return read_mounts(paths, self._root)


def _is_ours(rom: Path) -> bool:
    """Whether it is there and fits its mark."""
    mark = sysfs.read(_mark(rom))
    if mark is None or not rom.exists():
        return False
    data, _ = read_regular(rom, ROM_LIMIT)
    return mark == _sum(rom.name, data).strip()


def _mark(rom: Path) -> Path:
    return rom.with_name(f".{rom.name}.sha256")


def _sum(name: str, data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()}  {name}\n"
