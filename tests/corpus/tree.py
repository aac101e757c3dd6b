"""The /sys, /proc and /etc that a kernel would show on a PC of the corpus."""

from pathlib import Path

from tests.corpus.pc import Function, Pc, Usb
from tests.fakes.tree import Contents, Link, grow

Files = dict[str, Contents]
# What usually drives a class: of a maker if one is named, else of anybody.
_DRIVERS = {
    "0104": "vmd", "0106": "ahci", "0108": "nvme", "0200:1022": "xgbe", "0200:10ec": "r8169",
    "0200:14e4": "tg3", "0200:1d6a": "atlantic", "0200:8086": "igc", "0280": "mt7921e",
    "0280:10ec": "rtw89_8852be", "0280:168c": "ath10k_pci", "0280:17cb": "ath11k_pci",
    "0280:8086": "iwlwifi", "0300:1002": "amdgpu", "0300:1a03": "ast", "0300:8086": "i915",
    "0302:10de": "nouveau", "0300:10de": "nouveau", "0380:1002": "amdgpu", "0380:8086": "i915",
    "0401": "sof-audio-pci-intel-tgl", "0403": "snd_hda_intel", "0480": "snd_acp",
    "0604": "pcieport", "0780": "mei_me", "0880:8086": "thunderbolt", "0c03": "xhci_hcd",
    "0c05:1022": "piix4_smbus", "0c05:8086": "i801_smbus", "0c80:10de": "nvidia-gpu",
    "1080:1022": "ccp",
}  # fmt: skip
_INTERFACES = {"0106": "01", "0108": "02", "0c03": "30"}
# By class, of a function behind a bridge: a bus of its own can be reset.
_RESETS = {"0108": "flr bus", "0200:8086": "flr bus", "0200": "pm bus", "0280:8086": "flr bus",
           "0300": "bus", "0302": "bus", "0380": "bus", "0604": "pm"}  # fmt: skip
# On the processor's or the chipset's own bus.
_RESETS_AT_ROOT = {"0300:8086": "flr", "0c03:8086": "pm", "0604": "pm", "0200:8086": "flr"}
_INTERFACE_OF = {
    "keyboard": ("03", "01", "01"), "mouse": ("03", "01", "02"), "input": ("03", "00", "00"),
    "hub": ("09", "00", "00"), "storage": ("08", "06", "50"), "audio": ("01", "01", "00"),
    "camera": ("0e", "01", "00"), "network": ("02", "06", "00"), "bluetooth": ("e0", "01", "01"),
    "printer": ("07", "01", "02"), "serial": ("02", "02", "01"), "other": ("ff", "00", "00"),
    "smart-card": ("0b", "00", "00"),
}  # fmt: skip
_PCI = "sys/bus/pci"
_GROUPS = "sys/kernel/iommu_groups"
_DEBIAN = {"debian": "Debian", "ubuntu": "Ubuntu", "fedora": "Fedora", "arch": "Arch"}


def materialise(pc: Pc, root: Path) -> Path:
    """Grow the tree in the empty directory ``root``, which is returned."""
    files = _machine(pc)
    for function in pc.functions:
        files |= _function(function, pc)
    for number, function in enumerate(f for f in pc.functions if f.value("disk")):
        files |= _disk(function, number)
    files |= _mounts(pc) | _routes(pc)
    grow(root, files)
    return root


def place(function: Function) -> str:
    """Its directory in /sys/devices; a domain of its own (VMD) begins a new root below."""
    path, domain = "sys/devices", ""
    for address in (*function.above, function.address):
        if domain != address[:-8]:
            domain = address[:-8]
            path += f"/pci{address.rsplit(':', 1)[0]}"
        path += f"/{address}"
    return path


