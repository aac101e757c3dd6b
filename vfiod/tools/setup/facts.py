"""What setup decides from: read once from this host (or a recorded tree), never written to."""

import gzip
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vfiod import paths
from vfiod.host.facts import boot, loaders, selinux
from vfiod.host.facts.boot import Boot
from vfiod.host.facts.libvirtd import is_hidden
from vfiod.host.facts.pci import read_devices
from vfiod.host.facts.textfiles import closed_folders, read_bytes, read_files, unreadable
from vfiod.host.facts.which_loader import has_program
from vfiod.model import PciFunction
from vfiod.tools.leftovers import find
from vfiod.tools.leftovers.find import Leftover
from vfiod.tools.leftovers.initramfs import ORIGINS
from vfiod.tools.setup import initramfs
from vfiod.tools.setup.kernels import Kernel, installed
from vfiod.util import sysfs

GRUB_DROP_IN = str(paths.GRUB_DROP_IN)
MODPROBE_FILE = str(paths.MODPROBE)
MODULES_FILE = str(paths.MODULES)
KERNEL_CMDLINE = f"/{loaders.KERNEL_CMDLINE}"
CMDLINE_DROP_IN = f"/{loaders.CMDLINE_D}/50-vfiod.conf"
_TOOLS = (*loaders.PROGRAMS, *initramfs.PROGRAMS)


@dataclass(frozen=True, slots=True)
class Kvm:
    """Module parameters as the kernel shows them (Y, N, 0, 1), None where the module is absent.

    ``flags``: of /proc/cpuinfo. ``family``: of the processor. ``ipiv``: whether kvm_amd can leave
    out the part of AVIC that erratum 1235 spoils (enable_ipiv, since Linux 6.17).
    """

    ignore_msrs: str | None = None
    avic: str | None = None
    ipiv: bool = False
    flags: frozenset[str] = frozenset()
    family: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """``iommu_default``: what the kernel was built with: on, discrete (all but Intel's own
    graphics), off, or None if its configuration is not there to be read. ``files``: contents of
    every file that might be changed, ``links`` those of them that are symbolic links,
    ``unreadable`` what this user may not look at. ``changed``: whether a file that the loader's
    options come from was written since the kernel started, None if that is not known. ``tracked``:
    whether rpm-ostree copies files of /etc into the initramfs.
    """

    boot: Boot
    functions: tuple[PciFunction, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    iommu_on: bool = False
    iommu_announced: bool = False
    iommu_default: str | None = None
    kvm: Kvm = Kvm()
    modules_locked: bool = False
    vfio_loaded: bool = False
    tools: frozenset[str] = frozenset()
    kernels: tuple[Kernel, ...] = ()
    libvirt: bool = False
    hook_works: bool = False
    service: bool = False
    selinux: bool = False
    selinux_runs_hooks: bool | None = None
    uefi: bool = False
    files: Mapping[str, bytes] = field(default_factory=dict)
    links: frozenset[str] = frozenset()
    unreadable: tuple[str, ...] = ()
    changed: bool | None = None
    tracked: bool = False


def read(root: Path = Path("/")) -> Facts:
    """Read all of it; a person without root's rights sees most of it."""
    functions = tuple(read_devices(root).values())
    booted = boot.read(root)
    found = find.read(root, functions)
    patterns = boot.source_patterns(booted.loader)
    sources = read_files(root, *patterns)
    hook = paths.below(root, paths.HOOK)
    wanted = {GRUB_DROP_IN, MODPROBE_FILE, MODULES_FILE, KERNEL_CMDLINE, *(x.file for x in found),
              *sources, *read_files(root, *find.MODPROBE)}  # fmt: skip
    return Facts(
        boot=booted,
        functions=functions,
        leftovers=found,
        iommu_on=bool(sysfs.names(root / "sys/class/iommu")),
        iommu_announced=bool(
            {"DMAR", "IVRS"} & set(sysfs.names(root / "sys/firmware/acpi/tables"))
        ),
        iommu_default=_iommu_default(root, booted.kernel),
        kvm=_kvm(root),
        modules_locked=sysfs.read(root / "proc/sys/kernel/modules_disabled") == "1",
        vfio_loaded=(root / "sys/bus/pci/drivers/vfio-pci").exists(),
        tools=frozenset(name for name in _TOOLS if has_program(root, name)),
        kernels=tuple(installed(root)),
        libvirt=paths.below(root, paths.LIBVIRT).is_dir(),
        hook_works=_executable(hook) or is_hidden(hook),  # what is not seen is not missed
        service=any(
            os.path.exists(root / place / "vfiod.service")
            for place in ("usr/lib/systemd/system", "lib/systemd/system", "etc/systemd/system")
        ),
        selinux=selinux.is_enforcing(root),
        selinux_runs_hooks=selinux.may_run_hooks(root),
        uefi=(root / "sys/firmware/efi").is_dir(),
        files={path: data for path in wanted if (data := read_bytes(root / path[1:])) is not None},
        links=frozenset(path for path in wanted if os.path.islink(root / path[1:])),
        unreadable=(*unreadable(root, *find.FILES), *_closed(root, hook, patterns)),
        changed=_changed_since_boot(root, sources),
        tracked=any(b"\ninitramfs-etc=" in data for data in read_files(root, ORIGINS).values()),
    )


def _closed(root: Path, hook: Path, patterns: Iterable[str]) -> Iterable[str]:
    hidden = [str(hook.relative_to(root))] if is_hidden(hook) else []
    return closed_folders(root, *patterns, *hidden)


def _iommu_default(root: Path, release: str) -> str | None:
    text = _kernel_configuration(root, release)
    for option, meaning in (
        ("CONFIG_INTEL_IOMMU_DEFAULT_ON=y", "on"),
        # Debian's own patch of the kernel: features/x86/intel-iommu-add-option-to-exclude-…
        ("CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y", "discrete"),
        ("CONFIG_INTEL_IOMMU=y", "off"),
    ):
        if re.search(rf"^{option}$", text, re.MULTILINE):
            return meaning
    return None


def _kernel_configuration(root: Path, release: str) -> str:
    for place in (f"boot/config-{release}", f"lib/modules/{release}/config"):
        data = read_bytes(root / place)
        if data is not None:
            return data.decode("ascii", "replace")
    try:
        data = gzip.decompress(read_bytes(root / "proc/config.gz") or b"")
    except (OSError, EOFError):
        return ""
    return data.decode("ascii", "replace")


def _kvm(root: Path) -> Kvm:
    modules = root / "sys/module"
    cpu = sysfs.read(root / "proc/cpuinfo") or ""
    flags = re.search(r"^flags\s*: (.*)$", cpu, re.MULTILINE)
    family = re.search(r"^cpu family\s*: (\d+)$", cpu, re.MULTILINE)
    return Kvm(
        ignore_msrs=sysfs.read(modules / "kvm/parameters/ignore_msrs"),
        avic=sysfs.read(modules / "kvm_amd/parameters/avic"),
        ipiv=(modules / "kvm_amd/parameters/enable_ipiv").exists(),
        flags=frozenset(flags[1].split()) if flags else frozenset(),
        family=int(family[1]) if family else 0,
    )


def _changed_since_boot(root: Path, files: Iterable[str]) -> bool | None:
    """``btime`` of /proc/stat is when the kernel started, in seconds (proc(5))."""
    started = re.search(r"^btime (\d+)$", sysfs.read(root / "proc/stat") or "", re.MULTILINE)
    if started is None:
        return None
    return any((root / path[1:]).stat().st_mtime > int(started[1]) for path in files)


def _executable(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o100)
    except OSError:
        return False
