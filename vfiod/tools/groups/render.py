"""Device sets as a person reads them: trees with names, drivers and what stands in the way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from vfiod.host.facts.pci import PciDevice
from vfiod.host.facts.pcinames import PciNames
from vfiod.host.facts.usb import UsbController, UsbDevice, UsbKind
from vfiod.model import PciAddress
from vfiod.tools.groups.sets import DeviceSet, Kind, Remark, reset_ways

# Wide enough that nothing is wrapped or cut where no terminal says how wide it is.
UNWRAPPED = 10_000
USB_DRIVERS = ("xhci_hcd", "ehci-pci", "ohci-pci", "uhci_hcd")
HEADINGS = {
    Kind.GRAPHICS: "Graphics",
    Kind.USB: "USB controllers",
    Kind.OTHER: "Other devices",
    Kind.BOARD: "Parts of the board",
}
RULE = (
    "The IOMMU keeps groups of devices apart, but not the devices within one group: "
    "what is in one group goes to a guest together or not at all."
)
NO_IOMMU = (
    "No IOMMU is at work: this kernel shows no IOMMU groups, so no device can go to a guest.\n"
    "Switch it on in the firmware set-up (AMD: SVM and IOMMU; Intel: VT-x and VT-d; a virtual "
    "machine needs a virtual IOMMU) and start again. If that does not help: vfiod doctor says "
    "what is missing."
)


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown of a PC."""

    sets: Sequence[DeviceSet]
    devices: Mapping[PciAddress, PciDevice]
    controllers: Mapping[PciAddress, UsbController]
    names: PciNames

    @property
    def has_iommu(self) -> bool:
        """True if the kernel has put devices into groups."""
        return any(device.group is not None for device in self.devices.values())


def show(view: View, out: Console, *, board: bool) -> None:
    """Print the sets as trees, one for each kind; those of the board only if asked for."""
    if not out.is_terminal:
        out.width = UNWRAPPED
    out.print(RULE if view.has_iommu else Text(NO_IOMMU, style="bold red"))
    for kind, heading in HEADINGS.items():
        sets = [each for each in view.sets if each.kind is kind]
        if sets and (board or kind is not Kind.BOARD):
            tree = Tree(Text(heading, style="bold underline"))
            for each in sets:
                _grow(view, tree, each, board=board)
            out.print()
            out.print(tree, soft_wrap=False)
        elif sets:
            out.print(_hidden(sets))


def _hidden(sets: Sequence[DeviceSet]) -> str:
    count = sum(len(each.going) + len(each.staying) for each in sets)
    parts = f"{count} parts" if count > 1 else "1 part"
    return (
        f"\nNot shown: {parts} of the board, such as bridges, which no guest needs "
        "(vfiod groups --all)."
    )


def _grow(view: View, tree: Tree, each: DeviceSet, *, board: bool) -> None:
    branch = tree.add(_title(each)) if view.has_iommu else tree
    for device in each.going:
        leaf = branch.add(_device(view, each, device))
        for text in _plugged(view, device):
            leaf.add(text)
        for text in _remarks(each, device) if view.has_iommu else ():
            leaf.add(text)
    _grow_bridges(view, branch, each, board=board)
    for remedy in dict.fromkeys(r.remedy for r in (*each.obstacles, *each.notes) if r.remedy):
        if view.has_iommu:
            branch.add(Text(f"what to do: {remedy}", style="bold"))


def _grow_bridges(view: View, branch: Tree, each: DeviceSet, *, board: bool) -> None:
    """Bridges beside devices share a line, unless there is something to say about one."""
    held = {remark.device for remark in each.obstacles}
    shown = [b for b in each.staying if board or b.address in held]
    for bridge in shown:
        leaf = branch.add(_device(view, each, bridge))
        for text in _remarks(each, bridge):
            leaf.add(text)
    rest = [str(bridge.address) for bridge in each.staying if bridge not in shown]
    if rest:
        verb = "bridges stay" if len(rest) > 1 else "a bridge stays"
        branch.add(Text(f"{verb} with the host: {', '.join(rest)}", style="dim"))


def _title(each: DeviceSet) -> Text:
    numbers = ", ".join(map(str, each.groups))
    name = f"Group{'s' * (len(each.groups) > 1)} {numbers}" if each.groups else "In no group"
    card = " (one card)" if len(each.groups) > 1 else ""
    title = Text(name + card, style="bold")
    if each.can_go:
        whole = " as a whole" if len(each.going) > 1 else ""
        return title.append(f": can go to a guest{whole}", style="green")
    if each.going:
        return title.append(": cannot go to a guest", style="red")
    return title


def _device(view: View, each: DeviceSet, device: PciDevice) -> Text:
    kind = view.names.kind(device) or f"class {device.class_code >> 8:04x}"
    name = f"{view.names.device(device)} [{device.vendor:04x}:{device.device:04x}]".strip()
    text = Text(str(device.address), style="bold").append(f" {kind}: {name}", style="not bold")
    return text.append(f"\n{_details(view, each, device)}", style="not bold dim")


def _details(view: View, each: DeviceSet, device: PciDevice) -> str:
    ways = reset_ways(device, each.going, view.devices)
    reset = f"can be reset ({', '.join(ways)})" if ways else "cannot be reset"
    details = (
        "boot display" if device.boot_vga else "",
        f"screen on {', '.join(device.connected)}" if device.connected else "",
        f"driver {device.driver}" if device.driver else "no driver",
        "stays with the host" if device.is_bridge else reset,
    )
    return "; ".join(filter(None, details))


def _plugged(view: View, device: PciDevice) -> Iterator[Text]:
    controller = view.controllers.get(device.address)
    if controller is None:
        return
    things = [_describe_plugged(plugged) for plugged in controller.devices if not plugged.is_hub]
    if not things:
        blind = f"cannot be seen with the driver {device.driver}" if device.driver else "unknown"
        things = ["nothing" if device.driver in USB_DRIVERS else blind]
    yield from (Text(f"plugged in: {thing}", style="cyan") for thing in things)


def _describe_plugged(plugged: UsbDevice) -> str:
    kinds = [kind for kind in plugged.kinds if kind is not UsbKind.OTHER]
    if {UsbKind.KEYBOARD, UsbKind.MOUSE} & set(kinds):
        kinds = [kind for kind in kinds if kind is not UsbKind.INPUT]
    words = ", ".join(kind.value for kind in kinds)
    return f"{plugged.name} ({words})" if words else plugged.name


def _remarks(each: DeviceSet, device: PciDevice) -> Iterator[Text]:
    yield from (_told_remark(r, "IN THE WAY", "red") for r in each.obstacles if _is_on(r, device))
    yield from (_told_remark(r, "note", "yellow") for r in each.notes if _is_on(r, device))


def _is_on(remark: Remark, device: PciDevice) -> bool:
    return remark.device == device.address


def _told_remark(remark: Remark, word: str, style: str) -> Text:
    return Text(f"{word}: {remark.fact}", style=style)
