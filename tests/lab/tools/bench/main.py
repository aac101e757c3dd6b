"""All contenders, interleaved, in one boot of one lab."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.lab import scene
from tests.lab.emulator import frozen, layer
from tests.lab.emulator.hardware import Hardware
from tests.lab.emulator.machine import Lab

from . import contenders, many, report, rounds
from .contenders import Contender
from .rounds import Round

SLOW = 3  # rounds of the contender that sleeps for half a minute


def run(suite: str, deb: Path, out: Path, count: int) -> None:
    """Measure and write the report."""
    prepared = layer.prepared(suite, deb)
    image = frozen.at_greeter(prepared, Hardware())
    with Lab(image) as lab:
        lab.boot()
        own_hook = lab.output("cat", "/usr/share/vfiod/hooks/qemu") + "\n"
        found: dict[str, list[Round]] = {c.name: [] for c in contenders.ALL}
        for number in range(count):
            for contender in contenders.ALL:
                if contender is not contenders.GUIDE_10 or number < SLOW:
                    found[contender.name].append(_round(lab, own_hook, contender, number))
        lists = _lists(lab, own_hook)
        others = _others(lab)
    report.write(out, found, lists, {**others, **many.measure(prepared)})


def _round(lab: Lab, own_hook: str, contender: Contender, number: int) -> Round:
    rounds.install(lab, own_hook, contender)
    measured = rounds.run(lab, contender)
    print(f"{number + 1}: {contender.name}: {measured.start:.2f} s", file=sys.stderr, flush=True)
    return measured


def _lists(lab: Lab, own_hook: str) -> dict[str, list[float]]:
    """`virsh list` at rest, and while the devices come home."""
    rounds.install(lab, own_hook, contenders.VFIOD)
    at_rest = rounds.virsh_list(lab, seconds=10)
    during: list[float] = []
    for _ in range(3):
        scene.start(lab)
        scene.stop(lab)
        during += rounds.virsh_list(lab, seconds=3)
        scene.wait_for_host(lab)
    return {"at rest": at_rest, "during a return": during}


def _others(lab: Lab) -> dict[str, Any]:
    """The daemon's start and its memory after all this."""
    usec = lab.output(
        "sh", "-c",
        "systemctl restart vfiod && systemctl show vfiod -P ActiveEnterTimestampMonotonic "
        "-P InactiveExitTimestampMonotonic",
        timeout=120,
    ).split()  # fmt: skip
    pid = lab.output("systemctl", "show", "-P", "MainPID", "vfiod")
    resident = int(lab.sh(f"grep VmRSS /proc/{pid}/status").stdout.split()[1])
    ready, began = (int(value) / 1e6 for value in usec)
    return {"start to ready": round(abs(ready - began), 3), "resident MiB": resident // 1024}
