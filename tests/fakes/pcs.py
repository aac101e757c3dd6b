"""PCs that tests start from, the configuration and the domain XML that fit them."""

import struct
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from tests.fakes.host import FakeHost
from tests.fakes.kernel import Device, Driver
from tests.fakes.libvirt import UUID as UUID
from tests.fakes.performance import FakePool
from tests.fakes.userspace import FakeUnit, Program
from vfiod.config import schema
from vfiod.config.schema import Config
from vfiod.guest import domain
from vfiod.guest.domain import Domain
from vfiod.model import VFIO_DRIVER, FirmwareFramebuffer, PciAddress, PciFunction, Session

VGA = PciAddress.parse("0000:01:00.0")
AUDIO = PciAddress.parse("0000:01:00.1")
USB = PciAddress.parse("0000:02:00.0")
BRIDGE = PciAddress.parse("0000:00:01.0")
DISK = PciAddress.parse("0000:03:00.0")
DEVICES = (VGA, AUDIO, USB)
ROM = "/home/alice/card.rom"
EFIFB = FirmwareFramebuffer("efi-framebuffer.0", "efi-framebuffer")
GIB = 2**30


def rom(vendor: int = 0x1002, device: int = 0x73BF) -> bytes:
    """A ROM of one image, for the card with these ids."""
    pcir = struct.pack("<4sHHHHB3xHHBB", b"PCIR", vendor, device, 0, 24, 3, 2, 0, 3, 0x80)
    head = b"\x55\xaa\x02" + bytes(0x15) + struct.pack("<H", 0x1C) + bytes(2)
    return (head + pcir).ljust(1024, b"\0")


def bare(
    *, audio: str | None = "snd_hda_intel", vga: str | None = "amdgpu", group: int = 10
) -> FakeHost:
    """The card, its sound, a USB controller, a disk and a bridge; nothing runs yet."""
    host = FakeHost()
    kernel = host.kernel
    kernel.modules = {"vfio_pci": False, "amdgpu": True, "nvidia": False, "snd": True,
                      "xhci": True, "ahci": True, "pcieport": True}  # fmt: skip
    for driver in (
        Driver(VFIO_DRIVER, "vfio_pci"),
        Driver("amdgpu", "amdgpu", ("/dev/dri/card{}", "/dev/dri/renderD{}")),
        Driver("nvidia", "nvidia", ("/dev/dri/card{}", "/dev/nvidia{}"), waits_for_holders=True),
        Driver("snd_hda_intel", "snd", ("/dev/snd/controlC{}",), waits_for_holders=True),
        Driver("xhci_hcd", "xhci"),
        Driver("ahci", "ahci"),
        Driver("pcieport", "pcieport"),
    ):
        kernel.drivers[driver.name] = driver
    if vga == VFIO_DRIVER or audio == VFIO_DRIVER:
        kernel.modules["vfio_pci"] = True
    native = vga if vga not in (None, VFIO_DRIVER) else "amdgpu"
    card = PciFunction(VGA, 0x1002, 0x73BF, 0x030000, group=group, boot_vga=True)
    kernel.add(Device(PciFunction(BRIDGE, 0x8086, 0x1901, 0x060400, group=group), "pcieport"),
               "pcieport")  # fmt: skip
    kernel.add(Device(card, native), vga)
    kernel.add(Device(PciFunction(AUDIO, 0x1002, 0xAB28, 0x040300, group=group), "snd_hda_intel"),
               audio)  # fmt: skip
    kernel.add(Device(PciFunction(USB, 0x1B21, 0x2142, 0x0C0330, group=11), "xhci_hcd"),
               "xhci_hcd")  # fmt: skip
    kernel.add(Device(PciFunction(DISK, 0x8086, 0xA352, 0x010601, group=12), "ahci"), "ahci")
    host.files.roms[ROM] = rom()
    return host


def greeter(host: FakeHost | None = None) -> FakeHost:
    """A display manager with its greeter on the card."""
    host = host or bare()
    host.user.add(
        FakeUnit(
            "lightdm.service",
            (Program("Xorg", (VGA,)), Program("greeter", (VGA,), uid=105)),
            aliases=("display-manager.service",),
            needs_display=True,
            memory=GIB // 8,
        )
    )
    host.user.log_in(
        Session("c1", "lightdm", 105, "seat0", "greeter", graphical=True, unit="session-c1.scope")
    )
    return host


