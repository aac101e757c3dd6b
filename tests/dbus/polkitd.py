"""The real polkitd on a private bus, with logind's word on who sits at the screen.

polkit hears of sessions from libsystemd (sd-login(3)), which reads what logind writes below
/run/systemd and the control group of a process. In a mount namespace of polkitd's own these are
files of the test's, and so are the actions: the machine's stay as they are.
"""

import subprocess
import tempfile
from pathlib import Path

from tests.dbus.bus import DBUS, LONG, POLKIT, ROOT, PrivateBus, until

_PROGRAM = "/usr/lib/polkit-1/polkitd"
_ACTIONS = "/usr/share/polkit-1/actions"
_START = """
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/systemd/sessions /run/systemd/seats /run/systemd/users /run/systemd/machines
mount -t tmpfs -o mode=755 none "$1"
cp "$2" "$1"
findmnt --noheadings /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
exec "$3"
"""
# The process stays the same from before its session is known until the call was made.
_AFTER_A_LINE = 'read _ && exec "$@"'


class RealPolkit:
    """polkitd(8) with vfiod's actions and nobody else's rules or sessions."""

    def __init__(self, bus: PrivateBus) -> None:
        self._bus = bus
        policy = str(ROOT / "config" / "org.vfiod1.policy")
        self._process = bus.spawn(
            "unshare", "--mount", "--propagation=private",
            "sh", "-e", "-c", _START, "sh", _ACTIONS, policy, _PROGRAM,
        )  # fmt: skip
        until(self._is_there, "polkitd")

    def _is_there(self) -> bool:
        assert self._process.poll() is None, "polkitd did not start"
        asked = self._bus.begin_at(DBUS, "/", DBUS, "NameHasOwner", "s", POLKIT)
        return bool(asked.result()[0])

    def log_in(self, user: int, *, active: bool) -> None:
        """A session at the screen, which is this user's at the moment or somebody else's."""
        state = "active" if active else "online"
        session = {
            "UID": user, "ACTIVE": int(active), "STATE": state, "REMOTE": 0,
            "TYPE": "wayland", "CLASS": "user", "SEAT": "seat0",
        }  # fmt: skip
        self._write(f"sessions/{user}", session)
        self._write(f"users/{user}", {"STATE": state, "DISPLAY": user})

    def _write(self, name: str, values: "dict[str, object]") -> None:
        text = "".join(f"{name}={value}\n" for name, value in values.items())
        path = f"/run/systemd/{name}"
        self._inside("install", "-m", "644", "/dev/stdin", path, text=text)

    def _inside(self, *command: str, text: str = "") -> None:
        """Run in polkitd's own view of the file system."""
        view = f"--mount=/proc/{self._process.pid}/ns/mnt"
        subprocess.run(
            ["nsenter", view, "--", *command], input=text, text=True, check=True, timeout=LONG
        )

    def send(self, user: int, member: str, *arguments: str) -> str:
        """What dbus-send(1) says of an error when the session of this user makes a call."""
        command = ["sh", "-c", _AFTER_A_LINE, "sh", *self._bus.sending(member, *arguments)]
        with (
            tempfile.NamedTemporaryFile("w") as groups,
            subprocess.Popen(
                command, env=self._bus.environment, user=user, group=user, extra_groups=[],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            ) as caller,
        ):  # fmt: skip
            place = f"/user.slice/user-{user}.slice/session-{user}.scope"
            groups.write(f"1:name=systemd:{place}\n0::{place}\n")
            groups.flush()
            Path(groups.name).chmod(0o644)
            self._inside("mount", "--bind", groups.name, f"/proc/{caller.pid}/cgroup")
            return caller.communicate("go\n", timeout=LONG)[1]

    def stop(self) -> None:
        self._bus.end(self._process)
