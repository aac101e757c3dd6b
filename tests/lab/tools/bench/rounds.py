"""One round of one contender: start the guest, pull its plug, wait for the greeter."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tests.lab import guest, scene
from tests.lab.emulator.hardware import GPU
from tests.lab.emulator.machine import Lab
from tests.lab.emulator.pixels import Screen
from tests.lab.guest import Guest
from tests.lab.tools import timeline
from tests.lab.tools.timeline import Way

from .contenders import Contender
from .screens import Screens

WRAPPED = "/etc/libvirt/hooks/qemu.d/50-vfiod"
INNER = "/usr/bin/bench-hook"
LOG = "/var/log/bench-hook"
# Whoever starts the desktop by hand sees when the card is back.
_AWAIT_CARD = f"until [ -e /sys/bus/pci/devices/{GPU}/drm ]; do sleep 0.1; done;"
# When QEMU has ended, which virsh waits for and more.
_DESTROY = """
pid=$(cat /run/libvirt/qemu/win10.pid)
virsh destroy win10 >/dev/null &
tail --pid=$pid -s 0.02 -f /dev/null
date +%s.%N
wait
"""
# bash's clock needs no process; what the hook does comes through unchanged.
WRAPPER = f"""\
#!/bin/bash
# Installed by vfiod.service
began=$EPOCHREALTIME
{INNER} "$@"
status=$?
echo "$1 $2 $began $EPOCHREALTIME" >> {LOG}
exit $status
"""


@dataclass(frozen=True)
class Round:
    """Seconds; None where a contender has no such thing. ``cpu`` is vfiod's in the handoff.

    By pixels: ``dark_out`` from the host's last frame to the guest's first, ``dark_back`` from the
    guest's last to the login screen. ``display_back``: from QEMU's end to the login screen.
    """

    prepare: float | None
    release: float | None
    start: float
    display_back: float
    dark_out: float
    dark_back: float
    cpu: float | None = None
    ways: tuple[Way, ...] = field(default=(), compare=False)


def install(lab: Lab, own_hook: str, contender: Contender) -> None:
    """Put the contender's hook behind the wrapper, and let vfiod name the guest or not."""
    lab.put(contender.hook or own_hook or "#!/bin/sh\n", INNER, mode=0o755)
    if contender.by_hand:
        lab.put("#!/bin/sh\n", INNER, mode=0o755)
    lab.put(WRAPPER, WRAPPED, mode=0o755)
    if contender.hook == "":
        scene.configure(lab)
    else:
        lab.put("", scene.CONFIG)
    # It takes a device that it saw with vfio-pci under managed='no' for one to be left there.
    lab.run("systemctl", "restart", "libvirtd", timeout=120)
    scene.define(lab, Guest(does="stay", managed=contender.managed))


def run(lab: Lab, contender: Contender) -> Round:
    """Measure one handoff and return."""
    lab.run("rm", "-f", LOG)
    used = cpu_seconds(lab)
    stop = "systemctl stop display-manager;" if contender.by_hand else ""
    with Screens(lab) as going:
        began, started = _times(lab, f"set -e; {stop} virsh start win10 >/dev/null")
        going.wait_for(Screen.GUEST, timeout=120)
    cpu = cpu_seconds(lab) - used if contender.hook == "" else None
    lab.wait_until("the guest", lambda: guest.state(lab, "win10") == "running", timeout=60)
    offset = _clock_offset(lab)
    restart = f"{_AWAIT_CARD} systemctl start display-manager" if contender.by_hand else ":"
    with Screens(lab) as coming:
        gone = float(lab.sh(_DESTROY).stdout)
        lab.sh(restart, timeout=120)
        coming.wait_for(Screen.GREETER, timeout=120)
        back = time.time() - offset
    hooks = _hook_times(lab)
    release = hooks.get("release")
    if contender.hook == "":
        scene.wait_for_return(lab)
    return Round(
        prepare=None if contender.by_hand else _length(hooks.get("prepare")),
        release=None if contender.by_hand else _length(release),
        start=started - began,
        display_back=back - gone,
        dark_out=going.dark(Screen.GREETER, Screen.GUEST),
        dark_back=coming.dark(Screen.GUEST, Screen.GREETER),
        cpu=cpu,
        ways=timeline.read(lab) if contender.hook == "" else (),
    )


def virsh_list(lab: Lab, *, seconds: float) -> list[float]:
    """How long each of a row of `virsh list` takes, in seconds."""
    script = f"""
end=$(( ${{EPOCHREALTIME%.*}} + {seconds:.0f} ))
while [ ${{EPOCHREALTIME%.*}} -lt $end ]; do
    began=$EPOCHREALTIME
    virsh list >/dev/null
    echo "$began $EPOCHREALTIME"
done
"""
    done = lab.run("bash", "-c", script, timeout=seconds + 60)
    pairs = [line.split() for line in done.stdout.splitlines()]
    return [float(end) - float(began) for began, end in pairs]


def cpu_seconds(lab: Lab) -> float:
    """What all processes of the service have used so far, in the kernel as well (cgroup v2)."""
    rows = lab.output("cat", "/sys/fs/cgroup/system.slice/vfiod.service/cpu.stat").splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("usage_usec")) / 1e6


def _times(lab: Lab, script: str) -> tuple[float, float]:
    """Begin and end of a script, by the lab's clock."""
    done = lab.run(
        "bash", "-c", f"began=$EPOCHREALTIME; {script}; echo $began $EPOCHREALTIME", timeout=300
    )
    began, ended = done.stdout.split()[-2:]
    return float(began), float(ended)


def _clock_offset(lab: Lab) -> float:
    """This machine's clock less the lab's, to a few milliseconds."""
    offsets = []
    for _ in range(3):
        before = time.time()
        there = float(lab.output("date", "+%s.%N"))
        offsets.append((before + time.time()) / 2 - there)
    return sorted(offsets)[1]


def _hook_times(lab: Lab) -> dict[str, tuple[float, float]]:
    """Operation -> begin and end of the hook, by the lab's clock."""
    rows = [line.split() for line in lab.output("cat", LOG).splitlines()]
    return {row[1]: (float(row[2]), float(row[3])) for row in rows if row[0] == "win10"}


def _length(times: tuple[float, float] | None) -> float | None:
    return times[1] - times[0] if times else None
