"""All that tells what is open, read together."""

import os
from pathlib import Path

import pytest

from tests.fakes.tree import grow
from tests.unit.tools.reopen.test_running import one
from vfiod.tools.reopen import look
from vfiod.tools.reopen.look import see
from vfiod.tools.reopen.opened import find


@pytest.mark.skipif(os.getuid() != 0, reason="only root can have processes of two users")
def test_a_launcher_that_waits_for_a_virsh_of_root_s(tmp_path: Path) -> None:
    """Its text says nothing of that: it runs another script by sudo."""
    grow(tmp_path, {
        "share/applications/win.desktop": f"[Desktop Entry]\nType=Application\nName=Windows\n"
                                          f"Exec={tmp_path}/win.sh\n",
        "win.sh": "#!/bin/sh\nsudo play\n",
        **one(7, "/bin/bash", f"bash {tmp_path}/win.sh"),
        **one(71, "/usr/bin/sudo", "sudo virsh start win10"),
    })  # fmt: skip
    (tmp_path / "win.sh").chmod(0o755)
    environment = {"HOME": "/nonexistent", "XDG_DATA_DIRS": f"{tmp_path}/share", "PATH": "/bin"}
    assert find(see(environment, tmp_path)) != []
    virsh = one(72, "/usr/bin/virsh", "virsh start win10")
    grow(tmp_path, {name: text for name, text in virsh.items() if name != "proc/uptime"})
    os.chown(tmp_path / "proc/72", 1234, -1)
    assert find(see(environment, tmp_path)) == []


def test_a_shell_over_ssh_is_told_of_the_desktop_by_the_manager(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One on a desktop knows its own, which may be another than the manager was told last."""
    told = {"WAYLAND_DISPLAY": "wayland-0"}
    monkeypatch.setattr(look, "environment_of_manager", lambda own: {**own, **told})
    assert look.environment_of_desktop({"HOME": "/"}) == {"HOME": "/", **told}
    assert look.environment_of_desktop({"DISPLAY": ":1"}) == {"DISPLAY": ":1"}
    assert look.environment_of_desktop({"DISPLAY": ""})["WAYLAND_DISPLAY"] == "wayland-0"
