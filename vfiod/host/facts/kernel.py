"""The running kernel: its release, and whether it has a module."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from vfiod.util import sysfs

# The last is NixOS's (nixpkgs: nixos/modules/system/boot/kernel.nix).
MODULES = ("lib/modules", "usr/lib/modules", "run/booted-system/kernel-modules/lib/modules")


@dataclass(frozen=True, slots=True)
class Kernel:
    """``vfio`` says whether vfio-pci is there, loadable or built in; None if that is unknown.

    ``removed``: its modules are on the disk no more, see modules_removed().
    ``unsafe_interrupts``: vfio works without interrupt remapping, as it was told to.
    ``nvidia`` is the major version of NVIDIA's own driver, 0 if it is not loaded.
    """

    release: str
    vfio: bool | None = None
    unsafe_interrupts: bool = False
    nvidia: int = 0
    removed: bool = False

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor number, (0, 0) if the release has none."""
        match = re.match(r"(\d+)\.(\d+)", self.release)
        return (int(match[1]), int(match[2])) if match else (0, 0)


def read_kernel(root: Path = Path("/")) -> Kernel:
    """Read it from /proc and the module lists of depmod(8)."""
    release = sysfs.read(root / "proc/sys/kernel/osrelease") or ""
    modules = root / "sys/module"
    unsafe = sysfs.read(modules / "vfio_iommu_type1/parameters/allow_unsafe_interrupts")
    return Kernel(
        release=release,
        vfio=_has_vfio(root, release),
        unsafe_interrupts=unsafe == "Y",
        nvidia=_major(sysfs.read(modules / "nvidia/version") or ""),
        removed=modules_removed(root),
    )


def module_list(root: Path, release: str, name: str) -> str | None:
    """One of depmod(8)'s lists for a kernel, e.g. ``modules.dep``; None if it is not there."""
    found = (sysfs.read(root / folder / release / name) for folder in MODULES)
    return next((text for text in found if text is not None), None)


def modules_removed(root: Path = Path("/")) -> bool:
    """True if the modules of the running kernel are certainly not on the disk any more.

    Arch Linux removes them with an update of the kernel. kmod then finds no module by its name,
    not even one that is loaded and is to be unloaded (modprobe(8) looks into modules.dep). A kernel
    that has loaded none may never have had any, and a host without a folder for them may have it
    elsewhere.
    """
    release = sysfs.read(root / "proc/sys/kernel/osrelease")
    folders = any(os.path.isdir(root / folder) for folder in MODULES)
    if not release or not folders or not sysfs.read(root / "proc/modules"):
        return False
    return not any(_may_be_there(root / folder / release / "modules.dep") for folder in MODULES)


def _may_be_there(path: Path) -> bool:
    """Also where nobody can tell: in a folder that may not be looked into."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def _has_vfio(root: Path, release: str) -> bool | None:
    if (root / "sys/module/vfio_pci").exists() or (root / "sys/bus/pci/drivers/vfio-pci").exists():
        return True
    lists = [module_list(root, release, f"modules.{name}") for name in ("dep", "builtin")]
    known = [text for text in lists if text is not None]
    return any("/vfio-pci.ko" in text for text in known) if release and known else None


def _major(version: str) -> int:
    match = re.match(r"\d+", version)
    return int(match[0]) if match else 0
