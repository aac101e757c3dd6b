"""The package is upgraded under a running guest, whose journal an earlier one wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from . import scene
from .emulator.machine import Lab

pytestmark = [pytest.mark.usefixtures("clean_host"), pytest.mark.long]
JOURNAL = "/run/vfiod/journal.json"
# Steps and fields that the first package did not know; it wrote no stages at first either.
NEWER = (
    "await-libvirt",
    "close-gate",
    "open-gate",
    "aim-override",
    "stop-container",
    "start-again",
)
NEWER_FIELDS = ("users", "aimed", "cards", "in_line", "lost", "draws")
NEWER_FACTS = {
    "stop-display-manager": ("nodes", "connected"),
    "await-display": ("names",),
    "keep-awake": ("driver",),
}
NEWER_PARTS = ("awaits", "units", "display_lost", "returning")  # of the journal itself


def as_the_first_package_wrote_it(journal: dict[str, Any]) -> dict[str, Any]:
    """The same handoff in the words of version 0.1.0's first package."""
    entries = [e for e in journal["entries"] if e["step"]["kind"] not in NEWER]
    for entry in entries:
        del entry["stage"]
        for name in NEWER_FIELDS:
            entry["step"].pop(name, None)
        for name in NEWER_FACTS.get(entry["step"]["kind"], ()):
            entry["prior"].pop(name, None)
    parts = {name: value for name, value in journal.items() if name not in NEWER_PARTS}
    return {**parts, "entries": entries}


@pytest.mark.parametrize("end", ["destroy", "kill"])
def test_the_host_gets_its_display_back_after_an_upgrade(
    lab: Lab, deb: Path, running: str, end: str
) -> None:
    lab.run("systemctl", "stop", "vfiod", timeout=120)
    old = as_the_first_package_wrote_it(json.loads(lab.get(JOURNAL)))
    lab.put(json.dumps(old), JOURNAL)
    lab.put(deb.read_bytes(), "/tmp/vfiod.deb")
    lab.run("dpkg", "--install", "/tmp/vfiod.deb", timeout=300)
    lab.run("systemctl", "start", "vfiod", timeout=120)
    lab.wait_until("the guest", lambda: scene.phase(lab) == "guest", timeout=60)
    if end == "destroy":
        scene.stop(lab)
    else:
        lab.run("kill", "-9", running)
    scene.wait_for_host(lab)
