"""The second-level guest: a libvirt domain that paints the GPU it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .emulator import painter
from .emulator.hardware import FUNCTIONS
from .emulator.machine import Lab

IMAGES = "/var/lib/libvirt/images"
_FIRST_SLOT = 5  # the first card's; painter.py looks for it there
SECONDS = {"poweroff": 5, "stay": painter.STAY}


@dataclass(frozen=True)
class Guest:
    """A domain. `does` is `poweroff` (paint, wait, power off) or `stay` (until shut down).

    It starts in QEMU's emulation (`kind`), not nested in KVM: QEMU 7.2 as the lab's emulator
    dies of an assertion when a nested guest writes CR8, which OVMF does at each timer tick.
    With `uefi` the firmware drives the GPU as on a PC (`startup.nsh` on a FAT disk); without
    it the painter does, in a tenth of the time.
    """

    name: str = "win10"
    kind: str = "qemu"
    managed: bool = False
    hostdevs: Sequence[str] = FUNCTIONS
    does: str = "poweroff"
    uefi: bool = False
    memory: int = 256
    rom: str | None = None
    disk_bus: str = "sata"
    hugepages: bool = False

    @property
    def disk_path(self) -> str:
        return f"{IMAGES}/{self.does}.img"

    @property
    def kernel_path(self) -> str:
        return f"{IMAGES}/{self.does}.bin"


def define(lab: Lab, guest: Guest) -> None:
    """Make the domain known to the lab's libvirt."""
    if not guest.uefi:
        lab.put(painter.kernel(SECONDS[guest.does]), guest.kernel_path)
    lab.run("virsh", "define", "/dev/stdin", stdin=domain_xml(guest))


def state(lab: Lab, name: str) -> str:
    """What `virsh domstate` says, e.g. `running` or `shut off`."""
    return lab.output("virsh", "domstate", name)


def is_off(lab: Lab, name: str) -> bool:
    """Whether the domain has ended."""
    return state(lab, name) == "shut off"


def domain_xml(guest: Guest) -> str:
    """The whole domain. Nothing is in it that the firmware would have to look through."""
    cards = list(dict.fromkeys(address.rpartition(".")[0] for address in guest.hostdevs))
    hostdevs = "".join(
        _hostdev(guest, index, address, _FIRST_SLOT + cards.index(address.rpartition(".")[0]))
        for index, address in enumerate(guest.hostdevs)
    )
    return f"""\
<domain type='{guest.kind}'>
  <name>{guest.name}</name>
  <memory unit='MiB'>{guest.memory}</memory>
  {"<memoryBacking><hugepages/></memoryBacking>" if guest.hugepages else ""}
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    {_firmware(guest)}
  </os>
  <features><acpi/></features>
  <on_reboot>destroy</on_reboot>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{guest.disk_path}'/>
      <target dev='{"sda" if guest.disk_bus == "sata" else "vda"}' bus='{guest.disk_bus}'/>
      <boot order='1'/>
    </disk>
    <controller type='usb' model='none'/>
    <video><model type='none'/></video>
    <memballoon model='none'/>
    {hostdevs}
  </devices>
</domain>
"""


def _firmware(guest: Guest) -> str:
    if not guest.uefi:
        return f"<kernel>{guest.kernel_path}</kernel>"
    return """<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'/>"""


def _hostdev(guest: Guest, index: int, address: str, place: int) -> str:
    """One PCI function, put on the guest's root bus in the slot ``place``."""
    domain, bus, rest = address.split(":")
    slot, function = rest.split(".")
    rom = f"<rom file='{guest.rom}'/>" if guest.rom and index == 0 else ""
    multifunction = " multifunction='on'" if function == "0" else ""
    return f"""
    <hostdev mode='subsystem' type='pci' managed='{"yes" if guest.managed else "no"}'>
      <source>
        <address domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' function='0x{function}'/>
      </source>
      {rom}
      <address type='pci' domain='0' bus='0' slot='0x{place:02x}'
               function='0x{function}'{multifunction}/>
    </hostdev>"""
