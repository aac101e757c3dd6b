"""A private system bus with the shipped policy, and those who speak on it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gi.repository import Gio, GLib

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "config" / "org.vfiod1.conf"
NAME, PATH = "org.vfiod1", "/org/vfiod1"
HOOK, MANAGER = "org.vfiod1.Hook", "org.vfiod1.Manager"
PROPERTIES = "org.freedesktop.DBus.Properties"
DBUS = "org.freedesktop.DBus"
POLKIT = "org.freedesktop.PolicyKit1"
NOBODY = 65534
LONG = 60.0

# As in /usr/share/dbus-1/system.conf, without what belongs to the machine.
_CONFIGURATION = """<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.PolicyKit1"/>
  </policy>
  <policy user="polkitd">
    <allow own="org.freedesktop.PolicyKit1"/>
  </policy>
  {more}
</busconfig>
"""
_OPEN = '<policy context="mandatory"><allow own="*"/><allow send_destination="*"/></policy>'


def until(condition: Callable[[], object], what: str, seconds: float = LONG) -> None:
    """Let the main loop of this process run until the condition holds."""
    context = GLib.MainContext.default()
    deadline = time.monotonic() + seconds
    tick = GLib.timeout_add(10, lambda: True)
    try:
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            context.iteration(True)  # noqa: FBT003
    finally:
        GLib.source_remove(tick)


class CallFailed(Exception):
    """A call was answered with an error; ``name`` is its D-Bus name."""

    def __init__(self, error: Any) -> None:
        self.name: str = Gio.DBusError.get_remote_error(error) or ""
        Gio.DBusError.strip_remote_error(error)
        super().__init__(error.message)


class Pending:
    """A call whose answer has not been waited for."""

    def __init__(self) -> None:
        self.values: Any = None
        self.error: CallFailed | None = None
        self.answered = False

    def finish(self, connection: Any, result: Any) -> None:
        try:
            self.values = connection.call_finish(result).unpack()
        except GLib.Error as error:
            self.error = CallFailed(error)
        self.answered = True

    def result(self) -> Any:
        """Its values. Raises CallFailed."""
        until(lambda: self.answered, "an answer")
        if self.error is not None:
            raise self.error
        return self.values


@contextmanager
def private_bus(*, with_policy: bool = True) -> "Iterator[PrivateBus]":
    """A bus in a folder of its own, as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="vfiod-bus-") as directory:
        bus = PrivateBus(Path(directory), with_policy=with_policy)
        yield bus
        bus.stop()


