"""What matters of long files, so that a recording stays small enough to be read by people. Pure."""

import re
from collections.abc import Callable, Collection, Mapping

from vfiod.util import sysfs

INTERRUPTS = 16
ZEROS = "00000000"
MOUNTS_OF_DISKS = ("/dev/loop", "/dev/fuse", "/dev/sr")
# Fields up to the mount point, those that may be absent, and what is mounted (proc(5)).
_MOUNT = re.compile(
    r"(?:[^ ]+ ){4}(?P<point>/[^ ]*) (?:[^ ]+ )+?- (?:[^ ]+ (?P<source>/dev/[^ ]+)|hugetlbfs )"
)


def first_processor(text: str) -> str:
    """/proc/cpuinfo repeats itself for each processor."""
    wanted = ("processor", "vendor_id", "cpu family", "model", "model name", "stepping", "flags")
    lines = text.split("\n\n")[0].splitlines()
    return "\n".join(line for line in lines if line.partition(":")[0].strip() in wanted)


def interrupts(text: str) -> str:
    """The first of /proc/interrupts, which tell the controllers; counts of one CPU will do."""
    lines = text.splitlines()
    cpus = len(lines[0].split()) if lines else 0
    rows = [line.split() for line in lines[1:]]
    kept = [row[:2] + row[1 + cpus :] for row in rows if row and row[0][:1].isdigit()][:INTERRUPTS]
    return "\n".join(["CPU0", *(" ".join(row) for row in kept)])


def memory(text: str) -> str:
    """The lines of /proc/meminfo that a guest's memory depends on."""
    wanted = ("MemTotal", "MemFree", "MemAvailable", "HugePages_", "Hugepagesize")
    return "\n".join(line for line in text.splitlines() if line.startswith(wanted))


def disk_mounts(text: str) -> str:
    """The lines of mountinfo (proc(5)) that name a disk, or are of huge pages; mount points of
    people are shortened.
    """
    kept = []
    for line in sysfs.parts(text):
        found = _MOUNT.match(line)
        if found and not (found["source"] or "").startswith(MOUNTS_OF_DISKS):
            parts = found["point"].split("/")
            point = "/".join(parts[:3] if parts[1] in ("boot", "dev", "var") else parts[:2])
            kept.append(line[: found.start("point")] + point + line[found.end("point") :])
    return "\n".join(kept)


def default_routes(text: str) -> str:
    """The default routes of /proc/net/route without their gateways."""
    head, *lines = text.splitlines() or [""]
    rows = [line.split() for line in lines]
    kept = [row for row in rows if len(row) > 7 and row[1] == row[7] == ZEROS]
    return "\n".join([head, *("\t".join([*row[:2], ZEROS, *row[3:]]) for row in kept)])


def default_routes_6(text: str) -> str:
    """The default routes of /proc/net/ipv6_route without their gateways."""
    rows = [line.split() for line in text.splitlines()]
    kept = [row for row in rows if len(row) > 9 and row[0] == ZEROS * 4 and row[1] == "00"]
    return "\n".join(" ".join([*row[:4], ZEROS * 4, *row[5:]]) for row in kept)


def module_names(text: str) -> str:
    """/proc/modules without sizes and addresses."""
    names = sorted(line.split()[0] for line in text.splitlines() if line)
    return "\n".join(f"{name} 0 0 - Live 0x0" for name in names)


def vfio_modules(text: str) -> str:
    """The lines of depmod's lists that are about vfio."""
    return "\n".join(line for line in text.splitlines() if "/vfio" in line.partition(":")[0])


def settings(text: str) -> str:
    """A long commented file without its comments."""
    lines = text.splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


def regions(text: str) -> str:
    """A PCI function's own regions: six BARs and the ROM; the rest are a bridge's windows."""
    return "\n".join(text.splitlines()[:7])


def kinds_of_input(text: str) -> str:
    """The lines of udev's database that say what an input device is."""
    return "\n".join(line for line in text.splitlines() if line.startswith("E:ID_INPUT"))


def names(text: str, devices: Collection[tuple[str, str]], classes: Collection[str]) -> str:
    """The lines of pci.ids for these vendor and device ids, and for these classes (``0300``)."""
    kept, above, in_classes = [], "", False
    for line in text.splitlines():
        if line.startswith(("#", "\t\t")) or not line.strip():
            continue
        code = line.removeprefix("C ").split()[0]
        if not line.startswith("\t"):
            above, in_classes = code, line.startswith("C ")
            wanted = _begin(classes, code) if in_classes else any(v == code for v, _ in devices)
        else:
            wanted = above + code in classes if in_classes else (above, code) in devices
        if wanted:
            kept.append(line)
    return "\n".join(kept)


def _begin(classes: Collection[str], code: str) -> bool:
    return any(known.startswith(code) for known in classes)


TRIMS: Mapping[str, Callable[[str], str]] = {
    "proc/cpuinfo": first_processor,
    "proc/interrupts": interrupts,
    "proc/meminfo": memory,
    "proc/modules": module_names,
    "proc/self/mountinfo": disk_mounts,
    "proc/net/route": default_routes,
    "proc/net/ipv6_route": default_routes_6,
    "lib/modules/*/modules.*": vfio_modules,
    **dict.fromkeys(
        (
            "etc/default/*",
            "etc/dracut*",
            "etc/initramfs-tools/*",
            "etc/libvirt/qemu.conf",
            "etc/mkinitcpio*",
            "etc/modprobe.d/*",
            "etc/modules*",
            "usr/lib/modprobe.d/*",
        ),
        settings,
    ),
    "run/udev/data/c13:*": kinds_of_input,
    "sys/devices/*/resource": regions,
}
