"""vfiod reopen as a user: the file, the question, and what is begun, by stand-ins."""

import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from gi.repository import GLib

from tests.dbus.bus import DBUS, NOBODY, PrivateBus, until
from vfiod.config.schema import Reopen
from vfiod.tools.reopen.opened import Application
from vfiod.tools.reopen.record import Record, dump

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the bus is root's")

SERVICE, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
MOCK = "org.freedesktop.DBus.Mock"
ENTRY = "[Desktop Entry]\nType=Application\nName={0}\nExec={0}\n"
# The programs are stand-ins, and nothing else opens here that one would have to wait for.
PROGRAM = """
import sys
from vfiod.cli.main import main
from vfiod.tools.reopen import launch, session
launch.find = lambda program: sys.argv[1] + "/" + program
session._QUIET_SECONDS = 0.0
from vfiod.cli import telling
telling._WAIT_SECONDS = 1
sys.exit(main(["reopen", *sys.argv[2:]]))
"""


@dataclass(frozen=True)
class User:
    """Somebody at a desktop, and the folder where all of theirs is."""

    bus: PrivateBus
    home: Path
    uid: int = NOBODY
    display: str = "wayland-7"

    @property
    def waiting(self) -> Path:
        return self.home / "state/vfiod/reopen.json"

    @property
    def begun(self) -> list[str]:
        """The names of what was opened, in order."""
        log = self.home / "log"
        return log.read_text().split() if log.exists() else []

    def write(self, how: Reopen, *idents: str) -> None:
        self.waiting.parent.mkdir(parents=True, exist_ok=True)
        self.waiting.write_text(dump(Record(how, tuple(map(Application, idents)))))
        self.waiting.chmod(0o600)
        for path in (self.waiting, self.waiting.parent, self.waiting.parent.parent):
            os.chown(path, self.uid, self.uid)

    def command(self, *arguments: str) -> list[str]:
        environment = [
            f"HOME={self.home}", f"XDG_STATE_HOME={self.home}/state",
            f"XDG_DATA_HOME={self.home}/data", "XDG_DATA_DIRS=/nonexistent",
            f"XDG_CONFIG_HOME={self.home}/config", "XDG_CONFIG_DIRS=/nonexistent",
            f"WAYLAND_DISPLAY={self.display}",
            f"XDG_RUNTIME_DIR={self.home}", f"DBUS_SESSION_BUS_ADDRESS={self.bus.address}",
        ]  # fmt: skip
        return ["env", *environment, sys.executable, "-c", PROGRAM, str(self.home), *arguments]

    def run(self, *arguments: str, uid: int | None = None) -> "subprocess.CompletedProcess[str]":
        return self.bus.run(*self.command(*arguments), user=self.uid if uid is None else uid)

    def spawn(self, *arguments: str) -> "subprocess.Popen[str]":
        run = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        return self.bus.spawn(*run, *self.command(*arguments))