class PrivateBus:
    """dbus-daemon, a root connection to it, and programs that run as somebody else."""

    def __init__(self, directory: Path, *, with_policy: bool = True) -> None:
        directory.chmod(0o755)
        self.address = f"unix:path={directory / 'bus'}"
        self._directory = directory
        self._children: list[subprocess.Popen[str]] = []
        more = f"<include>{POLICY}</include>" if with_policy else _OPEN
        configuration = directory / "bus.conf"
        configuration.write_text(_CONFIGURATION.format(socket=directory / "bus", more=more))
        daemon = self.spawn("dbus-daemon", f"--config-file={configuration}", "--print-address")
        assert daemon.stdout is not None
        assert daemon.stdout.readline(), "dbus-daemon did not start"
        self.connection = self._connect()

    def _connect(self) -> Any:
        flags = Gio.DBusConnectionFlags
        wanted = flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION
        return Gio.DBusConnection.new_for_address_sync(self.address, wanted, None, None)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT),
                "DBUS_SYSTEM_BUS_ADDRESS": self.address}  # fmt: skip

    def spawn(self, *command: str) -> "subprocess.Popen[str]":
        """A child that ends with the bus; its errors go to a file that a failed test shows."""
        with open(self._directory / "errors", "a") as errors:
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                text=True, env=self.environment, cwd="/",
            )  # fmt: skip
        self._children.append(child)
        return child

    def mock(self, template: str, name: str) -> "subprocess.Popen[str]":
        """One of dbusmock's services, once it has its name."""
        child = self.spawn("/usr/bin/python3", "-m", "dbusmock", "--system", "--template", template)

        def there() -> bool:
            return bool(self.begin_at(DBUS, "/", DBUS, "NameHasOwner", "s", name).result()[0])

        until(there, name)
        return child

    def end(self, child: "subprocess.Popen[str]") -> None:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        self._children.remove(child)

    def lose(self) -> None:
        """The bus itself ends, as when it is restarted."""
        self.end(self._children[0])

    def stop(self) -> None:
        with suppress(GLib.Error):
            self.connection.close_sync()
        for child in reversed(list(self._children)):
            self.end(child)
        print((self._directory / "errors").read_text())

    # Speaking as root

    def begin(self, interface: str, method: str, signature: str = "", *values: Any) -> Pending:
        """Call a method of vfiod's object, without waiting."""
        return self.begin_at(NAME, PATH, interface, method, signature, *values)

    def begin_at(
        self, name: str, path: str, interface: str, method: str, signature: str, *values: Any
    ) -> Pending:
        """Call any method, without waiting."""
        pending = Pending()
        body = GLib.Variant(f"({signature})", values)
        self.connection.call(
            name, path, interface, method, body, None, Gio.DBusCallFlags.NO_AUTO_START,
            int(LONG * 1000), None, pending.finish,
        )  # fmt: skip
        return pending

    def call_and_vanish(self, interface: str, method: str, signature: str, *values: Any) -> None:
        """Call a method from a connection of its own, which is gone once the call has come."""
        connection = self._connect()
        body, flags = GLib.Variant(f"({signature})", values), Gio.DBusCallFlags.NO_AUTO_START
        connection.call(NAME, PATH, interface, method, body, None, flags, -1, None, None)
        ping = "org.freedesktop.DBus.Peer"
        connection.call_sync(NAME, PATH, ping, "Ping", None, None, flags, int(LONG * 1000), None)
        connection.close_sync()

    def call(self, interface: str, method: str, signature: str = "", *values: Any) -> Any:
        """Call a method of vfiod's object and wait. Raises CallFailed."""
        return self.begin(interface, method, signature, *values).result()

    def status(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.call(MANAGER, "Status")[0])
        return facts

    def listen(self, interface: str, signal: str) -> list[Any]:
        """The values of every such signal from now on."""
        heard: list[Any] = []

        def received(_c: Any, _s: str, _p: str, _i: str, _n: str, values: Any) -> None:
            heard.append(values.unpack())

        self.connection.signal_subscribe(
            NAME, interface, signal, None, None, Gio.DBusSignalFlags.NONE, received
        )
        # Once this is answered the bus knows of it, whoever makes the call that follows.
        self.begin_at(DBUS, "/", DBUS, "GetId", "").result()
        return heard

    # Speaking as somebody else

    def run(self, *command: str, user: int = NOBODY) -> "subprocess.CompletedProcess[str]":
        """A program to its end."""
        return subprocess.run(
            command, env=self.environment, user=user, group=user, extra_groups=[], cwd="/",
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG, check=False,
        )  # fmt: skip

    def send(
        self, member: str, *arguments: str, name: str = NAME, path: str = PATH, user: int = NOBODY
    ) -> "subprocess.CompletedProcess[str]":
        """A method call by dbus-send(1), which prints errors with their names."""
        return self.run(*self.sending(member, *arguments, name=name, path=path), user=user)

    def sending(
        self, member: str, *arguments: str, name: str = NAME, path: str = PATH
    ) -> "list[str]":
        """The command of such a call."""
        wanted = [f"--bus={self.address}", "--print-reply=literal", f"--dest={name}"]
        return ["dbus-send", *wanted, path, member, *arguments]

    @property
    def program(self) -> tuple[str, ...]:
        """The command line, without arguments."""
        return sys.executable, "-m", "vfiod"

    def vfiod(self, *arguments: str, user: int = NOBODY) -> "subprocess.CompletedProcess[str]":
        """The command line."""
        return self.run(*self.program, *arguments, user=user)


class Served:
    """A module of the tests that serves on a bus, and takes orders of a line each."""

    def __init__(self, bus: PrivateBus, module: str, *arguments: str) -> None:
        self._bus = bus
        self._process = bus.spawn(sys.executable, "-m", module, *arguments)
        assert self._read() == "ready", f"the daemon did not start: {module}"

    def tell(self, order: str) -> str:
        """Have it do something; its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._bus.end(self._process)


class Daemon(Served):
    """tests.dbus.server on a bus."""

    def __init__(self, bus: PrivateBus, config: Path, journal: Path) -> None:
        super().__init__(bus, "tests.dbus.server", str(config), str(journal))

    def terminate(self) -> None:
        """What systemd does to stop it."""
        self._process.terminate()

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None


class Polkit:
    """dbusmock's polkitd on a bus."""

    def __init__(self, bus: PrivateBus) -> None:
        self._bus = bus
        self._process = bus.mock("polkitd", POLKIT)

    def allow(self, *actions: str) -> None:
        self._mock("SetAllowed", "as", list(actions))

    def hang(self, *actions: str) -> None:
        self._mock("SimulateHangActions", "as", list(actions))

    def release(self) -> None:
        """Answer the questions that hang."""
        self._mock("ReleaseHangingCalls", "")

    def hanging(self) -> bool:
        return bool(self._mock("HaveHangingCalls", "")[0])

    def _mock(self, method: str, signature: str, *values: Any) -> Any:
        path = f"/{POLKIT.replace('.', '/')}/Authority"
        mock = "org.freedesktop.DBus.Mock"
        return self._bus.begin_at(POLKIT, path, mock, method, signature, *values).result()

    def stop(self) -> None:
        self._bus.end(self._process)