def desktop(host: FakeHost | None = None) -> FakeHost:
    """alice is logged in: a compositor in her session, sound in her manager, respawned."""
    host = greeter(host)
    host.user.session_ends_after = 0.5
    alice = Session("2", "alice", 1000, "seat0", "user", graphical=True, unit="session-2.scope")
    host.user.add(
        FakeUnit(
            "user@1000.service",
            (Program("pipewire", (AUDIO,), uid=1000, respawn=0.1),),
            mortal=True,
        )
    )
    host.user.log_in(alice, Program("gnome-shell", (VGA,), uid=1000), memory=2 * GIB)
    return host


IN_MANAGER = "/user.slice/user-1000.slice/user@1000.service"


def reopening() -> FakeHost:
    """alice's desktop, on a host where applications are opened again."""
    host = desktop()
    host.configuration = f"reopen: always\n{configuration()}"
    return host


def staying() -> FakeHost:
    """alice lingers: her manager stays, with a build in it, and with sound that uses the card."""
    host = greeter()
    host.user.session_ends_after = 0.5
    host.user.lingering.add(1000)
    sound, build = f"{IN_MANAGER}/session.slice/pipewire.service", f"{IN_MANAGER}/make.service"
    pipewire = Program("pipewire", (AUDIO,), uid=1000, respawn=0.1, group=sound)
    programs = (pipewire, Program("make", uid=1000, group=build))
    host.user.add(FakeUnit("user@1000.service", programs))
    alice = Session("2", "alice", 1000, "seat0", "user", graphical=True, unit="session-2.scope")
    host.user.log_in(alice, Program("gnome-shell", (VGA,), uid=1000))
    return host


def crowded() -> FakeHost:
    """All at once: desktop, a monitoring daemon, a stubborn holder, somebody over ssh."""
    host = desktop()
    host.user.lingering.add(1001)
    host.user.add(FakeUnit("lactd.service", (Program("lact", (VGA,), respawn=0.2),)))
    host.user.add(FakeUnit("user@1001.service", (Program("wireplumber", (AUDIO,), uid=1001),)))
    host.user.log_in(
        Session("7", "bob", 1001, "", "user", unit="session-7.scope"),
        Program("stubborn", (VGA,), uid=1001, ignores=frozenset({15})),
    )
    return host


def autologin(respawn: float = 0.1) -> FakeHost:
    """No display manager: a getty logs alice in, whose profile begins a compositor."""
    host = bare()
    host.user.session_ends_after = 0.2
    alice = Session("1", "alice", 1000, "seat0", "user", terminal=1)
    programs = (Program("sway", (VGA,), uid=1000), Program("firefox", uid=1000, title="Firefox"))
    host.user.add(FakeUnit("getty@tty1.service", logs_in=(alice, programs), respawn=respawn))
    return host


def kmscon() -> FakeHost:
    """alice's desktop, and a login of bob's on a text console that a program paints on the card."""
    host = desktop()
    host.user.add(FakeUnit("kmsconvt@tty3.service", (Program("kmscon", (VGA,)),)))
    console = next(p for p in host.user.processes.values() if p.program.command == "kmscon")
    login = host.user.spawn(Program("login"), "session-8.scope")
    host.user.parents[login.pid] = console.pid
    bob = Session("8", "bob", 1001, "", "user", unit="session-8.scope", leader=login.pid)
    host.user.log_in(bob, Program("vim", uid=1001))
    return host


CONTAINER = "3f" * 32


def container(engine: str = "docker") -> FakeHost:
    """A container that uses the card, with a restart policy; the desktop is alice's."""
    host = desktop()
    scope = f"{engine}-{CONTAINER}.scope"
    program = Program("ollama", (VGA,), uid=1000, respawn=0.1, group=f"/system.slice/{scope}")
    host.user.add(FakeUnit(scope, (program,)))
    return host


def text_console() -> FakeHost:
    """No display manager; alice works on a text console."""
    host = bare()
    host.user.log_in(
        Session("1", "alice", 1000, "seat0", "user", unit="session-1.scope"), Program("bash")
    )
    return host


def on_vfio() -> FakeHost:
    """A card that was given to vfio-pci at boot, beside a USB controller of the host."""
    host = bare(vga=VFIO_DRIVER, audio=VFIO_DRIVER)
    for address in (VGA, AUDIO):
        host.kernel.device(address).override = VFIO_DRIVER
    return host


def nvidia() -> FakeHost:
    """The proprietary driver: modules to unload, and the firmware's framebuffer still there."""
    host = bare(vga=None)
    kernel = host.kernel
    for name in ("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm"):
        kernel.modules[name] = True
    kernel.evicts_framebuffers = False
    kernel.framebuffers.append(EFIFB)
    kernel.device(VGA).native = "nvidia"
    kernel.probe(VGA)
    return greeter(host)


