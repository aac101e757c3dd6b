"""The emulated PC as a QEMU command line: a pure function of a few choices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .image import Image
from .recipe import KERNEL_OPTIONS

FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
# As on a PC: the card on a bus of its own behind a root port, the USB controller behind another.
# A reset of the port's bus, libvirt's among others, is real there; on the root bus there is none.
GPU, AUDIO, USB = "0000:01:00.0", "0000:01:00.1", "0000:02:00.0"
FUNCTIONS = (GPU, AUDIO, USB)
PORT = "0000:00:05.0"
_ROOT_BUS = dict(zip(FUNCTIONS, ("0000:00:05.0", "0000:00:05.1", "0000:00:06.0"), strict=True))
NATIVE_DRIVERS = {
    "VGA": "bochs-drm",
    "bochs-display": "bochs-drm",
    "qxl-vga": "qxl",
    "virtio-vga": "virtio-pci",
}
# A virtio GPU would bypass the IOMMU, and so write into the wrong memory once it is passed on.
_GPU_OPTIONS = {"virtio-vga": ",disable-legacy=on,iommu_platform=on"}


@dataclass(frozen=True)
class Hardware:
    """What may differ from one lab to the next; `extra` goes to QEMU as it is.

    `root_bus`: the card and the USB controller stand on the root bus, as built-in ones do.
    `port_in_group`: the ports have no ACS, so each shares a group with what is behind it.
    `resolution`: what the monitor prefers; fewer pixels are drawn sooner.
    """

    gpu: str = "VGA"
    root_bus: bool = False
    port_in_group: bool = False
    memory: int = 4096
    cpus: int = 2
    resolution: tuple[int, int] | None = None
    accelerator: str = "tcg"
    display: str = "none"
    kernel_options: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def native_drivers(self) -> dict[str, str]:
        """PCI address -> driver that serves it while the host owns it."""
        drivers = (NATIVE_DRIVERS[self.gpu], "snd_hda_intel", "xhci_hcd")
        return dict(zip(self.functions, drivers, strict=True))

    @property
    def functions(self) -> tuple[str, ...]:
        """PCI addresses of card, sound and USB controller, as FUNCTIONS names them."""
        return tuple(_ROOT_BUS.values()) if self.root_bus else FUNCTIONS


@dataclass(frozen=True)
class Wiring:
    """Where the outside reaches one running lab; everything but the port lies in `folder`."""

    folder: Path
    port: int

    @property
    def disk(self) -> Path:
        return self.folder / "overlay.qcow2"

    @property
    def serial(self) -> Path:
        return self.folder / "serial.log"

    @property
    def qmp(self) -> Path:
        return self.folder / "qmp.sock"

    @property
    def qemu_log(self) -> Path:
        return self.folder / "qemu.log"


def command_line(hardware: Hardware, image: Image, wiring: Wiring) -> list[str]:
    """The whole QEMU command of one lab."""
    return [
        "qemu-system-x86_64",
        "-nodefaults",
        "-no-user-config",
        "-display",
        hardware.display,
        *_computer(hardware),
        *_devices(hardware),
        *_boot(hardware, image),
        *_outside(wiring),
        *hardware.extra,
    ]


def _computer(hardware: Hardware) -> list[str]:
    cpu = "host" if hardware.accelerator == "kvm" else "max"
    return [
        "-machine",
        f"q35,accel={hardware.accelerator}",
        "-cpu",
        cpu,
        "-smp",
        str(hardware.cpus),
        "-m",
        str(hardware.memory),
        "-vga",
        "none",
        "-drive",
        f"if=pflash,format=raw,readonly=on,file={FIRMWARE}",
        "-device",
        "intel-iommu,intremap=on,caching-mode=on,aw-bits=48",
    ]


def _devices(hardware: Hardware) -> list[str]:
    monitor = ",xres={},yres={}".format(*hardware.resolution) if hardware.resolution else ""
    gpu = hardware.gpu + monitor + _GPU_OPTIONS.get(hardware.gpu, "")
    card, controller = ("addr=05", "addr=06") if hardware.root_bus else _BEHIND_PORTS
    return [
        *([] if hardware.root_bus else _ports(hardware)),
        "-device",
        f"{gpu},id=gpu,{card}.0,multifunction=on",
        "-audiodev",
        "none,id=sound",
        "-device",
        f"intel-hda,id=audio,{card}.1",
        "-device",
        "hda-duplex,audiodev=sound",
        "-device",
        f"qemu-xhci,id=usb,{controller}.0",
        "-device",
        "usb-kbd",
        "-device",
        "usb-mouse",
    ]


_BEHIND_PORTS = ("bus=port1,addr=00", "bus=port2,addr=00")


def _ports(hardware: Hardware) -> list[str]:
    acs = f"disable-acs={'on' if hardware.port_in_group else 'off'}"
    return [
        "-device",
        f"pcie-root-port,id=port1,chassis=1,slot=1,addr=05.0,{acs}",
        "-device",
        f"pcie-root-port,id=port2,chassis=2,slot=2,addr=06.0,{acs}",
    ]


def _boot(hardware: Hardware, image: Image) -> list[str]:
    options = " ".join((*KERNEL_OPTIONS, *hardware.kernel_options))
    wake_up = ["-incoming", f"exec:cat {image.state}"] if image.state else []
    return [
        "-kernel",
        str(image.kernel),
        "-initrd",
        str(image.initrd),
        "-append",
        options,
        *wake_up,
    ]


def _outside(wiring: Wiring) -> list[str]:
    disk = f"file={wiring.disk},format=qcow2,if=none,id=root,cache=unsafe,discard=unmap"
    forward = f"hostfwd=tcp:127.0.0.1:{wiring.port}-10.0.2.15:22"
    return [
        "-drive",
        disk,
        "-device",
        "virtio-blk-pci,drive=root,addr=02.0",
        "-netdev",
        f"user,id=net,restrict=on,{forward}",
        "-device",
        "virtio-net-pci,netdev=net,addr=03.0,romfile=",
        "-object",
        "rng-random,id=rng,filename=/dev/urandom",
        "-device",
        "virtio-rng-pci,rng=rng,addr=04.0",
        "-serial",
        f"file:{wiring.serial}",
        "-qmp",
        f"unix:{wiring.qmp},server=on,wait=off",
    ]
