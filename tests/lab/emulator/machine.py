"""One running lab: start it, command it, look at its screen, stop it."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from PIL import Image as Picture

from . import pixels, qcow2
from .hardware import Hardware, Wiring, command_line
from .image import Image
from .monitor import Monitor
from .rest import Rest
from .ssh import CONNECTION_LOST, CommandFailed, Ssh
from .waiting import LabError, Timeout, wait_until

T = TypeVar("T")
BOOT_TIMEOUT = 240.0
# By these QEMU ends itself; SIGKILL may be the kernel's for want of memory, and is no crash.
CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL})


class Lab:
    """An emulated PC on a throwaway overlay of `image`; a context manager."""

    def __init__(self, image: Image, hardware: Hardware | None = None) -> None:
        self.image = image
        self.hardware = hardware or Hardware()
        self.wiring = Wiring(Path(tempfile.mkdtemp(prefix="vfiod-lab-")), _free_port())
        self.monitor = Monitor(self.wiring.qmp)
        self.ssh = Ssh(self.wiring.port, image.key, self.wiring.folder)
        self._qemu: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- life ------------------------------------------------------------------------------

    def start(self, *, detached: bool = False) -> Lab:
        """Start QEMU; `detached` lets it outlive this process (the command `up`)."""
        qcow2.create_overlay(self.wiring.disk, self.image.disk, self.image.format)
        command = command_line(self.hardware, self.image, self.wiring)
        if not detached:
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        with self.wiring.qemu_log.open("wb") as log:
            self._qemu = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=detached,
            )
        return self

    def boot(self, timeout: float = BOOT_TIMEOUT, *, detached: bool = False) -> Lab:
        """Start and wait until commands can be run and the image's desktop is on the screen."""
        self.start(detached=detached)
        if self.image.state:
            self._wake_up(timeout)
        self.wait_for_ssh(timeout)
        shown = self.greeter_shown if self.image.desktop == "lightdm" else Rest(self.screenshot)
        self.wait_until(f"{self.image.desktop} on the screen", shown, timeout)
        return self

    def wait_for_ssh(self, timeout: float = BOOT_TIMEOUT) -> None:
        """Wait until commands can be run."""
        self.wait_until("commands over ssh", self.ssh.answers, timeout)

    def _wake_up(self, timeout: float) -> None:
        """It was stopped when its memory was saved, so it is stopped when that is loaded."""
        loaded = {"status": "paused"}
        self.wait_until(
            "memory loaded", lambda: loaded.items() <= self.qmp("query-status").items(), timeout
        )
        self.qmp("cont")

    def restart(self, timeout: float = BOOT_TIMEOUT) -> None:
        """Restart the system in the lab and wait for ssh."""
        before = self.boot_id()
        self.run("sync")
        self.run("systemctl", "reboot", check=False)
        self.ssh.close()
        self.wait_until("reboot", lambda: self._boot_id_or_none() not in (None, before), timeout)

    def reboot(self, timeout: float = BOOT_TIMEOUT) -> None:
        """Restart the system in the lab and wait for ssh and the greeter."""
        self.restart(timeout)
        self.wait_until("greeter after reboot", self.greeter_shown, timeout)

    def power_off(self, timeout: float = 120.0) -> None:
        """Shut the system down and wait until QEMU has ended by itself."""
        self.run("systemctl", "poweroff", check=False)
        self.wait_until("power-off", lambda: not self.running, timeout)

    def close(self) -> None:
        """Stop every process of this lab and remove its files."""
        self.close_qemu()
        shutil.rmtree(self.wiring.folder, ignore_errors=True)

    def close_qemu(self) -> None:
        """As pulling the plug: no process is left, the files are."""
        self.release()
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()

    def release(self) -> None:
        """Let go of the connections; the lab itself runs on."""
        self.ssh.close()
        self.monitor.close()

    @property
    def running(self) -> bool:
        """Whether QEMU is there."""
        return self._qemu is not None and self._qemu.poll() is None

    @property
    def crash(self) -> str | None:
        """The signal by which QEMU itself crashed, whatever runs in it; usually none."""
        ended = self._qemu.poll() if self._qemu is not None else None
        return signal.Signals(-ended).name if ended is not None and -ended in CRASHES else None

    def revive(self) -> None:
        """Start anew from the image if QEMU has crashed."""
        if self.crash:
            self.release()
            self.wiring.qmp.unlink(missing_ok=True)
            self.boot()

    @property
    def pid(self) -> int:
        """QEMU's process id."""
        if self._qemu is None:
            raise LabError("the lab has not been started")
        return self._qemu.pid

    # -- commands --------------------------------------------------------------------------

    def run(
        self,
        *argv: str,
        check: bool = True,
        timeout: float = 60.0,
        user: str = "root",
        stdin: str | bytes | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the lab; `check` turns a status other than 0 into `CommandFailed`."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        raw = self.ssh.run(argv, user=user, stdin=data, timeout=timeout)
        done = subprocess.CompletedProcess(
            argv,
            raw.returncode,
            raw.stdout.decode(errors="replace"),
            raw.stderr.decode(errors="replace"),
        )
        if check and done.returncode:
            raise CommandFailed(done)
        return done

    def output(self, *argv: str, timeout: float = 60.0, user: str = "root") -> str:
        """The stripped standard output of a command that must succeed."""
        return self.run(*argv, timeout=timeout, user=user).stdout.strip()

    def sh(
        self, script: str, *, check: bool = True, timeout: float = 60.0, user: str = "root"
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell script in the lab, stopping at its first failing command."""
        return self.run("sh", "-e", "-c", script, check=check, timeout=timeout, user=user)

    def put(self, content: str | bytes, path: str, mode: int = 0o644) -> None:
        """Write a file in the lab, parents included."""
        self.run("install", "-D", "-m", f"{mode:o}", "/dev/stdin", path, stdin=content)

    def get(self, path: str) -> bytes:
        """The content of a file in the lab."""
        done = self.ssh.run(("cat", path), user="root", stdin=None, timeout=60)
        if done.returncode:
            raise LabError(f"cannot read {path}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def boot_id(self) -> str:
        """Differs after every start of the kernel."""
        return self.output("cat", "/proc/sys/kernel/random/boot_id")

    def _boot_id_or_none(self) -> str | None:
        try:
            done = self.run("cat", "/proc/sys/kernel/random/boot_id", check=False, timeout=20)
        except Timeout:
            return None  # it is on its way down, or not up yet
        return done.stdout.strip() if done.returncode != CONNECTION_LOST else None

    # -- from outside ----------------------------------------------------------------------

    def qmp(self, command: str, **arguments: Any) -> Any:
        """One QMP command, e.g. `qmp("system_powerdown")`."""
        return self.monitor.command(command, **arguments)

    def screenshot(self, path: Path | str | None = None) -> Picture.Image:
        """What the GPU shows; also written to `path` when given."""
        picture = self.monitor.screenshot()
        if path is not None:
            picture.save(path)
        return picture

    def screen(self) -> pixels.Screen:
        """Who owns the screen, by its pixels."""
        return pixels.classify(self.screenshot())

    def greeter_shown(self) -> bool:
        """Whether the login screen is there to be used."""
        return self.screen() is pixels.Screen.GREETER

    def guest_shown(self) -> bool:
        """Whether the second-level guest has painted the screen."""
        return self.screen() is pixels.Screen.GUEST

    def wait_for_screen(self, wanted: pixels.Screen, timeout: float) -> Picture.Image:
        """Wait until the screen belongs to `wanted`; the picture that shows it."""

        def seen() -> Picture.Image | None:
            picture = self.screenshot()
            return picture if pixels.classify(picture) is wanted else None

        picture = self.wait_until(f"{wanted.value} on the screen", seen, timeout)
        assert picture is not None
        return picture

    def wait_until(self, what: str, condition: Callable[[], T], timeout: float) -> T:
        """As `waiting.wait_until`, but ends at once when QEMU dies and adds the evidence."""

        def condition_or_dead() -> T:
            if not self.running and what != "power-off":
                raise LabError(f"QEMU ended while waiting for {what}")
            return condition()

        try:
            return wait_until(what, condition_or_dead, timeout)
        except LabError as e:
            e.add_note(self.evidence())
            raise

    def evidence(self) -> str:
        """What to read when something went wrong: QEMU's messages, serial console, journal."""
        return "\n".join(
            (
                f"--- qemu\n{_tail(self.wiring.qemu_log, 20)}",
                f"--- serial console\n{_tail(self.wiring.serial, 40)}",
                f"--- journal\n{self._journal_tail()}",
            )
        )

    def _journal_tail(self) -> str:
        if not self.running:
            return "(the lab is off)"
        try:
            return self.run(
                "journalctl", "-b", "-n", "200", "--no-pager", timeout=20, check=False
            ).stdout
        except Timeout:
            return "(no answer)"


def _tail(path: Path, lines: int) -> str:
    if not path.exists():
        return "(none)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
