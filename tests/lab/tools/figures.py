"""What vfiod costs a host, measured in the lab: the daemon at rest, the hook, the status."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab.emulator import layer
from tests.lab.emulator.hardware import Hardware
from tests.lab.emulator.machine import Lab

HOOK = "/etc/libvirt/hooks/qemu.d/50-vfiod"
IDLE_SECONDS = 60
COMMANDS = {
    "empty script": "sh /root/nothing",
    "hook, operation of no interest": f"sh {HOOK} other stopped end -",
    "hook, guest of no interest": f"sh {HOOK} other prepare begin -",
    "vfiod status": "vfiod status",
}


def measure(suite: str, deb: Path) -> dict[str, Any]:
    """All figures of one boot; times in milliseconds."""
    with Lab(layer.prepared(suite, deb), Hardware()) as lab:
        lab.boot()
        lab.put("#!/bin/sh\n", "/root/nothing", 0o755)
        lab.run("systemctl", "is-system-running", "--wait", check=False)
        return {"at rest": _at_rest(lab), "milliseconds": _times(lab)}


def _at_rest(lab: Lab) -> dict[str, Any]:
    """Resident memory, and how often the service woke up in a minute (proc(5))."""
    pids = lab.output("cat", "/sys/fs/cgroup/system.slice/vfiod.service/cgroup.procs").split()
    before = _switches(lab, pids)
    deadline = time.monotonic() + IDLE_SECONDS
    lab.wait_until("a quiet minute", lambda: time.monotonic() > deadline, IDLE_SECONDS * 2)
    return {
        "resident MiB": {_name(lab, pid): _resident(lab, pid) for pid in pids},
        "wake-ups a minute": _switches(lab, pids) - before,
    }


def _name(lab: Lab, pid: str) -> str:
    return lab.output("cat", f"/proc/{pid}/comm")


def _resident(lab: Lab, pid: str) -> float:
    status = lab.output("cat", f"/proc/{pid}/status")
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return round(int(resident) / 1024, 1)


def _switches(lab: Lab, pids: Sequence[str]) -> int:
    """Voluntary context switches of all threads."""
    places = " ".join(f"/proc/{pid}/task/*/status" for pid in pids)
    lines = lab.sh(f"grep -h ^voluntary {places}").stdout.splitlines()
    return sum(int(line.split()[1]) for line in lines)


def _times(lab: Lab) -> dict[str, Any]:
    """Side by side in one run of hyperfine."""
    names = [part for name in COMMANDS for part in ("-n", name)]
    argv = ["-N", "--warmup", "3", "--runs", "30", "--export-json", "/root/times.json"]
    lab.run("hyperfine", *argv, *names, *COMMANDS.values(), timeout=600)
    results = json.loads(lab.get("/root/times.json"))["results"]
    return {
        r["command"]: {key: round(r[key] * 1000, 2) for key in ("median", "min", "max")}
        for r in results
    }
