"""Making a driver misbehave in a lab, by the module of tests/lab/emulator/driver."""

from __future__ import annotations

from .emulator.machine import Lab

PARAMETERS = "/sys/module/vfiod_fault/parameters"


def make_dead(
    lab: Lab, *, cure: str, tries: int = 0, driver: str = "bochs-drm", module: str = "bochs"
) -> None:
    """From now on the driver, the GPU's, refuses its device until ``cure`` (vfiod_fault.c)."""
    lab.run("modprobe", "vfiod_fault")
    values = {
        "victim": driver,
        "victim_module": module,
        "cure": cure,
        "tries": str(tries),
        "dead": "1",
    }
    for name, value in values.items():
        put(lab, name, value)


def kill_at_rename(lab: Lab, pid: str, number: int) -> None:
    """Have the process killed as it enters its ``number``-th rename(2) from now on."""
    lab.run("modprobe", "vfiod_fault")
    put(lab, "doomed_at", str(number))
    put(lab, "doomed_pid", pid)


def put(lab: Lab, parameter: str, value: str) -> None:
    """Set a parameter of the module."""
    lab.sh(f"echo '{value}' > {PARAMETERS}/{parameter}")


def heal(lab: Lab) -> None:
    """No driver misbehaves any more."""
    if lab.run("test", "-d", PARAMETERS, check=False).returncode == 0:
        for parameter in ("dead", "hold_probe", "hold_remove", "fail_probe", "doomed_pid"):
            put(lab, parameter, "0")
