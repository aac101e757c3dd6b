"""Records this machine as far as vfiod decides by it.

To use it: python3 -m vfiod.tools.recording.record > host.yaml

Nothing is changed and no device is woken; what would tell whose machine it is gets a stand-in
(vfiod.tools.recording.redact). Root sees more, e.g. ACPI tables.
"""

import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

from vfiod.host.facts import kernel_install, loaders
from vfiod.host.facts.pci import is_awake, parse_address
from vfiod.host.facts.pcinames import FILES as NAMES
from vfiod.tools.recording import format, trim
from vfiod.tools.recording.format import Entry, Link, Recording
from vfiod.tools.recording.redact import Redactor, read_redactor
from vfiod.util import sysfs

LIMIT = 64 * 1024
# Of ACPI tables the head is enough, and VFCT goes on with a whole ROM.
TABLE_LIMIT = 128
# Not to be read, only to be there: writing resets, reading needs the ROM switched on.
SILENT = ("reset", "rom", "kvm")
PCI = (
    "vendor", "device", "class", "revision", "subsystem_vendor", "subsystem_device", "boot_vga",
    "driver", "iommu_group", "reset", "reset_method", "d3cold_allowed", "power_state",
    "power/control", "resource", "resource?_resize", "rom", "numa_node", "drm/card*/*/status",
    "virtio*/drm/card*/*/status", "physfn",
)  # fmt: skip
CPU = (
    "cache/index*/id", "cache/index*/level", "cache/index*/shared_cpu_list", "cache/index*/size",
    "cache/index*/type", "cpufreq/cpuinfo_max_freq", "cpufreq/scaling_governor",
    "topology/core_cpus_list", "topology/core_id", "topology/die_id",
    "topology/physical_package_id", "topology/thread_siblings_list",
)  # fmt: skip
MODULES = ("amdgpu", "i915", "kvm", "kvm_amd", "kvm_intel", "nouveau", "nvidia", "nvidia_drm",
           "nvidia_modeset", "nvidia_uvm", "radeon", "simpledrm", "xe")  # fmt: skip
KVM = ("avic", "enable_apicv", "ept", "nested", "npt")
USB = ("idVendor", "idProduct", "manufacturer", "product", "bDeviceClass", "*:*/bInterface*s",
       "*:*/bInterfaceProtocol", "devnum", "*:*/*/input/input*/event*/dev")  # fmt: skip
