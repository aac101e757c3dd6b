"""Many round trips in one boot, with faults at random, and what they leave behind.

The daemon is killed in the first half only: in the second it is one and the same, and must not
grow.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lab import checks, scene, spoil
from tests.lab.emulator import frozen, layer
from tests.lab.emulator.hardware import Hardware
from tests.lab.emulator.machine import Lab
from tests.lab.guest import Guest

WARM_UP = 3


@dataclass(frozen=True)
class Traces:
    """What must not grow from round to round."""

    memory_kib: int
    descriptors: int
    threads: int
    devices: int
    files: str
    failed_units: str


def run(suite: str, deb: Path, rounds: int, seed: int) -> int:
    """Do it; the exit status is 1 if something was left behind or has grown."""
    chance = random.Random(seed)
    image = frozen.at_greeter(layer.prepared(suite, deb), Hardware())
    with Lab(image) as lab:
        lab.boot()
        scene.configure(lab)
        scene.define(lab, Guest(does="stay"))
        before = traces(lab)
        spared = rounds // 2
        for number in range(1, rounds + 1):
            fault = chance.choice(FAULTS if number <= spared else SPARING)
            say(f"{number}: {fault.__name__.replace('_', ' ')}")
            fault(lab)
            scene.wait_for_host(lab)
            if found := checks.faults(lab):
                say(f"not whole after round {number}: {found}")
                return 1
            if number == spared + WARM_UP:
                before = traces(lab)
        after = traces(lab)
    say(f"before: {before}")
    say(f"after:  {after}")
    return 0 if has_not_grown(before, after) else 1


def has_not_grown(before: Traces, after: Traces) -> bool:
    """A tenth more memory is the allocator's business; anything else is ours."""
    same = (before.devices, before.files, before.failed_units)
    return (
        same == (after.devices, after.files, after.failed_units)
        and after.memory_kib <= before.memory_kib * 1.1
        and after.descriptors <= before.descriptors
    )


def traces(lab: Lab) -> Traces:
    """Read them in the lab."""
    pid = lab.output("systemctl", "show", "-P", "MainPID", "vfiod")
    status = dict(
        line.split(":\t", 1) for line in lab.output("cat", f"/proc/{pid}/status").splitlines()
    )
    return Traces(
        memory_kib=int(status["VmRSS"].split()[0]),
        descriptors=len(lab.output("ls", f"/proc/{pid}/fd").split()),
        threads=int(status["Threads"]),
        devices=len(lab.output("ls", "/sys/bus/pci/devices").split()),
        # What is to be looked at once more is there for some seconds after each return.
        files=lab.output("sh", "-c", "ls -A -I returned.json /run/vfiod /usr/share/vgabios/vfiod"),
        failed_units=lab.output("systemctl", "list-units", "--failed", "--plain", "--no-legend"),
    )


def say(text: str) -> None:
    """Progress for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def nothing(lab: Lab) -> None:
    scene.start(lab)
    scene.stop(lab)


def killed_qemu(lab: Lab) -> None:
    scene.start(lab)
    lab.sh("kill -9 $(cat /run/libvirt/qemu/win10.pid)")


def killed_daemon_under_the_guest(lab: Lab) -> None:
    scene.start(lab)
    lab.run("systemctl", "kill", "-s", "KILL", "vfiod")
    scene.stop(lab)


def killed_daemon_in_the_handoff(lab: Lab) -> None:
    lab.sh("(sleep 1; systemctl kill -s KILL vfiod) >/dev/null 2>&1 </dev/null &")
    if scene.start(lab)[0] == 0:
        scene.stop(lab)


def killed_daemon_in_the_return(lab: Lab) -> None:
    scene.start(lab)
    lab.sh("(sleep 1; systemctl kill -s KILL vfiod) >/dev/null 2>&1 </dev/null &")
    scene.stop(lab)


def restarted_libvirt(lab: Lab) -> None:
    scene.start(lab)
    lab.run("systemctl", "restart", "libvirtd", timeout=120)
    # While it gets to know the guest again, it may find it ended before its own destroy does,
    # and call that an error.
    lab.run("virsh", "destroy", "--", "win10", check=False, timeout=120)


def a_start_right_after_the_end(lab: Lab) -> None:
    scene.start(lab)
    scene.stop(lab)
    scene.start(lab)
    scene.stop(lab)


def a_card_that_needs_a_second_probe(lab: Lab) -> None:
    scene.start(lab)
    spoil.make_dead(lab, cure="retry", tries=2)
    scene.stop(lab)


def a_card_that_must_be_found_again(lab: Lab) -> None:
    scene.start(lab)
    spoil.make_dead(lab, cure="rescan")
    scene.stop(lab)


SPARING: tuple[Callable[[Lab], None], ...] = (
    nothing,
    killed_qemu,
    restarted_libvirt,
    a_start_right_after_the_end,
    a_card_that_needs_a_second_probe,
    a_card_that_must_be_found_again,
)
FAULTS = (
    *SPARING,
    killed_daemon_under_the_guest,
    killed_daemon_in_the_handoff,
    killed_daemon_in_the_return,
)