@pytest.fixture
def user(open_bus: PrivateBus, run_directory: Path) -> User:
    run_directory.chmod(0o755)
    home = run_directory / "home"
    applications = home / "data/applications"
    applications.mkdir(parents=True)
    for name in ("writer", "mail", "web"):
        (applications / f"{name}.desktop").write_text(ENTRY.format(name))
    (applications / "play.desktop").write_text(ENTRY.format("virsh start win10"))
    log = shlex.quote(str(home / "log"))
    for name, text in (
        ("systemd-run", 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'),
        ("gio", f'basename "$2" .desktop >> {log}'),
    ):
        (home / name).write_text(f"#!/bin/sh\n{text}\n")
        (home / name).chmod(0o755)
    os.chown(home, NOBODY, NOBODY)
    return User(open_bus, home)


@pytest.fixture(params=["actions body"])
def desktop(user: User, request: pytest.FixtureRequest) -> Iterator[User]:
    """With notifications that have buttons, shown by dbusmock."""
    words = "/usr/bin/python3 -m dbusmock --session --template notification_daemon --parameters"
    address = f"DBUS_SESSION_BUS_ADDRESS={user.bus.address}"
    able = json.dumps({"capabilities": request.param})
    child = user.bus.spawn("env", address, *words.split(), able)

    def there() -> bool:
        return bool(user.bus.begin_at(DBUS, "/", DBUS, "NameHasOwner", "s", SERVICE).result()[0])

    until(there, SERVICE)
    yield user
    user.bus.end(child)


def mock(user: User, method: str, signature: str, *values: Any) -> Any:
    return user.bus.begin_at(SERVICE, PATH, MOCK, method, signature, *values).result()


def shown(user: User) -> list[Any]:
    return [values for _, values in mock(user, "GetMethodCalls", "s", "Notify")[0]]


def press(user: User, key: str) -> None:
    signal = ("ActionInvoked", "us", [GLib.Variant("u", 1), GLib.Variant("s", key)])
    mock(user, "EmitSignal", "sssav", SERVICE, *signal)


def answer(user: User, key: str) -> None:
    """Log in, be asked, press a button; it is over then."""
    child = user.spawn("--login")
    until(lambda: shown(user), "the notification")
    press(user, key)
    assert child.wait(10) == 0
    user.bus.end(child)


# At the login


def test_always_opens_all_of_it_once(user: User) -> None:
    user.write(Reopen.ALWAYS, "writer", "mail")
    for _ in range(2):
        done = user.run("--login")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert user.begun == ["writer", "mail"]
    assert not user.waiting.exists()


def test_two_logins_at_the_same_time_open_it_once(user: User) -> None:
    user.write(Reopen.ALWAYS, "writer", "mail")
    children = [user.spawn("--login") for _ in range(4)]
    for child in children:
        assert child.wait(20) == 0
        user.bus.end(child)
    assert sorted(user.begun) == ["mail", "writer"]


def test_ask_opens_it_after_a_yes(desktop: User) -> None:
    desktop.write(Reopen.ASK, "writer", "mail", "web")
    answer(desktop, "reopen")
    assert desktop.begun == ["writer", "mail", "web"]
    (values,) = shown(desktop)
    assert "Reopen 3 applications" in values
    assert "Open when a guest took the screen: writer, mail, web." in values


def test_ask_opens_nothing_after_a_no_and_asks_no_second_time(desktop: User) -> None:
    desktop.write(Reopen.ASK, "writer", "mail")
    answer(desktop, "no")
    assert desktop.run("--login").returncode == 0
    assert len(shown(desktop)) == 1
    assert desktop.begun == []
    assert desktop.run().returncode == 0
    assert desktop.begun == ["writer", "mail"]


@pytest.mark.parametrize("desktop", ["body"], indirect=True)
def test_where_notifications_have_no_buttons_the_command_is_told(desktop: User) -> None:
    desktop.write(Reopen.ASK, "writer")
    assert desktop.run("--login").returncode == 0
    (values,) = shown(desktop)
    assert any(str(value).endswith("To open them: vfiod reopen") for value in values)
    assert desktop.begun == []
    assert desktop.run("--list").stdout == "writer\n"


def test_what_nobody_can_be_asked_about_waits_on(user: User) -> None:
    user.write(Reopen.ASK, "writer")
    done = user.run("--login")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert user.waiting.exists()
    assert user.begun == []


def test_a_login_without_a_list_is_a_login_like_any_other(user: User) -> None:
    done = user.run("--login")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert user.begun == []


def test_another_user_s_list_opens_nothing(user: User) -> None:
    user.write(Reopen.ALWAYS, "writer")
    os.chown(user.waiting, 1234, 1234)
    assert user.run("--login").returncode == 0
    assert user.begun == []
    user.waiting.chmod(0o644)
    assert user.run("--login").returncode == 0
    assert user.begun == []


def test_a_list_that_names_a_guest_s_launcher_starts_no_guest(user: User) -> None:
    user.write(Reopen.ALWAYS, "play", "writer")
    assert user.run("--login").returncode == 0
    assert user.begun == ["writer"]


@pytest.mark.parametrize("arguments", [[], ["--login"], ["--list"], ["--write", "always"]])
def test_never_as_root(user: User, arguments: list[str]) -> None:
    user.write(Reopen.ALWAYS, "writer")
    done = user.run(*arguments, uid=0)
    assert done.returncode == 4
    assert "root has no applications" in done.stderr
    assert user.begun == []


# By hand, and by the service


def test_a_list_can_be_looked_at_and_dropped(user: User) -> None:
    user.write(Reopen.ASK, "writer", "mail")
    assert user.run("--list").stdout == "writer\nmail\n"
    assert user.begun == []
    assert user.run("--forget").returncode == 0
    assert "Nothing to open" in user.run().stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [((), 6, "the list is kept"), (("--login",), 0, ""), (("--list",), 0, "")],
)
def test_without_a_desktop_the_list_is_kept(
    user: User, words: tuple[str, ...], status: int, said: str
) -> None:
    """Typed over ssh, while the login screen is there."""
    user.write(Reopen.ALWAYS, "writer")
    done = replace(user, display="").run(*words)
    assert done.returncode == status
    assert said in done.stderr
    assert (user.begun, user.waiting.exists()) == ([], True)
    assert user.run("--login").returncode == 0
    assert user.begun == ["writer"]


def test_the_service_writes_for_its_user_alone(user: User) -> None:
    """What is open is found by other tests; here nothing runs in units of a user's."""
    done = user.run("--write", "always")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "no application is open\n"
    assert not user.waiting.exists()


def test_a_start_that_failed_leaves_what_has_closed_to_the_next_login(user: User) -> None:
    """The writer had nothing to save and closed when it was asked."""
    user.write(Reopen.ALWAYS, "writer")
    assert user.run("--write", "never").returncode == 0
    assert user.run("--login").returncode == 0
    assert user.begun == ["writer"]


WRITE = """
import os
from vfiod.cli.verbs import reopen
from vfiod.tools.reopen import look
from vfiod.tools.reopen.opened import Process
units = ("user.slice", "user-1.slice", "user@1.service", "app.slice", "app-gnome-mail-7.scope")
look.read_processes = lambda uid, root: [Process(7, 1, "/usr/bin/x", ("--secret",), units)]
reopen._write("always", dict(os.environ))
"""


def test_what_is_written_is_read_at_the_login(user: User) -> None:
    """Without a word of what the application was given."""
    user.write(Reopen.ASK, "writer")
    command = user.command()
    at = command.index("-c")
    done = user.bus.run(*command[:at], "-c", WRITE, user=user.uid)
    assert (done.returncode, done.stderr) == (0, "")
    status = user.waiting.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, user.uid)
    value = json.loads(user.waiting.read_text())
    assert value["how"] == "always"
    assert [row["id"] for row in value["applications"]] == ["mail", "writer"]
    assert "secret" not in user.waiting.read_text()
    user.run("--login")
    assert user.begun == ["mail", "writer"]
