"""cockpit-ws on loopback with a session of this user's, or of nobody's, on a private bus."""

import os
import shlex
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.dbus.bus import PrivateBus

ROOT = Path(__file__).parents[2]
WS = "/usr/lib/cockpit/cockpit-ws"
SECONDS = 20.0
# What the page runs on the host; `ran` remembers, what a program prints is in a file.
_PROGRAM = """#!/bin/sh
echo "${{0##*/}} $*" >> {work}/ran
cat {work}/"${{0##*/}}-$1" 2>/dev/null || true
"""


class Cockpit:
    """A server whose bridge finds the page as it is installed."""

    def __init__(self, bus: PrivateBus, installed: Path, work: Path, *, user: int = 0) -> None:
        self.work = work
        work.chmod(0o777)
        self._put_programs()
        self.prints("vfiod log", '{"handoffs": []}')
        self.prints("vfiod doctor", '{"worst": "ok", "findings": [], "notes": []}')
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        command = [
            WS, "--no-tls", "--port", str(port), "--address", "127.0.0.1",
            "--local-session", str(self._bridge(bus, installed, user)),
        ]  # fmt: skip
        with (work / "errors").open("w") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                     "XDG_CONFIG_DIRS": str(work)},
            )  # fmt: skip
        self._wait()

    @property
    def page(self) -> str:
        return f"{self.address}/cockpit/@localhost/vfiod/index.html"

    def ran(self) -> list[str]:
        """The commands that the page has run."""
        file = self.work / "ran"
        return file.read_text().splitlines() if file.exists() else []

    def prints(self, program: str, text: str) -> None:
        """What ``vfiod log`` and the like print from now on."""
        file = self.work / program.replace(" ", "-")
        file.write_text(text)
        file.chmod(0o644)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(SECONDS)

    def _put_programs(self) -> None:
        (self.work / "bin").mkdir()
        for name in ("vfiod", "systemctl"):
            program = self.work / "bin" / name
            program.write_text(_PROGRAM.format(work=shlex.quote(str(self.work))))
            program.chmod(0o755)

    def _bridge(self, bus: PrivateBus, installed: Path, user: int) -> Path:
        """A session as PAM would make one, but for the bus, the programs and the page."""
        runtime = self.work / "runtime"
        runtime.mkdir(mode=0o700)
        os.chown(runtime, user, user)
        become = "" if user == 0 else f"setpriv --reuid {user} --regid {user} --clear-groups "
        words = {
            "DBUS_SYSTEM_BUS_ADDRESS": bus.address,
            "DBUS_SESSION_BUS_ADDRESS": bus.address,  # else the bridge starts one in /tmp
            "PATH": f"{self.work}/bin:/usr/bin:/bin",
            "XDG_DATA_DIRS": f"{installed}/usr/share:/usr/share",
            "XDG_RUNTIME_DIR": str(runtime), "HOME": str(self.work), "LC_ALL": "C.UTF-8",
        }  # fmt: skip
        environment = " ".join(f"{name}={shlex.quote(value)}" for name, value in words.items())
        script = self.work / "bridge"
        script.write_text(f"#!/bin/sh\nexec env {environment} {become}cockpit-bridge\n")
        script.chmod(0o755)
        return script

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.address}/ping", timeout=1).close()
            except (urllib.error.URLError, OSError):
                assert self._process.poll() is None, (self.work / "errors").read_text()
                assert time.monotonic() < deadline, "cockpit-ws does not answer"
            else:
                return
