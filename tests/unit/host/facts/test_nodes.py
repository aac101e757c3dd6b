"""Which PCI functions a device node hangs on."""

from pathlib import Path

from tests.fakes.tree import Link, grow
from vfiod.host.facts.nodes import read_behind
from vfiod.model import PciAddress

USB = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0/0003:046D:C31C.0001"


def test_a_keyboard_and_a_disk_behind_their_controllers(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            f"{USB}/input/input3/event3/dev": "13:67\n",
            "sys/class/input/event3": Link(f"{USB}/input/input3/event3"),
            "dev/input/event3": "",
            "dev/input/by-id/usb-Logitech-event-kbd": Link("dev/input/event3"),
            "sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0/nvme/nvme0/nvme0n1/dev": "259:0\n",
            "sys/class/block/nvme0n1": Link(
                "sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0/nvme/nvme0/nvme0n1"
            ),
            "dev/nvme0n1": "",
            "sys/devices/pci0000:00/0000:05:00.0/net/enp5s0/ifindex": "2\n",
            "sys/class/net/enp5s0": Link("sys/devices/pci0000:00/0000:05:00.0/net/enp5s0"),
            "sys/devices/virtual/net/br0/ifindex": "3\n",
            "sys/class/net/br0": Link("sys/devices/virtual/net/br0"),
            "dev/round": Link("dev/round"),
            "dev/tpm0": "",
        },
    )
    keyboard, disk = "/dev/input/by-id/usb-Logitech-event-kbd", "/dev/nvme0n1"
    interface = "/sys/class/net/enp5s0"
    asked = [interface, "/sys/class/net/br0", "/sys/class/net/gone"]
    asked += [keyboard, disk, "/dev/round", "/dev/tpm0", "/dev/gone", "/srv/disk.img"]
    assert read_behind(asked, tmp_path) == {
        keyboard: (PciAddress.parse("00:14.0"),),
        disk: (PciAddress.parse("00:01.0"), PciAddress.parse("03:00.0")),
        interface: (PciAddress.parse("05:00.0"),),
    }
