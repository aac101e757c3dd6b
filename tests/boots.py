"""Ways to boot, in tests/data/boots: each a recorded PC of tests/data/hosts with other files on it.

``base`` is the PC, whose own boot configuration is left out; ``files``, ``links``, empty ``tools``,
``cmdline``, ``loader_info``, ``drivers`` and modules' ``aliases`` are laid over it, ``asked`` is
what setup is asked for. What setup says of it stands beside, in a text that is written anew by

    UPDATE_GOLDEN=1 build/venv/bin/python -m pytest -q tests/unit/tools/setup/test_boots.py
"""

import os
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests import hosts
from vfiod.host.facts.which_loader import LOADER_INFO

FOLDER = Path(__file__).parent / "data/boots"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))
_OF_THE_BASE = ("etc/default", "etc/kernel", "etc/modprobe.d", "boot", "usr/bin", "usr/sbin")


def build(name: str, root: Path) -> Path:
    """The host of that name as a tree in the empty directory ``root``, which is returned."""
    case = _load(name)
    hosts.build(case["base"], root)
    for folder in _OF_THE_BASE:
        shutil.rmtree(root / folder, ignore_errors=True)
    (root / LOADER_INFO).unlink(missing_ok=True)
    for path, text in _files(case, root).items():
        _write(root / path, text.encode())
    for path, target in case.get("links", {}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)
    if "loader_info" in case:
        _write(root / LOADER_INFO, b"\6\0\0\0" + f"{case['loader_info']}\0".encode("utf-16-le"))
    for address, driver in case.get("drivers", {}).items():
        link = root / "sys/bus/pci/devices" / address / "driver"
        link.unlink(missing_ok=True)
        link.symlink_to(f"../../../../bus/pci/drivers/{driver}")
    return root


def asked(name: str) -> tuple[str, ...]:
    """The extras that setup is asked for."""
    return tuple(_load(name).get("asked", ()))


def check_golden(name: str, said: str) -> None:
    """``said`` is what the reviewed text has."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(said, encoding="utf-8")
    assert path.exists(), f"{path} is missing: write it with UPDATE_GOLDEN=1"
    assert said == path.read_text(encoding="utf-8")


def _files(case: dict[str, Any], root: Path) -> dict[str, str]:
    release = (root / "proc/sys/kernel/osrelease").read_text().strip()
    aliases = "".join(f"alias {line}\n" for line in case.get("aliases", ()))
    return {
        "proc/cmdline": f"{case['cmdline']}\n",
        **{f"usr/bin/{tool}": "" for tool in case.get("tools", ())},
        **({f"lib/modules/{release}/modules.alias": aliases} if aliases else {}),
        **case.get("files", {}),
    }


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(data)


@cache
def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return loaded