# Links, and what is recorded where they lead to.
LINKED: Mapping[str, tuple[str, ...]] = {
    "sys/bus/pci/devices/*": PCI,
    # Loop and RAM disks (majors 7 and 1) are of no interest.
    "sys/dev/block/[!17]*": (), "sys/dev/block/1[0-9]*": (), "sys/dev/block/7[0-9]*": (),
    "sys/class/block/[!lr]*": ("dev", "size", "partition", "removable", "slaves/*", "dm/name"),
    "sys/class/dmi/id": ("sys_vendor", "product_name", "board_vendor", "board_name",
                         "bios_version", "bios_date", "chassis_type"),
    "sys/class/drm/card?": (),
    "sys/class/graphics/fb*": ("name",),
    "sys/class/iommu/*": (),
    "sys/class/net/*": ("operstate", "lower_*"),
    "sys/class/vtconsole/*": ("name", "bind"),
    "sys/bus/platform/drivers/*-framebuffer/*.[0-9]": ("driver",),
}  # fmt: skip
# NixOS's files are left out: they are all of somebody's configuration, passwords included.
LOADERS = tuple(name for name in loaders.FILES if not name.endswith(".nix"))
PLAIN = (
    *LOADERS, "dev/kvm", "etc/X11/default-display-manager", "etc/X11/xorg.conf",
    "etc/X11/xorg.conf.d/*", "etc/apparmor.d/libvirt/TEMPLATE.qemu",
    "etc/apparmor.d/local/*libvirt*", "etc/initramfs-tools/conf.d/*",
    "etc/initramfs-tools/modules",
    "etc/libvirt/hooks/*", "etc/libvirt/hooks/qemu.d/*", "etc/libvirt/qemu.conf",
    "etc/booster.yaml", "etc/kernel/entry-token", *kernel_install.FILES,
    "etc/kernel/proxmox-boot-uuids", "etc/mkinitcpio.conf", "etc/mkinitcpio.conf.d/*",
    "etc/mkinitcpio.d/*.preset", "etc/sysconfig/bootloader", "etc/modprobe.d/*", "etc/modules",
    "etc/modules-load.d/*", "etc/os-release", "etc/systemd/system/display-manager.service",
    "etc/vfiod/vfiod.yaml", "proc/cmdline", "proc/cpuinfo", "proc/driver/nvidia/version",
    "proc/interrupts", "proc/meminfo", "proc/modules", "proc/net/ipv6_route", "proc/net/route",
    "proc/self/mountinfo", "proc/swaps", "proc/sys/kernel/osrelease", "run/ostree-booted",
    "run/udev/data/c13:*",
    "sys/bus/pci/drivers/vfio-pci", "sys/bus/platform/drivers/*-framebuffer", "sys/class/iommu",
    "sys/devices/cpu_atom/cpus", "sys/devices/system/cpu/isolated",
    "sys/devices/system/cpu/online", "sys/devices/system/cpu/possible",
    "sys/devices/system/cpu/smt/control", "sys/devices/system/node/node*/cpulist",
    "sys/devices/system/node/node*/distance", "sys/firmware/acpi/tables",
    "sys/firmware/acpi/tables/DMAR", "sys/firmware/acpi/tables/IVRS",
    "sys/firmware/acpi/tables/VFCT", "sys/firmware/efi/efivars/LoaderInfo-*",
    "sys/firmware/efi/efivars/SecureBoot-*", "sys/firmware/efi/fw_platform_size",
    "sys/fs/selinux/enforce", "sys/kernel/iommu_groups",
    "sys/kernel/iommu_groups/*/reserved_regions", "sys/kernel/iommu_groups/*/type",
    "sys/kernel/mm/hugepages/*/free_hugepages", "sys/kernel/mm/hugepages/*/nr_hugepages",
    "sys/kernel/security/lockdown", "sys/kernel/security/lsm",
    "sys/module/apparmor/parameters/enabled", "sys/module/kvm/parameters/*ignore_msrs",
    "sys/module/nvidia/version", "sys/module/nvidia_drm/parameters/*",
    "sys/module/vendor_reset", "sys/module/vfio*", "sys/module/vfio*/parameters/*",
    "usr/lib/modprobe.d/*", "usr/lib/os-release", "var/lib/systemd/linger/*",
)  # fmt: skip
# Programs whose presence says how the machine is kept.
PROGRAMS = (*sorted(loaders.PROGRAMS), "bootctl", "booster", "dracut-rebuild", "grubby",
            "qemu-system-x86_64", "reinstall-kernels", "rpm-ostree", "update-initramfs", "virsh",
            "virt-install")  # fmt: skip


def record(root: Path = Path("/")) -> Recording:
    """Read all of it. Takes a second or so; never raises for what is absent or unreadable."""
    return _Recorder(root.resolve(), read_redactor(root)).recording()


