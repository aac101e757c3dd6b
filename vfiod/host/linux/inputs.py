"""Keyboards."""

from collections.abc import Collection, Mapping
from pathlib import Path

from vfiod.host.facts.keyboards import read_keyboards


class LinuxInputs:
    """Implements vfiod.host.door.Inputs on /sys."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def keyboards(self, keys: Collection[str], paths: Collection[str]) -> Mapping[str, bool]:
        return read_keyboards(keys, paths, self._root)
