"""Facts of a PC in good order, from which tests spoil one thing."""

from dataclasses import replace
from typing import Any

from tests.fakes import pcs
from vfiod.config.schema import Config
from vfiod.guest import domain
from vfiod.guest.features import GuestXml
from vfiod.handoff.decision import snapshot
from vfiod.handoff.decision.request import Request
from vfiod.host.facts.boot import Boot, Distribution, Vendor
from vfiod.host.facts.desktop import Desktop
from vfiod.host.facts.firmware import Firmware, Iommu, Processor
from vfiod.host.facts.kernel import Kernel
from vfiod.host.facts.libvirtd import Confinement, HookFile, Libvirt, OwnHook
from vfiod.host.facts.loaders import Loader
from vfiod.host.facts.memory import Memory
from vfiod.host.facts.pci import Card, Connector, PciDevice
from vfiod.host.facts.pcinames import PciNames
from vfiod.host.facts.units import UnitState
from vfiod.model import Holder
from vfiod.tools.doctor.facts import Facts, Guest, Settings
from vfiod.util.finding import Finding, Findings, Level

HOOK = "/etc/libvirt/hooks/qemu.d/50-vfiod"
DISPLAY_MANAGER = "display-manager.service"
GIB = 2**30
SCREEN = (Card("card0", (Connector("DP-1", "connected"),)),)
XML = GuestXml(
    windows=True, uefi=True, machine="q35", hidden=True, vendor_id="vfiod", balloon=False
)


def firmware(**changes: Any) -> Firmware:
    """An AMD PC with everything switched on."""
    processor = Processor("AuthenticAMD", "AMD Ryzen 5 1600", "svm", in_guest=False, kvm=True)
    iommu = Iommu(tables=("IVRS",), units=("ivhd0",), groups=14, remapping=True)
    return replace(
        Firmware(processor, iommu, uefi=True, secure_boot=False, lockdown="none"), **changes
    )


def vga(**changes: Any) -> PciDevice:
    """The boot display, an RX 6600 with a screen."""
    device = PciDevice(
        pcs.VGA, 0x1002, 0x73FF, 0x030000, "amdgpu", 10, boot_vga=True,
        parent=pcs.BRIDGE, reset_methods=("bus",), cards=SCREEN,
        d3cold_allowed=False, power_state="D0",
    )  # fmt: skip
    return replace(device, **changes)


def audio(**changes: Any) -> PciDevice:
    """The card's sound."""
    device = PciDevice(pcs.AUDIO, 0x1002, 0xAB28, 0x040300, "snd_hda_intel", 10)
    return replace(device, **changes)


def unit(name: str, **changes: Any) -> UnitState:
    """A service that runs."""
    return replace(UnitState(name, "loaded", "active", "enabled", changed=1000.0), **changes)


def units() -> dict[str, UnitState]:
    """libvirtd, vfiod and lightdm run."""
    missing = {"load": "not-found", "active": "inactive", "file": ""}
    return {
        "vfiod.service": unit("vfiod.service"),
        "libvirtd.service": unit("libvirtd.service"),
        "libvirtd.socket": unit("libvirtd.socket"),
        "virtqemud.service": unit("virtqemud.service", **missing),
        "virtqemud.socket": unit("virtqemud.socket", **missing),
        DISPLAY_MANAGER: unit("lightdm.service"),
    }


def hook(**changes: Any) -> Libvirt:
    """libvirt with vfiod's hook; changes are those of the hook's file."""
    file = replace(HookFile(HOOK, executable=True, changed=500.0), **changes)
    confinement = Confinement(apparmor=True, profile=True, selinux=False)
    return Libvirt(
        installed=True,
        hook=OwnHook(file, ours=True, current=True),
        others=(),
        confinement=confinement,
    )


def guest(
    host: Any = None, config: Config | None = None, text: str | None = None, **changes: Any
) -> Guest:
    """win10 as the daemon would see it."""
    config = config or pcs.settings()
    wanted = domain.parse(text or pcs.xml())
    chosen = config.guests["win10"]
    state = snapshot.read(host or pcs.greeter(), config, chosen, wanted)
    request = Request(config, chosen, wanted, state)
    return replace(Guest("win10", xml=XML, request=request), **changes)


def facts(**changes: Any) -> Facts:
    """A PC on which everything is as it should be."""
    whole = Facts(
        firmware=firmware(),
        boot=Boot(Loader.GRUB, ("quiet",), (), Distribution(), "6.1.0-30-amd64", Vendor.AMD),
        kernel=Kernel("6.1.0-30-amd64", vfio=True),
        devices={pcs.VGA: vga(), pcs.AUDIO: audio()},
        names=PciNames(),
        framebuffers=(),
        libvirt=hook(),
        desktop=Desktop("lightdm.service", masked=False, lingering=()),
        memory=Memory(total=16 * GIB, available=12 * GIB, page=2**21, pages=0, free=0),
        settings=Settings(pcs.settings()),
        units=units(),
    )
    return replace(whole, **changes)


def held(command: str, unit: str) -> Holder:
    """Somebody who has the card open."""
    return Holder(4711, command, "/dev/dri/card0", unit)


def bad(findings: Findings) -> list[Finding]:
    """Those that are not ok."""
    return [finding for finding in findings if finding.level is not Level.OK]


def only(findings: Findings) -> Finding:
    """The one that is not ok; it must say all a newcomer needs."""
    (finding,) = bad(findings)
    assert finding.why
    assert finding.why[-1] == "."
    assert finding.remedy
    assert finding.remedy[-1] in ".)"
    assert finding.fact[-1] != "."
    return finding