class _Recorder:
    """Collects entries; ``unreadable`` are files that are there but did not open."""

    def __init__(self, root: Path, redactor: Redactor) -> None:
        self._root = root
        self._redactor = redactor
        self._tree: dict[str, dict[str, Entry]] = {}
        self._unreadable = 0

    def recording(self) -> Recording:
        for pattern in (*PLAIN, *self._more_patterns()):
            self._add_all(self._root.glob(pattern))
        for pattern, attributes in LINKED.items():
            self._add_linked(pattern, attributes)
        for folder in ("usr/bin", "usr/sbin", "usr/local/bin"):
            for program in PROGRAMS:
                if (self._root / folder / program).exists():
                    self._put(self._root / folder / program, "")
        self._add_groups()
        self._add_names()
        about = "Recorded by python3 -m vfiod.tools.recording.record."
        if self._unreadable:
            about += f" {self._unreadable} of the files could not be read by this user."
        return Recording(about, self._tree)

    def _more_patterns(self) -> Iterator[str]:
        yield from (f"sys/devices/system/cpu/cpu[0-9]*/{attribute}" for attribute in CPU)
        yield from (f"sys/module/{module}" for module in MODULES)
        yield from (f"sys/module/kvm_*/parameters/{name}" for name in KVM)
        release = sysfs.read(self._root / "proc/sys/kernel/osrelease")
        if release:
            yield from (f"lib/modules/{release}/modules.{name}" for name in ("builtin", "dep"))

    def _add_linked(self, pattern: str, attributes: tuple[str, ...]) -> None:
        for path in sorted(self._root.glob(pattern)):
            self._add(path)
            place = path.resolve()
            self._tree.setdefault(self._name(place), {})
            for attribute in attributes:
                self._add_all(place.glob(attribute))
            if attributes is PCI:
                self._add_usb(place)

    def _add_usb(self, controller: Path) -> None:
        for found in controller.glob("usb[0-9]*/**/idVendor"):
            for attribute in USB:
                self._add_all(found.parent.glob(attribute))

    def _add_groups(self) -> None:
        for member in sorted(self._root.glob("sys/kernel/iommu_groups/*/devices/*")):
            if parse_address(member.name) is not None:
                self._add(member)

    def _add_names(self) -> None:
        """Names of these devices, so that the recording means the same elsewhere."""
        texts = [(f"/{name}", sysfs.read(self._root / name)) for name in NAMES]
        found = [
            {key: str(value).removeprefix("0x") for key, value in entries.items()}
            for entries in self._tree.values()
            if {"vendor", "device", "class"} <= entries.keys()
        ]
        devices = {(entry["vendor"], entry["device"]) for entry in found}
        classes = {entry["class"][:4] for entry in found}
        for name, text in [pair for pair in texts if pair[1]][:1]:
            folder, _, file = name.rpartition("/")
            self._tree[folder] = {file: trim.names(text or "", devices, classes)}

    def _add_all(self, paths: Iterator[Path]) -> None:
        for path in sorted(paths):
            self._add(path)

    def _add(self, path: Path) -> None:
        if path.is_symlink():
            # An absolute link of a rebuilt tree points into that tree.
            self._put(path, Link(str(path.readlink()).removeprefix(str(self._root).rstrip("/"))))
            self._add_target(path.resolve())
        elif path.is_dir():
            self._tree.setdefault(self._name(path), {})
        elif path.name in SILENT or not path.is_file() or _would_wake(path):
            self._put(path, "")
        else:
            self._put(path, self._content(path))

    def _add_target(self, target: Path) -> None:
        """No link leads nowhere, even if what it leads to is not recorded."""
        if not target.is_relative_to(self._root):
            return
        if target.is_dir():
            self._tree.setdefault(self._name(target), {})
        elif target.exists() and not self._has(target):
            self._put(target, "")

    def _has(self, path: Path) -> bool:
        return path.name in self._tree.get(self._name(path.parent), {})

    def _content(self, path: Path) -> Entry:
        name = str(path.relative_to(self._root))
        try:
            with path.open("rb") as file:
                data = file.read(TABLE_LIMIT if "acpi/tables" in name else LIMIT)
        except OSError:
            self._unreadable += 1
            return ""
        if b"\0" in data:
            return data
        lines = sysfs.parts(data.decode("utf-8", "replace"))
        text = "\n".join(line.rstrip() for line in lines)
        for pattern, shorten in trim.TRIMS.items():
            if fnmatch(name, pattern):
                text = shorten(text)
        return self._redactor.text(text)

    def _put(self, path: Path, entry: Entry) -> None:
        if isinstance(entry, Link):
            entry = Link(self._redactor.text(entry.target))
        self._tree.setdefault(self._name(path.parent), {})[self._redactor.text(path.name)] = entry

    def _name(self, path: Path) -> str:
        return self._redactor.text(f"/{path.relative_to(self._root)}")


def _would_wake(path: Path) -> bool:
    return fnmatch(path.name, "resource?_resize") and not is_awake(path.parent)


if __name__ == "__main__":
    sys.stdout.write(format.dump(record()))