def _machine(pc: Pc) -> Files:
    flag, module, table, unit = (
        ("svm", "kvm_amd", "IVRS", "ivhd0") if pc.is_amd else ("vmx", "kvm_intel", "DMAR", "dmar0")
    )
    vendor = "AuthenticAMD" if pc.is_amd else "GenuineIntel"
    remapped = "IR-" if pc.iommu == "on" else ""
    kib = int(pc.memory) * 1024**2
    name = next(key for key in (*_DEBIAN, "") if key in pc.system.lower())
    files: Files = {
        "proc/cpuinfo": f"vendor_id\t: {vendor}\nmodel name\t: {pc.cpu}\nflags\t\t: {flag}\n",
        "proc/modules": f"{module} 16384 0 - Live 0x0\n",
        "proc/interrupts": f"  CPU0\n  1: 9 {remapped}IO-APIC 1-edge i8042\n",
        "proc/meminfo": f"MemTotal: {kib} kB\nMemAvailable: {kib * 3 // 4} kB\n"
        "Hugepagesize: 2048 kB\nHugePages_Total: 0\nHugePages_Free: 0\n",
        "proc/cmdline": f"{pc.cmdline}\n",
        "proc/sys/kernel/osrelease": f"{pc.kernel}\n",
        f"lib/modules/{pc.kernel}/modules.dep": "kernel/drivers/vfio/pci/vfio-pci.ko:\n",
        "etc/os-release": f'ID={name}\nPRETTY_NAME="{pc.system}"\n',
        "etc/systemd/system/display-manager.service": Link(
            f"/usr/lib/systemd/system/{pc.desktop}.service"
        ),
    }
    if pc.iommu == "on":
        files[f"sys/firmware/acpi/tables/{table}"] = table
        files[f"sys/class/iommu/{unit}/devices/x"] = ""
    if pc.firmware == "uefi":
        files["sys/firmware/efi/fw_platform_size"] = "64\n"
    if pc.nvidia:
        files["sys/module/nvidia/version"] = f"{pc.nvidia}\n"
    return files | _loader(pc)


def _loader(pc: Pc) -> Files:
    if pc.loader == "systemd-boot":
        return {"boot/loader/entries/linux.conf": f"options {pc.cmdline}\n"}
    if pc.loader == "grubby":
        return {"usr/sbin/grubby": "", "etc/default/grub": f'GRUB_CMDLINE_LINUX="{pc.cmdline}"\n'}
    return {
        "usr/sbin/update-grub": "",
        "etc/default/grub": f'GRUB_CMDLINE_LINUX_DEFAULT="{pc.cmdline}"\n',
    }


def _function(function: Function, pc: Pc) -> Files:
    at, driver = place(function), _driver(function, pc)
    files: Files = {
        f"{at}/vendor": f"0x{function.vendor}\n",
        f"{at}/device": f"0x{function.device}\n",
        f"{at}/class": f"0x{function.code}{_interface(function)}\n",
        f"{at}/d3cold_allowed": "1\n",
        f"{at}/power_state": "D0\n",
        f"{_PCI}/devices/{function.address}": Link(at),
    }
    if ways := _resets(function):
        files |= {f"{at}/reset": "", f"{at}/reset_method": f"{ways}\n"}
    if driver:
        files[f"{_PCI}/drivers/{driver}/unbind"] = ""
        files[f"{at}/driver"] = Link(f"{_PCI}/drivers/{driver}")
    if function.group and pc.iommu == "on":
        group = f"{_GROUPS}/{function.group}"
        files |= {f"{group}/type": "DMA\n", f"{at}/iommu_group": Link(group)}
    if function.has("direct"):
        files[f"{_GROUPS}/{function.group}/reserved_regions"] = "0x0 0xfff direct\n"
    if physical := function.value("vf"):
        owner = next(f for f in pc.functions if f.address.endswith(physical))
        files[f"{at}/physfn"] = Link(place(owner))
    return files | _display(function, at, driver) | _plugged(function, at)


def _display(function: Function, at: str, driver: str) -> Files:
    files: Files = {}
    if function.code == "0300":
        files[f"{at}/boot_vga"] = f"{int(function.has('boot'))}\n"
    for name, status in function.connectors:
        files[f"{at}/drm/card0/card0-{name}/status"] = f"{status}\n"
    if window := function.value("window"):
        end = 2**40 + int(window) * 2**20 - 1
        files[f"{at}/resource"] = f"{2**40:#018x} {end:#018x} 0x000000000014220c\n"
        files[f"{at}/resource0_resize"] = "000000000000ff00\n"
    return files


