"""The demo: one handoff and return in the lab, proved by pixels, with the time of each step."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image as Picture

from tests.lab import guest
from tests.lab.emulator import frozen, layer, pixels
from tests.lab.emulator.hardware import FUNCTIONS, Hardware
from tests.lab.emulator.machine import Lab
from tests.lab.emulator.pixels import Screen
from tests.lab.guest import Guest

from . import sheet, timeline
from .timeline import Way

CONFIG = "/etc/vfiod/vfiod.yaml"
CONFIGURATION = f"""\
guests:
  win10:
    devices: [{", ".join(f'"{address}"' for address in FUNCTIONS)}]
"""
CAPTIONS = {
    "before": "your login screen, or your desktop",
    "during": "the guest has the card",
    "after": "your login screen again",
}
EXPECTED = {"before": Screen.GREETER, "during": Screen.GUEST, "after": Screen.GREETER}


def run(suite: str, deb: Path, out: Path) -> int:
    """Make the demo; the exit status says whether the pixels prove every stage."""
    out.mkdir(parents=True, exist_ok=True)
    image = frozen.at_greeter(layer.prepared(suite, deb), Hardware())
    with Lab(image) as lab:
        say("starting the emulated PC")
        pictures = round_trip(lab.boot())
        ways = timeline.read(lab)
    write(out, pictures, ways, suite)
    return 0 if proved(pictures) else 1


def say(text: str) -> None:
    """Progress for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def round_trip(lab: Lab) -> dict[str, Picture.Image]:
    """Hand over, let the guest paint and power off, get it back: the screen at each stage."""
    lab.put(CONFIGURATION, CONFIG)
    guest.define(lab, Guest("win10", uefi=True))
    before = lab.screenshot()
    say("the host's greeter is on the screen; virsh start win10")
    lab.run("virsh", "start", "win10", timeout=240)
    during = lab.wait_for_screen(Screen.GUEST, timeout=240)
    say("the guest owns the screen; it will power itself off")
    lab.wait_until("power-off of the guest", lambda: guest.is_off(lab, "win10"), timeout=120)
    after = lab.wait_for_screen(Screen.GREETER, timeout=120)
    say("the host's greeter is back")
    lab.wait_until("the return in the journal", lambda: _returned(lab), timeout=60)
    return {"before": before, "during": during, "after": after}


def _returned(lab: Lab) -> bool:
    """Whether vfiod says that the host has everything; its last step may follow the picture."""
    status = json.loads(lab.output("vfiod", "status", "--json"))
    return bool(status["phase"] == "host")


def proved(pictures: dict[str, Picture.Image]) -> bool:
    """Whether each picture shows its owner."""
    return all(pixels.classify(pictures[name]) is screen for name, screen in EXPECTED.items())


def write(out: Path, pictures: dict[str, Picture.Image], ways: tuple[Way, Way], suite: str) -> None:
    """The pictures, the contact sheet, the report; the timeline also on standard output."""
    for name, picture in pictures.items():
        picture.save(out / f"{name}.png")
    sheet.draw(pictures, ways).save(out / "demo.png")
    captioned = {CAPTIONS[name]: picture for name, picture in pictures.items()}
    sheet.stages(captioned).quantize(64).save(out / "screens.png", optimize=True)
    facts: dict[str, Any] = {way.direction: _way_facts(way) for way in ways}
    facts["pixels"] = {name: _pixel_facts(picture) for name, picture in pictures.items()}
    facts["suite"] = suite
    (out / "report.json").write_text(json.dumps(facts, indent=2) + "\n")
    print_timeline(ways)
    others = ", ".join(f"{name}.png" for name in ("screens", *pictures))
    print(f"written: {out}/report.json, {out}/demo.png, {others}")


def print_timeline(ways: tuple[Way, Way]) -> None:
    """One line per step."""
    for way in ways:
        print(f"{way.direction}: {way.seconds:.3f} s")
        for step in way.steps:
            print(f"  +{step.start - way.start:7.3f}  {step.seconds:7.3f} s  {step.name}")


def _way_facts(way: Way) -> dict[str, Any]:
    steps = [{"name": step.name, "seconds": round(step.seconds, 6)} for step in way.steps]
    return {"seconds": round(way.seconds, 6), "steps": steps}


def _pixel_facts(picture: Picture.Image) -> dict[str, Any]:
    return {"screen": pixels.classify(picture).value, "shares": pixels.shares(picture)}
