"""The rules that the tests' model of a kernel keeps, kept by this kernel and this systemd too."""

from __future__ import annotations

from pathlib import Path

import pytest

from .emulator.hardware import AUDIO, GPU, USB
from .emulator.machine import Lab
from .scene import stop_desktop

HERE = Path(__file__).parent.parent
FILES = ("__init__.py", "contract/__init__.py", "contract/rules.py", "contract/real.py")
pytestmark = pytest.mark.usefixtures("clean_host")


def test_the_real_host_keeps_the_contract(lab: Lab) -> None:
    for name in FILES:
        lab.put((HERE / name).read_bytes(), f"/root/contract/tests/{name}")
    lab.run("systemctl", "start", "polkit")
    stop_desktop(lab)
    devices = f"--display {GPU} --audio {AUDIO} --spare {USB} --unit polkit.service"
    try:
        done = lab.sh(
            f"cd /root/contract && python3 -m tests.contract.real {devices}",
            check=False,
            timeout=300,
        )
    finally:
        lab.run("systemctl", "start", "lightdm")
    assert done.returncode == 0, done.stdout + done.stderr
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)