OTHER_VGA = PciAddress.parse("0000:05:00.0")


def two_nvidia() -> FakeHost:
    """Another card of NVIDIA's stays with the host: the modules cannot be unloaded."""
    host = nvidia()
    other = PciFunction(OTHER_VGA, 0x10DE, 0x1E04, 0x030000, group=20)
    host.kernel.add(Device(other, "nvidia"), "nvidia")
    return host


ARC_SOUND = PciAddress.parse("0000:06:00.0")


def arc() -> FakeHost:
    """Intel's card: behind a switch of its own, and there its sound on another bus."""
    host = bare(audio=None)
    kernel = host.kernel
    for address in (VGA, AUDIO):
        del kernel.devices[address]
    kernel.modules["xe"] = True
    kernel.drivers["xe"] = Driver("xe", "xe", ("/dev/dri/card{}", "/dev/dri/renderD{}"))
    card = PciFunction(VGA, 0x8086, 0x56A0, 0x030000, group=10, boot_vga=True)
    kernel.add(Device(card, "xe"), "xe")
    sound = PciFunction(ARC_SOUND, 0x8086, 0x4F90, 0x040300, group=13)
    kernel.add(Device(sound, "snd_hda_intel", waits_for=VGA), "snd_hda_intel")
    devices = (VGA, ARC_SOUND, USB)
    host.configuration = configuration(devices, rom=False)
    host.guest = xml(devices, rom_file=None)
    return greeter(host)


PERFORMANCE = """\
    performance:
      host_cpus: 0-1
      governor: performance
      energy: performance
      hugepages: auto
      irqs: near
      transparent_hugepages: never
"""
HUGEPAGES = "<memoryBacking><hugepages/></memoryBacking>"


def tuned() -> FakeHost:
    """Everything under performance: is asked for, and some of it was set before."""
    host = desktop()
    for number in (1, 2, 3):
        host.cpus.add_policy(number)
    host.cpus.add_policy(4, energy=None)
    host.slices.limits["user.slice"] = frozenset({0, 1, 2, 3})
    host.hugepages.pools[2 * 2**20] = FakePool(total=10, used=3)
    host.configuration = configuration(more=PERFORMANCE)
    host.guest = xml(backing=HUGEPAGES)
    return host


def configuration(
    devices: Sequence[PciAddress] = DEVICES, *, rom: bool = True, more: str = ""
) -> str:
    """The text of vfiod.yaml."""
    lines = ["guests:", "  win10:", "    devices:"]
    for address in devices:
        lines.append(f"      - address: {address}")
        lines += [f"        rom: {ROM}"] if rom and address == VGA else []
    return "\n".join(lines) + f"\n{more}"


def settings(
    devices: Sequence[PciAddress] = DEVICES, *, rom: bool = True, more: str = ""
) -> Config:
    """The same, parsed."""
    return schema.parse(configuration(devices, rom=rom, more=more))


def xml(
    devices: Sequence[PciAddress] = DEVICES,
    *,
    name: str = "win10",
    rom_file: str | None = f"/usr/share/vgabios/vfiod/{VGA}.rom",
    memory: int = 4 * GIB,
    disk: str = "/var/lib/libvirt/images/win10.qcow2",
    backing: str = "",
) -> str:
    """Domain XML that passes the devices through."""
    rows = []
    for a in devices:
        rom = f"<rom file='{rom_file}'/>" if rom_file and a == VGA else ""
        rows.append(
            f"<hostdev mode='subsystem' type='pci' managed='no'><source><address "
            f"domain='{a.domain:#06x}' bus='{a.bus:#04x}' slot='{a.slot:#04x}' "
            f"function='{a.function:#x}'/></source>{rom}</hostdev>"
        )
    return (
        f"<domain type='kvm'><name>{name}</name><uuid>{UUID}</uuid>"
        f"<memory unit='b'>{memory}</memory>{backing}<devices><disk type='file' device='disk'>"
        f"<source file='{disk}'/></disk>{''.join(rows)}</devices></domain>"
    )


def told(xml: str, *words: str) -> str:
    """The definition with these words for QEMU in its <qemu:commandline>."""
    given = "".join(f"<qemu:arg value={quoteattr(word)}/>" for word in words)
    space = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
    return xml.replace("<domain ", f"<domain {space} ", 1).replace(
        "</domain>", f"<qemu:commandline>{given}</qemu:commandline></domain>"
    )


def guest_xml(devices: Sequence[PciAddress] = DEVICES) -> Domain:
    """The same, parsed."""
    return domain.parse(xml(devices))
