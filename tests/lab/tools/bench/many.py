"""A handoff of three functions and of twelve: independent devices go side by side."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tests.lab import scene
from tests.lab.emulator import frozen
from tests.lab.emulator.hardware import FUNCTIONS, Hardware
from tests.lab.emulator.image import Image
from tests.lab.emulator.machine import Lab
from tests.lab.guest import Guest
from tests.lab.tools import timeline

# USB controllers in slots of their own, each in its own IOMMU group.
SLOTS = range(8, 17)
MORE = tuple(f"0000:00:{slot:02x}.0" for slot in SLOTS)
ROUNDS = 3


def measure(image: Image) -> dict[str, dict[str, float]]:
    """Median seconds of all steps of a way, by the number of functions and the direction."""
    extra = tuple(word for slot in SLOTS for word in ("-device", f"qemu-xhci,addr={slot:02x}.0"))
    hardware = Hardware(extra=extra)
    found = {}
    with Lab(frozen.at_greeter(image, hardware), hardware) as lab:
        lab.boot()
        for devices in (FUNCTIONS, FUNCTIONS + MORE):
            found[f"{len(devices)} functions"] = _medians(lab, devices)
    return found


def _medians(lab: Lab, devices: Sequence[str]) -> dict[str, float]:
    scene.configure(lab, devices)
    scene.define(lab, Guest(does="stay", hostdevs=devices))
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        assert scene.start(lab) == (0, "")
        scene.stop(lab)
        scene.wait_for_host(lab)
        for way in timeline.read(lab):
            times.setdefault(way.direction, []).append(way.seconds)
    return {direction: round(statistics.median(row), 3) for direction, row in times.items()}