def _plugged(function: Function, at: str) -> Files:
    files: Files = {}
    if function.code == "0c03" and function.value("driver") in (None, "xhci_hcd"):
        files[f"{at}/usb1/idVendor"] = "1d6b\n"
    for port, usb in enumerate(function.plugged, 1):
        files |= _usb(usb, f"{at}/usb1/1-{port}", port)
    return files


def _usb(usb: Usb, at: str, number: int) -> Files:
    files: Files = {
        f"{at}/idVendor": f"{usb.vendor}\n", f"{at}/idProduct": f"{usb.device}\n",
        f"{at}/product": f"{usb.name}\n", f"{at}/devnum": f"{number}\n",
    }  # fmt: skip
    for index, kind in enumerate(usb.kinds):
        names = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
        codes = zip(names, _INTERFACE_OF[kind], strict=True)
        interface = f"{at}/{at.rpartition('/')[2]}:1.{index}"
        files |= {f"{interface}/{name}": f"{code}\n" for name, code in codes}
    return files


def _disk(function: Function, number: int) -> Files:
    """One disk, with a partition for each file system."""
    name = f"nvme{number}n1" if function.code == "0108" else f"sd{'abcdef'[number]}"
    at = f"{place(function)}/block/{name}"
    files: Files = {}
    for part in range(len((function.value("disk") or "").split(",")) + 1):
        path = at if part == 0 else f"{at}/{name}p{part}"
        files[f"{path}/dev"] = f"259:{number * 16 + part}\n"
        files[f"sys/dev/block/259:{number * 16 + part}"] = Link(path)
        files[f"sys/class/block/{path.rpartition('/')[2]}"] = Link(path)
    return files


def _mounts(pc: Pc) -> Files:
    lines: list[str] = []
    for number, function in enumerate(f for f in pc.functions if f.value("disk")):
        for part, mounted in enumerate((function.value("disk") or "").split(","), 1):
            device = f"259:{number * 16 + part}"
            lines.append(f"{len(lines) + 20} 1 {device} / {mounted} rw - ext4 /dev/x rw\n")
    return {"proc/self/mountinfo": "".join(lines)}


def _routes(pc: Pc) -> Files:
    files: Files = {}
    rows = ["Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"]
    for number, function in enumerate(f for f in pc.functions if f.has("net")):
        at = f"{place(function)}/net/net{number}"
        files |= {f"{at}/operstate": "up\n", f"sys/class/net/net{number}": Link(at)}
        rows.append(f"net{number} 00000000 00000000 0003 0 0 100 00000000 0 0 0\n")
    return {**files, "proc/net/route": "".join(rows)}


def _driver(function: Function, pc: Pc) -> str:
    said = function.value("driver")
    if said is not None:
        return said.strip("-")
    if pc.nvidia and function.vendor == "10de" and function.code in ("0300", "0302"):
        return "nvidia"
    return usual_driver(function)


def usual_driver(function: Function) -> str:
    """The driver that a function of its kind has on most hosts; empty for none."""
    return _of(_DRIVERS, function)


def usual_resets(function: Function, *, below: bool, virtual: bool = False) -> str:
    """How the kernel resets most functions of its kind, as reset_method has it."""
    return "flr" if virtual else _of(_RESETS if below else _RESETS_AT_ROOT, function)


def _interface(function: Function) -> str:
    return _INTERFACES.get(function.code, "00") if len(function.code) == 4 else ""


def _resets(function: Function) -> str:
    said = function.value("reset")
    if said is not None:
        return said.strip("-").replace(",", " ")
    virtual = function.value("vf") is not None
    return usual_resets(function, below=bool(function.above), virtual=virtual)


def _of(table: dict[str, str], function: Function) -> str:
    keys = (f"{function.code}:{function.vendor}", function.code)
    return next((table[key] for key in keys if key in table), "")
