"""States of the daemon as the bus tells them, and what vfiod's commands print."""

import json
import time
from dataclasses import asdict
from typing import Any

VGA, AUDIO = "0000:01:00.0", "0000:01:00.1"
PEOPLE = ["alice: LibreOffice, Firefox"]
MARKUP = "<img src=x onerror=window.hurt=1><b>bold</b>"


def status(phase: str = "host", guest: str | None = None, **more: Any) -> dict[str, Any]:
    """What Status answers."""
    driver, owner = ("vfio-pci", "guest") if phase in ("prepared", "guest") else ("amdgpu", "host")
    devices = [{"address": a, "driver": driver, "owner": owner} for a in (VGA, AUDIO)]
    plain = {"phase": phase, "guest": guest, "seconds": 12.0 if guest else None,
             "devices": devices, "journal": [], "faults": [], "last": None}  # fmt: skip
    return plain | more


def guest(name: str = "win11", **more: Any) -> dict[str, Any]:
    """One of those that ListGuests answers with."""
    plain = {"name": name, "title": "", "system": "", "state": "shut off", "readiness": "ok",
             "reasons": [], "people": [], "trial_until": 0}  # fmt: skip
    return plain | more


def step(does: str) -> dict[str, Any]:
    """An entry of the journal."""
    return {"step": "detach", "device": VGA, "does": does}


def in_seconds(seconds: float) -> int:
    """A time to come, as the bus tells it."""
    return int((time.time() + seconds) * 1e6)


HOST = {
    "status": status(),
    "guests": [
        guest("win11", title="Windows 11", people=PEOPLE),
        guest("steam", readiness="not enough memory", reasons=[
            {"reason": "8 GiB are free, the guest wants 16 GiB", "remedy": "Close programs."}]),
    ],
}  # fmt: skip
AWAY = HOST | {
    "status": status(away=[
        f"{VGA} is with vfio-pci: the host can show nothing on it\n    by what: vfiod doctor"]),
}  # fmt: skip
HANDOFF = {
    "status": status("handoff", "win11", seconds=3.0, journal=[
        step("block sleep and the power key"), step("move 0000:01:00.0 to vfio-pci")]),
    "guests": HOST["guests"],
}  # fmt: skip
GUEST = {
    "status": status("guest", "win11", seconds=4000.0),
    "guests": [guest("win11", title="Windows 11", state="running", readiness="it runs"),
               guest("steam", readiness="win11 has the devices")],
}  # fmt: skip
RETURN = {"status": status("return", "win11", seconds=4010.0), "guests": GUEST["guests"]}
STUCK = {
    "status": status("stuck", "win11", seconds=4020.0, faults=[
        "0000:01:00.0 does not answer after its reset: the kernel waits in pci_reset_bus"]),
    "guests": [guest("win11", title="Windows 11", readiness="something is stuck")],
}  # fmt: skip


def history() -> str:
    """What `vfiod log --json` prints: stories of the real manager on a model of a PC."""
    import tempfile
    from pathlib import Path

    from tests.fakes.record import BOOT, entries
    from tests.fakes.scenes import SCENES
    from vfiod.tools.log.facts import of_story
    from vfiod.tools.log.story import find_stories

    stories = []
    for scene in ("refused", "stuck", "returned"):
        with tempfile.TemporaryDirectory() as directory:
            stories += find_stories(entries(SCENES[scene](Path(directory))), boot=BOOT)
    return json.dumps({"handoffs": [of_story(story) for story in stories]})


def findings() -> str:
    """What `vfiod doctor --json` prints."""
    from vfiod.util.finding import fail, ok, warn

    found = [
        ok("iommu-on", "the IOMMU is on"),
        warn("reset", "the card has a reset that often fails", why="It may stay dark.",
             remedy="Take another way home.", source="https://example.org/reset"),
        fail("group", "0000:01:00.1 is in a group with the disk", why="It would go along.",
             remedy="Move the card to another slot.", command="vfiod groups"),
    ]  # fmt: skip
    rows = [{"subject": "Here", **asdict(f), "level": f.level.word} for f in found]
    return json.dumps({"worst": "fail", "findings": rows, "notes": []})
