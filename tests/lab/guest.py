"""The second-level guest: a libvirt domain that paints the GPU it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .hardware import FUNCTIONS
from .machine import Lab

IMAGES = "/var/lib/libvirt/images"


@dataclass(frozen=True)
class Guest:
    """A domain. `disk` names one of the image's boot disks: `poweroff` or `stay`."""

    name: str = "win10"
    kind: str = "qemu"
    managed: bool = False
    hostdevs: Sequence[str] = FUNCTIONS
    disk: str = "poweroff"
    memory: int = 256
    rom: str | None = None
    disk_bus: str = "sata"

    @property
    def disk_path(self) -> str:
        return f"{IMAGES}/{self.disk}.img"


def define(lab: Lab, guest: Guest) -> None:
    """Make the domain known to the lab's libvirt."""
    lab.run("virsh", "define", "/dev/stdin", stdin=domain_xml(guest))


def state(lab: Lab, name: str) -> str:
    """What `virsh domstate` says, e.g. `running` or `shut off`."""
    return lab.output("virsh", "domstate", name)


def is_off(lab: Lab, name: str) -> bool:
    """Whether the domain has ended."""
    return state(lab, name) == "shut off"


def domain_xml(guest: Guest) -> str:
    """The whole domain. Nothing is in it that the firmware would have to look through."""
    hostdevs = "".join(
        _hostdev(guest, slot, address) for slot, address in enumerate(guest.hostdevs)
    )
    return f"""\
<domain type='{guest.kind}'>
  <name>{guest.name}</name>
  <memory unit='MiB'>{guest.memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'/>
    <bootmenu enable='no'/>
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


def _hostdev(guest: Guest, index: int, address: str) -> str:
    """One PCI function, put on the root bus under the number it has on the host."""
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
      <address type='pci' domain='0' bus='0' slot='0x{slot}'
               function='0x{function}'{multifunction}/>
    </hostdev>"""
