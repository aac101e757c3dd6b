"""Recorded processors (tests/data/topologies) as the /sys and /proc the kernel would show.

A file has a comment with its source, ``key: value`` lines, and a table with a row for each CPU.
``l3`` is the id of the cache; ``cpu_core`` and ``cpu_atom`` are the kinds of a hybrid processor.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.fakes.tree import Contents, Link, grow
from vfiod.util import cpulist

FOLDER = Path(__file__).parents[1] / "data" / "topologies"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
CPU = "sys/devices/system/cpu"


@dataclass(frozen=True)
class Row:
    """One CPU of a table."""

    cpu: int
    core: int
    socket: int
    node: int
    l3: int
    l3_kib: int
    mhz: int


def materialise(name: str, root: Path, **more: Contents) -> Path:
    """Grow the tree of a recorded processor; ``more`` are further files by their path."""
    head, rows = load(name)
    files: dict[str, Contents] = {
        "proc/cpuinfo": f"vendor_id\t: {head['vendor']}\nmodel name\t: {head['model']}\n"
        f"flags\t\t: {head['flags']}\n\nprocessor\t: 1\n",
        f"{CPU}/online": cpulist.write([row.cpu for row in rows]) + "\n",
        f"{CPU}/isolated": "\n",
    }
    for kind in ("cpu_core", "cpu_atom"):
        if kind in head:
            files[f"sys/devices/{kind}/cpus"] = head[kind] + "\n"
    for node in {row.node for row in rows}:
        files[f"sys/devices/system/node/node{node}/cpulist"] = _cpus(rows, node=node)
    for row in rows:
        files |= _cpu(row, rows)
    grow(root, files | more)
    return root


def load(name: str) -> tuple[dict[str, str], list[Row]]:
    """The keys and the table of a file."""
    lines = [x for x in (FOLDER / f"{name}.txt").read_text().splitlines() if x[:1] != "#"]
    at = next(i for i, line in enumerate(lines) if line.startswith("cpu "))
    head = dict(line.split(": ", 1) for line in lines[:at])
    return head, [Row(*map(int, line.split())) for line in lines[at + 1 :]]


def _cpu(row: Row, rows: list[Row]) -> dict[str, Contents]:
    place = f"{CPU}/cpu{row.cpu}"
    return {
        f"{place}/topology/thread_siblings_list": _cpus(rows, socket=row.socket, core=row.core),
        f"{place}/topology/core_id": f"{row.core}\n",
        f"{place}/topology/physical_package_id": f"{row.socket}\n",
        f"{place}/cache/index0/level": "1\n",
        f"{place}/cache/index0/id": f"{row.core}\n",
        f"{place}/cache/index0/size": "32K\n",
        f"{place}/cache/index3/level": "3\n",
        f"{place}/cache/index3/id": f"{row.l3}\n",
        f"{place}/cache/index3/shared_cpu_list": _cpus(rows, l3=row.l3),
        f"{place}/cache/index3/size": f"{row.l3_kib}K\n",
        f"{place}/cpufreq/cpuinfo_max_freq": f"{row.mhz}000\n",
        f"{place}/node{row.node}": Link(f"sys/devices/system/node/node{row.node}"),
    }


def _cpus(rows: list[Row], **same: int) -> str:
    chosen = [r.cpu for r in rows if all(getattr(r, k) == v for k, v in same.items())]
    return cpulist.write(chosen) + "\n"
