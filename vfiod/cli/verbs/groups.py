"""vfiod groups: which devices of this PC can go to a guest together, and what stands in the way."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vfiod.host.facts.pci import PciDevice
    from vfiod.tools.groups.render import View
    from vfiod.tools.groups.sets import DeviceSet, Remark


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "groups",
        help="which devices can go to a guest together",
        description="Show the devices of this PC by what can go to a guest together, and what "
        "stands in the way. Changes nothing.",
        epilog="exit status: 4 if no IOMMU is at work",
    )
    verb.add_argument("--all", action="store_true", help="show the parts of the board as well")
    verb.add_argument("--json", action="store_true", help="print facts as JSON")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read the machine and tell. Status 4 without an IOMMU: a start would be refused."""
    from vfiod.cli.terminal import console
    from vfiod.tools.groups.render import show

    view = read()
    if arguments.json:
        print(json.dumps(facts(view), indent=2, ensure_ascii=False))
    else:
        show(view, console(), board=arguments.all)
    return 0 if view.has_iommu else 4


def read(root: Path = Path("/")) -> "View":
    """Read this machine, or a recorded one; any user may."""
    from vfiod.host.facts.pci import read_devices
    from vfiod.host.facts.pcinames import read_names
    from vfiod.host.facts.usage import read_host_usage
    from vfiod.host.facts.usb import read_controllers
    from vfiod.tools.groups.render import View
    from vfiod.tools.groups.sets import find_sets

    devices, controllers = read_devices(root), read_controllers(root)
    in_use_by = read_host_usage([a for a, d in devices.items() if not d.is_bridge], root)
    return View(find_sets(devices, in_use_by, controllers), devices, controllers, read_names(root))


def facts(view: "View") -> dict[str, Any]:
    """What is shown, for programs; parts of the board included."""
    return {"iommu": view.has_iommu, "sets": [_set(view, each) for each in view.sets]}


def _set(view: "View", each: "DeviceSet") -> dict[str, Any]:
    return {
        "kind": each.kind.value,
        "groups": list(each.groups),
        "can_go": each.can_go,
        "devices": [_device(view, each, device) for device in each.going],
        "stays": [str(bridge.address) for bridge in each.staying],
        "obstacles": [_remark(remark) for remark in each.obstacles],
        "notes": [_remark(remark) for remark in each.notes],
    }


def _device(view: "View", each: "DeviceSet", device: "PciDevice") -> dict[str, Any]:
    from vfiod.tools.groups.sets import reset_ways

    controller = view.controllers.get(device.address)
    plugged = controller.devices if controller else ()
    return {
        "address": str(device.address),
        "id": f"{device.vendor:04x}:{device.device:04x}",
        "class": f"{device.class_code:06x}",
        "name": view.names.device(device),
        "group": device.group,
        "driver": device.driver,
        "boot_display": device.boot_vga,
        "screens": list(device.connected),
        "reset": list(reset_ways(device, each.going, view.devices)),
        "usb": [
            {"name": p.name, "port": p.port, "kinds": [k.value for k in p.kinds]} for p in plugged
        ],
    }


def _remark(remark: "Remark") -> dict[str, str]:
    return {"device": str(remark.device), "fact": remark.fact, "remedy": remark.remedy}
