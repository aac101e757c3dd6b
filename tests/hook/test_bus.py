"""The real dbus-send, a real bus with the real policy, and a stand-in for the daemon."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.hook.sandbox import DOMAIN, NOBODY, Sandbox

POLICY = Path(__file__).parents[2] / "config" / "org.vfiod1.conf"
SYSTEM = Path("/usr/share/dbus-1/system.conf")
PYTHON = "/usr/bin/python3"
HOOK, MANAGER = "org.vfiod1.Hook", "org.vfiod1.Manager"
PROPERTIES = "org.freedesktop.DBus.Properties"
MOCK = "org.freedesktop.DBus.Mock"
# D-Bus lets a message leave its interface out.
_WITHOUT_INTERFACE = """
from gi.repository import Gio
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
message = Gio.DBusMessage.new_method_call("org.vfiod1", "/org/vfiod1", None, "Release")
reply, _ = bus.send_message_with_reply_sync(message, 0, 5000)
print(reply.get_error_name())
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed, so root is")


class Bus:
    """A private system bus; `call` speaks as root or as somebody else."""

    def __init__(self, top: Path) -> None:
        self.address = f"unix:abstract=/vfiod-test-{uuid.uuid4()}"
        self._top = top
        self._processes: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        config = self._top / "bus.conf"
        config.write_bytes(_configuration(self.address))
        command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"]
        daemon = self._spawn(command)
        assert daemon.stdout is not None
        assert daemon.stdout.readline(), "dbus-daemon did not start"

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(10)

    def serve(self) -> None:
        """Put a stand-in for the daemon on the bus."""
        mock = [PYTHON, "-u", "-m", "dbusmock", "--system", "org.vfiod1", "/org/vfiod1", HOOK]
        process = self._spawn(mock)
        while self.call("org.freedesktop.DBus.Peer", "Ping").returncode:
            assert process.poll() is None, "the stand-in has ended"
        for name, signature in (("Prepare", "ss"), ("Started", "ss"), ("Release", "sss")):
            self._add(HOOK, name, signature, "")
        self._add(MANAGER, "Status", "", "ret = 'fine'")
        added = self.call(MOCK, "AddProperty", "ssv", MANAGER, "Phase", "s", "host")
        assert added.returncode == 0, added.stderr

    def refuse(self, text: str) -> None:
        """Let Prepare fail from now on."""
        error = f"raise dbus.exceptions.DBusException({text!r}, name='org.vfiod1.Error.Refused')"
        self._add(HOOK, "Prepare", "ss", error)

    def received(self, method: str) -> str:
        """Every call of a method so far, as busctl prints them."""
        return self.call(MOCK, "GetMethodCalls", "s", method).stdout

    def call(
        self, interface: str, method: str, *arguments: str, user: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """One method call to the daemon's object."""
        call = ["call", "org.vfiod1", "/org/vfiod1", interface, method, *arguments]
        return self.run(["busctl", "--system", "--timeout=5", "--", *call], user=user)

    def run(self, command: list[str], *, user: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a client of this bus."""
        return subprocess.run(
            command, capture_output=True, text=True, env=self._environment(), user=user,
            cwd="/", timeout=20, check=False,
        )  # fmt: skip

    def _add(self, interface: str, name: str, signature: str, code: str) -> None:
        result = "s" if "ret" in code else ""
        added = self.call(MOCK, "AddMethod", "sssss", interface, name, signature, result, code)
        assert added.returncode == 0, added.stderr

    def _spawn(self, command: list[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=self._environment()
        )
        self._processes.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "DBUS_SYSTEM_BUS_ADDRESS": self.address}


def _configuration(address: str) -> bytes:
    """The distribution's own policy for a system bus with ours beside it, and no other."""
    root = ElementTree.parse(SYSTEM).getroot()
    for place in ("user", "fork", "pidfile", "listen", "includedir", "include", "syslog",
                  "servicehelper", "standard_system_servicedirs", "keep_umask"):  # fmt: skip
        for element in root.findall(place):
            root.remove(element)
    ElementTree.SubElement(root, "listen").text = address
    ElementTree.SubElement(root, "include").text = str(POLICY)
    return ElementTree.tostring(root)


@pytest.fixture
def empty_bus(tmp_path: Path) -> Iterator[Bus]:
    bus = Bus(tmp_path)
    try:
        bus.start()
        yield bus
    finally:
        bus.stop()


@pytest.fixture
def bus(empty_bus: Bus) -> Bus:
    empty_bus.serve()
    return empty_bus


@pytest.fixture(params=["dash", "bash"])
def hook(request: pytest.FixtureRequest, empty_bus: Bus, tmp_path: Path) -> Sandbox:
    sandbox = Sandbox(tmp_path, request.param)
    sandbox.use_bus(empty_bus.address)
    return sandbox


@pytest.mark.parametrize("guest", ["win 10", "-rf", "--help", "Wïn-日本", "a*b", "--"])
def test_any_name_reaches_the_daemon(bus: Bus, hook: Sandbox, guest: str) -> None:
    hook.name_guest(guest)
    hook.begin_handoff(guest)
    for operation in ("prepare", "started", "release"):
        outcome = hook.run(guest, operation, extra="shutdown")
        assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    for method in ("Prepare", "Started", "Release"):
        received = bus.received(method)
        assert received.split()[1] == "1", method
        assert _quoted(guest) in received
        wanted = DOMAIN.rstrip("\n") if method == "Prepare" else ""
        assert _quoted(wanted) in received


def test_the_daemons_own_words_reach_the_user(bus: Bus, hook: Sandbox) -> None:
    bus.refuse("no ROM for 0000:01:00.0. Add one")
    hook.name_guest("win10")
    outcome = hook.run("win10", "prepare")
    assert outcome.status == 1
    assert outcome.stderr == "vfiod: no ROM for 0000:01:00.0. Add one\n"


@pytest.mark.usefixtures("empty_bus")
def test_a_bus_without_the_daemon(hook: Sandbox) -> None:
    hook.name_guest("win10")
    outcome = hook.run("win10", "prepare")
    assert outcome.status == 1
    assert "desktop not touched" in outcome.stderr
    hook.begin_handoff()
    assert hook.run("win10", "release").status == 0


def test_no_bus_at_all(empty_bus: Bus, hook: Sandbox) -> None:
    empty_bus.stop()
    hook.name_guest("win10")
    outcome = hook.run("win10", "prepare")
    assert outcome.status == 1
    assert outcome.stderr.count("\n") == 1
    assert "desktop not touched" in outcome.stderr


def test_everybody_may_look(bus: Bus) -> None:
    allowed = (
        (MANAGER, "Status"),
        (PROPERTIES, "Get", "ss", MANAGER, "Phase"),
        (PROPERTIES, "GetAll", "s", MANAGER),
        ("org.freedesktop.DBus.Introspectable", "Introspect"),
        ("org.freedesktop.DBus.Peer", "Ping"),
    )
    for interface, method, *arguments in allowed:
        done = bus.call(interface, method, *arguments, user=NOBODY)
        assert (done.returncode, done.stderr) == (0, ""), method


def test_all_else_is_roots(bus: Bus) -> None:
    closed = (
        (HOOK, "Prepare", "ss", "win10", "<domain/>"),
        (HOOK, "Release", "sss", "win10", "<domain/>", "shutdown"),
        (PROPERTIES, "Set", "ssv", MANAGER, "Phase", "s", "guest"),
        (MOCK, "GetCalls"),
    )
    for interface, method, *arguments in closed:
        done = bus.call(interface, method, *arguments, user=NOBODY)
        assert done.returncode != 0, method
        assert "denied" in done.stderr.lower(), method
        assert bus.call(interface, method, *arguments).returncode == 0, method


def test_a_message_without_interface_is_no_way_round(bus: Bus) -> None:
    client = [PYTHON, "-c", _WITHOUT_INTERFACE]
    assert bus.run(client, user=NOBODY).stdout.strip() == "org.freedesktop.DBus.Error.AccessDenied"
    assert bus.run(client).stdout.strip() != "org.freedesktop.DBus.Error.AccessDenied"


def test_only_root_owns_the_name(empty_bus: Bus) -> None:
    call = ["call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName"]
    command = ["busctl", "--system", "--", *call, "su", "org.vfiod1", "4"]
    refused = empty_bus.run(command, user=NOBODY)
    assert "denied" in refused.stderr.lower()
    assert empty_bus.run(command).returncode == 0


def _quoted(text: str) -> str:
    """As busctl prints a string: bytes outside ASCII in octal."""
    special = {"\n": "\\n", '"': '\\"', "\\": "\\\\", "'": "\\'"}
    raw = text.encode()
    return "".join(
        special.get(chr(byte), chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in raw
    )
