"""What the tests of a handoff do to a lab: configure, define, start, and wait for the host."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import guest
from .emulator.machine import Lab
from .guest import Guest

CONFIG = "/etc/vfiod/vfiod.yaml"


def configure(lab: Lab, devices: Sequence[str] = (), *, name: str = "win10", rom: str = "") -> None:
    """Name a guest in vfiod's configuration, by default with all; ``rom`` is the first one's."""
    devices = devices or lab.hardware.functions
    rows = [f"{{address: {a}, rom: {rom}}}" if rom and a == devices[0] else a for a in devices]
    lab.put(f'guests:\n  "{name}":\n    devices: [{", ".join(rows)}]\n', CONFIG)


def define(lab: Lab, wanted: Guest) -> None:
    """Define the domain in place of one of its name."""
    lab.run("virsh", "undefine", "--nvram", "--", wanted.name, check=False)
    guest.define(lab, wanted)


def start(lab: Lab, name: str = "win10") -> tuple[int, str]:
    """virsh start: its status and what it printed for the person who typed it."""
    done = lab.run("virsh", "start", "--", name, check=False, timeout=400)
    return done.returncode, done.stderr.strip()


def stop(lab: Lab, name: str = "win10") -> None:
    """Pull the guest's plug."""
    lab.run("virsh", "destroy", "--", name, timeout=120)


def have_gio(lab: Lab) -> None:
    """What opens applications again: vfiod's package recommends it, which the images leave out."""
    gio = shutil.which("gio")
    assert gio is not None
    if lab.run("which", "gio", check=False).returncode:
        lab.put(Path(gio).read_bytes(), "/usr/bin/gio", 0o755)


def facts(lab: Lab) -> dict[str, Any]:
    """All that vfiod says of its state; its exit status is 7 if that is bad."""
    done = lab.run("vfiod", "status", "--json", check=False)
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    return found


def phase(lab: Lab) -> str:
    """vfiod's own word on who has the devices; empty while it does not answer."""
    return str(facts(lab).get("phase", ""))


def wait_for_return(lab: Lab) -> None:
    """Nothing is under way any more."""
    lab.wait_until("the return's end", lambda: phase(lab) == "host", timeout=120)


def wait_for_host(lab: Lab) -> None:
    """The greeter is on the screen again and nothing is under way."""
    wait_for_return(lab)
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)


def stop_desktop(lab: Lab) -> None:
    """End the display manager for good: vfiod starts one anew that ends right after a return."""
    seen = ("test", "!", "-e", "/run/vfiod/returned.json")
    lab.wait_until(
        "the second look", lambda: lab.run(*seen, check=False).returncode == 0, timeout=90
    )
    lab.run("systemctl", "stop", "lightdm")


def desktop(lab: Lab) -> str:
    """Process id of the display manager: another one after a handoff."""
    return lab.output("systemctl", "show", "-P", "MainPID", "lightdm")


def told(lab: Lab) -> str:
    """vfiod's latest words in the journal."""
    return lab.output("journalctl", "-t", "vfiod", "-o", "cat", "-n", "100")
