"""Boot disks of the second-level guest: a FAT volume whose UEFI shell script paints the screen."""

from __future__ import annotations

import subprocess
from pathlib import Path

# `cls 4` fills the screen with the UEFI console's dark red, rgb(152, 0, 0).
_PAINT = "@echo -off\r\ncls 4\r\necho vfiod lab guest owns the GPU\r\n"
STALL_SECONDS = 8
SCRIPTS = {
    "poweroff": f"{_PAINT}stall {STALL_SECONDS * 1_000_000}\r\nreset -s\r\n",
    "stay": f"{_PAINT}:again\r\nstall 1000000\r\ngoto again\r\n",
}


def write_disks(folder: Path) -> None:
    """One `NAME.img` per script."""
    for name, script in SCRIPTS.items():
        write_disk(folder / f"{name}.img", script)


def write_disk(path: Path, script: str) -> None:
    """A small FAT volume holding `startup.nsh`; no mount, no root needed."""
    with path.open("wb") as image:
        image.truncate(4 << 20)
    subprocess.run(["mformat", "-i", str(path), "-v", "LAB", "::"], check=True)
    subprocess.run(
        ["mcopy", "-i", str(path), "-", "::startup.nsh"], input=script.encode(), check=True
    )
