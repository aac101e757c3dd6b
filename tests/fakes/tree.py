"""Small trees of files that stand in for /sys and /proc."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Link:
    """A symbolic link; ``to`` is relative to the root of the tree, or absolute on the machine."""

    to: str


Contents = str | bytes | Link


def grow(root: Path, files: Mapping[str, Contents]) -> None:
    """Create the files, and the directories they are in."""
    for name, contents in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(contents, Link):
            target = contents.to if contents.to.startswith("/") else str(root / contents.to)
            path.symlink_to(target)
        else:
            path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())


def pci_function(
    address: str,
    *,
    bridge: str = "",
    ids: tuple[str, str, str] = ("0x1002", "0x73bf", "0x030000"),
    driver: str | None = None,
    override: str = "(null)",
    group: int | None = None,
    more: Mapping[str, Contents] | None = None,
) -> dict[str, Contents]:
    """One function as the kernel shows it, below a bridge or the root."""
    place = f"sys/devices/pci0000:00/{bridge}{address}".replace("//", "/")
    vendor, device, code = ids
    files: dict[str, Contents] = {
        f"{place}/vendor": f"{vendor}\n",
        f"{place}/device": f"{device}\n",
        f"{place}/class": f"{code}\n",
        f"{place}/driver_override": f"{override}\n",
        f"{place}/d3cold_allowed": "1\n",
        f"{place}/power/control": "on\n",
        f"sys/bus/pci/devices/{address}": Link(place),
    }
    if driver is not None:
        files[f"sys/bus/pci/drivers/{driver}/unbind"] = ""
        files[f"{place}/driver"] = Link(f"sys/bus/pci/drivers/{driver}")
    if group is not None:
        files[f"sys/kernel/iommu_groups/{group}/type"] = "DMA\n"
        files[f"{place}/iommu_group"] = Link(f"sys/kernel/iommu_groups/{group}")
    return files | _below(place, more or {})


def _below(place: str, more: Mapping[str, Contents]) -> dict[str, Contents]:
    """What is below a function; what has a subsystem is linked in that as well."""
    files = {f"{place}/{name}": contents for name, contents in more.items()}
    links = {
        f"{contents.to}/{Path(name).parent.name}": Link(str(Path(name).parent))
        for name, contents in files.items()
        if name.endswith("/subsystem") and isinstance(contents, Link)
    }
    return files | links
