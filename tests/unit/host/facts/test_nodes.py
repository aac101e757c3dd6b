"""Which PCI functions a device node hangs on."""

from pathlib import Path

from tests.fakes.tree import Link, grow
from vfiod.host.facts.nodes import read_behind, read_render_nodes
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
            "sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0/drm/renderD128/dev": "226:128\n",
            "sys/class/drm/renderD128": Link(
                "sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0/drm/renderD128"
            ),
            "dev/dri/renderD128": "",
            "dev/dri/by-path/pci-0000:03:00.0-render": Link("dev/dri/renderD128"),
            "sys/devices/pci0000:00/0000:05:00.0/net/enp5s0/ifindex": "2\n",
            "sys/class/net/enp5s0": Link("sys/devices/pci0000:00/0000:05:00.0/net/enp5s0"),
            "sys/devices/virtual/net/br0/ifindex": "3\n",
            "sys/class/net/br0": Link("sys/devices/virtual/net/br0"),
            "dev/round": Link("dev/round"),
            "dev/tpm0": "",
        },
    )
    keyboard, disk = "/dev/input/by-id/usb-Logitech-event-kbd", "/dev/nvme0n1"
    card, interface = "/dev/dri/by-path/pci-0000:03:00.0-render", "/sys/class/net/enp5s0"
    asked = [card, interface, "/sys/class/net/br0", "/sys/class/net/gone"]
    asked += [keyboard, disk, "/dev/round", "/dev/tpm0", "/dev/gone", "/srv/disk.img"]
    assert read_behind(asked, tmp_path) == {
        keyboard: (PciAddress.parse("00:14.0"),),
        disk: (PciAddress.parse("00:01.0"), PciAddress.parse("03:00.0")),
        card: (PciAddress.parse("00:01.0"), PciAddress.parse("03:00.0")),
        interface: (PciAddress.parse("05:00.0"),),
    }


def test_what_can_be_drawn_on(tmp_path: Path) -> None:
    assert read_render_nodes(tmp_path) == {}
    card = "sys/devices/pci0000:00/0000:00:02.0/drm"
    grow(
        tmp_path,
        {
            f"{card}/card0/dev": "226:0\n",
            f"{card}/renderD128/dev": "226:128\n",
            "sys/devices/platform/vgem/drm/renderD129/dev": "226:129\n",
            "sys/class/drm/card0": Link(f"{card}/card0"),
            "sys/class/drm/renderD128": Link(f"{card}/renderD128"),
            "sys/class/drm/renderD129": Link("sys/devices/platform/vgem/drm/renderD129"),
        },
    )
    assert read_render_nodes(tmp_path) == {
        "/dev/dri/renderD128": (PciAddress.parse("00:02.0"),),
        "/dev/dri/renderD129": (),
    }


def test_what_libvirt_hands_over_by_its_place_in_sysfs(tmp_path: Path) -> None:
    card = "sys/devices/pci0000:00/0000:00:02.0"
    grow(
        tmp_path,
        {
            f"{card}/vendor": "0x8086\n",
            f"{card}/4b20/remove": "",
            "sys/bus/pci/devices/0000:00:02.0": Link(card),
            "sys/bus/mdev/devices/4b20": Link(f"{card}/4b20"),
        },
    )
    paths = ("/sys/bus/pci/devices/0000:00:02.0", "/sys/bus/mdev/devices/4b20")
    there = (PciAddress.parse("0000:00:02.0"),)
    assert read_behind(paths, tmp_path) == dict.fromkeys(paths, there)
    assert read_behind(["/sys/bus/mdev/devices/none"], tmp_path) == {}
