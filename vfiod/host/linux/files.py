"""Files that vfiod reads for others and the ROMs it stages for QEMU."""

import stat
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from vfiod.errors import HostError
from vfiod.model import PciAddress
from vfiod.paths import ROM_STAGE
from vfiod.util.files import read_regular, replace_file

ROM_LIMIT = 16 * 2**20
# libvirt's AppArmor abstraction lets QEMU read these (libvirt: src/security/apparmor).
QEMU_READS = ("/usr/share/vgabios", "/usr/share/seabios", "/usr/share/qemu", "/usr/share/kvm")


class LinuxFiles:
    """Implements vfiod.host.door.Files."""

    def __init__(self, stage: Path = ROM_STAGE) -> None:
        self._stage = stage

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
