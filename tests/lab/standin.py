"""Makes the lab's card that of a stand-in for NVIDIA's or AMD's driver: see driver/README.md."""

from __future__ import annotations

from pathlib import Path

from . import checks
from .byhand import drivers
from .emulator.hardware import GPU
from .emulator.machine import Lab

FOLDER = Path(__file__).parent / "emulator" / "driver"
NVIDIA = ("nvidia_drm", "nvidia_modeset", "nvidia_uvm", "nvidia")
PROGRAMS = ("nvidia-modprobe", "nvidia-persistenced", "nvidia-smi")
SERVICES = ("nvidia-persistenced.service", "gpu-monitor.service")
_RELOAD = "/run/udev/rules.d/60-nvidia.rules"


def use(lab: Lab, name: str, desktop: str = "lightdm") -> None:
    """Give the card to the driver ``name``, nvidia or amdgpu, unless it has it.

    The unit of the ``desktop`` stops meanwhile; of LightDM's the greeter is waited for.
    """
    if drivers(lab, [GPU])[GPU] == name:
        return
    lab.put((FOLDER / name / "modprobe.conf").read_bytes(), "/etc/modprobe.d/standin.conf")
    lab.run("systemctl", "stop", desktop)
    # While its module is there, any look for a driver would find it first.
    unbind = f"/sys/bus/pci/devices/{GPU}/driver/unbind"
    lab.sh(f"if [ -e {unbind} ]; then echo {GPU} > {unbind}; fi; modprobe --remove bochs")
    if name == "nvidia":
        _install(lab)
        lab.run("nvidia-modprobe")
    else:
        lab.run("modprobe", name)
    lab.sh(f"echo {GPU} > /sys/bus/pci/drivers_probe")  # the module may have been there
    lab.run("systemctl", "start", desktop)
    if desktop == "lightdm":
        lab.wait_until("the greeter on the stand-in", lab.greeter_shown, timeout=120)


def faults(lab: Lab, name: str) -> list[str]:
    """As checks.faults, with the card's driver another one."""
    return checks.faults(lab, {**lab.hardware.native_drivers, GPU: name})


def put(lab: Lab, module: str, **parameters: int) -> None:
    """Set parameters of a loaded module."""
    for name, value in parameters.items():
        lab.sh(f"echo {value} > /sys/module/{module}/parameters/{name}")


def reload_always(lab: Lab, *, on: bool) -> None:
    """Have udev load nvidia at every event of the card, or no more."""
    if on:
        lab.put((FOLDER / "nvidia" / "reload.rules").read_bytes(), _RELOAD)
    else:
        lab.run("rm", "-f", _RELOAD)
    lab.run("udevadm", "control", "--reload")


def loaded(lab: Lab) -> set[str]:
    """Which of nvidia's modules are there."""
    return {line.split()[0] for line in lab.output("lsmod").splitlines()} & set(NVIDIA)


def _install(lab: Lab) -> None:
    for program in PROGRAMS:
        lab.put((FOLDER / "nvidia" / program).read_bytes(), f"/usr/local/bin/{program}", 0o755)
    for service in SERVICES:
        lab.put((FOLDER / "nvidia" / service).read_bytes(), f"/etc/systemd/system/{service}")
    lab.run("systemctl", "daemon-reload")
