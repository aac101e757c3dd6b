"""The real service and manager on a FakeHost, for the tests of the bus.

Takes commands on standard input, one a line, and answers each with a line.
"""

import signal
import subprocess
import sys
import threading
from pathlib import Path

from gi.repository import GLib

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.libvirt import UUID
from tests.fakes.userspace import Process, Program
from vfiod.bus.connection import Bus
from vfiod.config.file import load_config
from vfiod.daemon.main import Paths, begin, compose, finish
from vfiod.events import Event
from vfiod.model import Session
from vfiod.util.unixloop import on_signal

ROM = f"/usr/share/vgabios/vfiod/{pcs.VGA}.rom"


class Server:
    """One daemon, and the strings by which a test pulls at its host."""

    def __init__(self) -> None:
        self.host: FakeHost = pcs.desktop()
        self._open = threading.Event()
        self._open.set()
        self._mute = False
        self._qemu: subprocess.Popen[bytes] | None = None
        self.host.effects.barrier = lambda _name: self._pass()

    def model(self, config: Path) -> None:
        """What libvirt has: the guests of the configuration."""
        commands = self.host.commands
        commands.load = lambda: load_config(config)
        devices = {"win10": pcs.DEVICES}
        commands.definition = lambda name: pcs.xml(
            devices.get(name, pcs.DEVICES[:2]), name=name, rom_file=None if name != "win10" else ROM
        )
        commands.before_start = self._pass
        # A bus wants users that this machine has: these call as the model's.
        self.host.logins.names |= {1: "alice", 2: "bob"}

    def report(self, _event: Event) -> None:
        """Stands for the system's journal."""
        if self._mute:
            raise OSError("the journal is away")

    def _pass(self) -> None:
        self._open.wait()

    def do(self, command: str) -> str:
        """Carry out a command."""
        verb, _, rest = command.partition(" ")
        answer: str | None = getattr(self, f"do_{verb}")(*rest.split())
        return answer or "done"

    def do_hold(self) -> None:
        """Whoever changes the host waits from now on."""
        self._open.clear()

    def do_go(self) -> None:
        self._open.set()

    def do_mute(self) -> None:
        self._mute = True

    def do_forget(self, what: str) -> None:
        """Take something away that a start needs, or a return."""
        if what == "memory":
            self.host.memory.free = 0
        else:
            self.host.kernel.drivers[what].refuses = True

    def do_guest(self) -> None:
        """A real process that the model believes to be QEMU."""
        self._qemu = subprocess.Popen(["sleep", "600"])
        nodes = {"/dev/vfio/10", "/dev/vfio/11"}
        process = Process(self._qemu.pid, Program("qemu"), "", nodes)
        self.host.user.processes[process.pid] = process

    def do_end(self) -> None:
        """That process ends."""
        assert self._qemu is not None
        self.host.user.processes.pop(self._qemu.pid)
        self._qemu.kill()
        self._qemu.wait()

    def do_known(self) -> None:
        """libvirt has that guest, whose process does what the model's does."""
        assert self._qemu is not None
        self.host.libvirt.began(UUID, self._qemu.pid, pcs.DEVICES)
        self.host.user.on_end = self._ended

    def _ended(self, pid: int) -> None:
        self.host.libvirt.qemu_ended(pid)
        if self._qemu is not None and self._qemu.pid == pid:
            self._qemu.kill()
            self._qemu.wait()

    def do_login(self) -> None:
        """bob comes to the same screen, in a session of his own."""
        bob = Session("9", "bob", 1001, "seat0", "user", graphical=True, unit="session-9.scope")
        self.host.user.log_in(bob, Program("firefox", uid=1001, title="Firefox"))

    def do_fail(self, *words: str) -> None:
        """libvirt refuses the next start, and ends nothing."""
        self.host.commands.fails = " ".join(words)

    def do_trial(self, until: str) -> None:
        self.host.commands.trial = int(until)

    def do_running(self, guest: str) -> None:
        self.host.commands.running.add(guest)

    def do_commands(self) -> str:
        """What was asked of libvirt."""
        return "; ".join(self.host.commands.done) or "none"

    def do_driver(self) -> str:
        return str(self.host.pci.function(pcs.VGA).driver)


def main(config: str, journal: str) -> int:
    """Serve until the input ends."""
    server = Server()
    bus = Bus()
    service, manager = compose(bus, server.host, Paths(Path(config), Path(journal)), server.report)
    server.model(Path(config))
    begin(service, manager)
    loop = GLib.MainLoop()

    def listen() -> None:
        print("ready", flush=True)
        for line in sys.stdin:
            print(server.do(line.strip()), flush=True)
        server.do_go()
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    on_signal(signal.SIGTERM, lambda: finish(loop, service, manager))
    loop.run()
    bus.flush()
    manager.tasks.worker.shutdown(wait=False, cancel_futures=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
