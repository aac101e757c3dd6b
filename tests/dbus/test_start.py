"""Starting and ending guests over the bus: who may, what is asked, and what becomes of it."""

import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dbus.bus import HOOK, MANAGER, PROPERTIES, Daemon, Polkit, PrivateBus, until
from tests.dbus.test_service import GENTLY, XML, failed, prepare, until_phase

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed, so root is")

ALICE, BOB = 1, 2  # as tests.dbus.server names these users
START, OTHERS = "org.vfiod1.start", "org.vfiod1.start-others"
SHUTDOWN, KEEP = "org.vfiod1.shutdown-guest", "org.vfiod1.keep"
CANCEL, PROPOSE = "org.vfiod1.cancel", "org.vfiod1.propose-session"
ALL = (
    START, OTHERS, CANCEL, PROPOSE, SHUTDOWN, KEEP, "org.vfiod1.return", "org.vfiod1.rehearse",
)  # fmt: skip
LONG = 3000
ASK, FORCE = ("sb", "win10", False), ("sb", "win10", True)


def start(bus: PrivateBus, seconds: int = 0, guest: str = "win10", user: int = ALICE) -> str:
    """What is answered to this user: nothing, or an error."""
    values = (f"string:{guest}", f"uint32:{seconds}")
    return bus.send(f"{MANAGER}.StartGuest", *values, user=user).stderr


def pending(bus: PrivateBus) -> tuple[str, int, int]:
    values = bus.call(PROPERTIES, "GetAll", "s", MANAGER)[0]
    return values["Pending"], values["PendingUntil"], values["PendingBy"]


@pytest.fixture
def ended(bus: PrivateBus, daemon: Daemon) -> list[Any]:
    return bus.listen(MANAGER, "StartEnded")


# Who may


def test_whose_own_work_alone_ends_may_start(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, ended: list[Any]
) -> None:
    polkit.allow(START)
    assert start(bus) == ""
    until(lambda: ended, "the start")
    assert ended == [("win10", True, "win10 runs")]
    assert daemon.tell("commands") == "start win10"


def test_the_work_of_others_takes_another_right(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, ended: list[Any]
) -> None:
    polkit.allow(START, SHUTDOWN, KEEP)
    assert "NotAuthorized: you may not start a guest, which ends the work of others" in start(
        bus, user=BOB
    )
    daemon.tell("login")
    assert "NotAuthorized" in start(bus)
    assert (daemon.tell("commands"), ended, pending(bus)) == ("none", [], ("", 0, 0))
    polkit.allow(OTHERS)
    assert start(bus) == ""
    until(lambda: ended, "the start")
    assert daemon.tell("commands") == "start win10"


@pytest.mark.parametrize("asked", [(), ("org.freedesktop.login1.power-off",)])
def test_who_is_allowed_nothing_can_do_nothing(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, asked: tuple[str, ...]
) -> None:
    polkit.allow(*asked)
    prepare(bus)
    bus.call(MANAGER, "Return", *GENTLY)
    bus.call(MANAGER, "StartGuest", "su", "win10", LONG)
    daemon.tell("running other")
    calls = (
        ("StartGuest", "string:win10", "uint32:0"),
        ("CancelStart",),
        ("ShutdownGuest", "string:other", "boolean:false"),
        ("ShutdownGuest", "string:other", "boolean:true"),
    )
    for method, *values in calls[1:]:
        assert "NotAuthorized" in bus.send(f"{MANAGER}.{method}", *values).stderr, method
    assert pending(bus)[0] == "win10"
    bus.call(MANAGER, "CancelStart")
    assert "NotAuthorized" in start(bus, user=ALICE)
    assert daemon.tell("commands") == "none"


def test_root_needs_no_polkit(bus: PrivateBus, daemon: Daemon, ended: list[Any]) -> None:
    bus.call(MANAGER, "StartGuest", "su", "win10", 0)
    until(lambda: ended, "the start")
    assert daemon.tell("commands") == "start win10"


@pytest.mark.parametrize(
    ("method", "action", "values"),
    [
        ("ShutdownGuest", SHUTDOWN, ["string:win10", "boolean:false"]),
        ("ShutdownGuest", SHUTDOWN, ["string:win10", "boolean:true"]),
        ("Keep", KEEP, ["string:win10", "uint32:0"]),
    ],
)
def test_each_method_has_its_own_action(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, method: str, action: str, values: list[str]
) -> None:
    prepare(bus)
    daemon.tell("running win10")
    daemon.tell("trial 1")
    polkit.allow(*set(ALL) - {action})
    assert "NotAuthorized" in bus.send(f"{MANAGER}.{method}", *values).stderr
    assert daemon.tell("commands") == "none"
    polkit.allow(action)
    done = bus.send(f"{MANAGER}.{method}", *values)
    assert done.returncode == 0, done.stderr
    assert daemon.tell("commands") != "none"


# The countdown


def test_a_countdown_is_seen_by_all(bus: PrivateBus, daemon: Daemon, polkit: Polkit) -> None:
    polkit.allow(START)
    changed = bus.listen(PROPERTIES, "PropertiesChanged")
    before = time.time() * 1e6
    assert start(bus, LONG) == ""
    guest, until_usec, by = pending(bus)
    assert (guest, by) == ("win10", ALICE)
    assert before + LONG * 1e6 <= until_usec <= time.time() * 1e6 + LONG * 1e6
    assert bus.status()["start"] == {"guest": "win10", "until": until_usec, "by": ALICE}
    until(lambda: changed, "the signal")
    assert changed[0][1]["Pending"] == "win10"
    assert daemon.tell("commands") == "none"


@pytest.mark.parametrize("allowed", [(), (START,)])
def test_who_began_it_may_cancel_it(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, ended: list[Any], allowed: tuple[str, ...]
) -> None:
    polkit.allow(START)
    start(bus, LONG)
    polkit.allow(*allowed)
    done = bus.send(f"{MANAGER}.CancelStart", user=ALICE)
    assert done.returncode == 0, done.stderr
    until(lambda: ended, "the end")
    assert ended == [("win10", False, "win10 was not started: alice cancelled it")]
    assert pending(bus) == ("", 0, 0)
    assert daemon.tell("commands") == "none"
    assert bus.status()["last"]["result"] == "not_started"


def test_somebody_else_may_cancel_it_as_polkit_says(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit
) -> None:
    bus.call(MANAGER, "StartGuest", "su", "win10", LONG)
    polkit.allow(START, OTHERS)
    assert "NotAuthorized" in bus.send(f"{MANAGER}.CancelStart", user=ALICE).stderr
    polkit.allow(CANCEL)
    assert bus.send(f"{MANAGER}.CancelStart", user=ALICE).returncode == 0
    assert pending(bus)[0] == ""


def test_who_may_cancel_one_start_cancels_no_other(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit
) -> None:
    """Between polkit's question and its answer the countdown has become another guest's."""
    bus.call(MANAGER, "StartGuest", "su", "win10", LONG)
    polkit.allow(CANCEL)
    polkit.hang(CANCEL)
    command = bus.sending(f"{MANAGER}.CancelStart")
    alice = ("setpriv", f"--reuid={ALICE}", f"--regid={ALICE}", "--clear-groups")
    caller = bus.spawn(*alice, *command)
    until(polkit.hanging, "polkit's question")
    bus.call(MANAGER, "CancelStart")
    bus.call(MANAGER, "StartGuest", "su", "other", LONG)
    polkit.release()
    until(lambda: caller.poll() is not None, "the answer")
    assert (caller.returncode, pending(bus)[0]) == (1, "other")


def test_what_is_cancelled_is_not_started_at_its_time(
    bus: PrivateBus, daemon: Daemon, ended: list[Any]
) -> None:
    bus.call(MANAGER, "StartGuest", "su", "win10", 1)
    bus.call(MANAGER, "CancelStart")
    bus.call(MANAGER, "StartGuest", "su", "other", 2)
    until(lambda: len(ended) == 2, "the other start")
    assert [values[:2] for values in ended] == [("win10", False), ("other", True)]
    assert daemon.tell("commands") == "start other"


def test_a_countdown_is_cancelled_though_the_state_cannot_be_told(
    bus: PrivateBus, daemon: Daemon, ended: list[Any], run_directory: Path
) -> None:
    bus.call(MANAGER, "StartGuest", "su", "win10", LONG)
    (run_directory / "journal.json").write_text("{")
    bus.call(MANAGER, "CancelStart")
    until(lambda: ended, "the end")
    assert ended == [("win10", False, "win10 was not started: user 0 cancelled it")]


def test_there_is_nothing_to_cancel(bus: PrivateBus, daemon: Daemon) -> None:
    assert "nothing starts" in str(failed(lambda: bus.call(MANAGER, "CancelStart")))


def test_two_starts_at_once_are_one(bus: PrivateBus, daemon: Daemon, ended: list[Any]) -> None:
    daemon.tell("hold")
    both = [bus.begin(MANAGER, "StartGuest", "su", guest, 0) for guest in ("win10", "other")]
    until(lambda: all(call.answered for call in both), "both answers")
    errors = [call.error for call in both if call.error is not None]
    assert [error.name for error in errors] == ["org.vfiod1.Error.Busy"]
    third = failed(lambda: bus.call(MANAGER, "StartGuest", "su", "other", 0))
    assert third.name == "org.vfiod1.Error.Busy"
    daemon.tell("go")
    until(lambda: ended, "the start")
    assert len(daemon.tell("commands").split(";")) == 1


def test_a_daemon_that_is_stopped_starts_nothing(
    bus: PrivateBus, daemon: Daemon, ended: list[Any]
) -> None:
    bus.call(MANAGER, "StartGuest", "su", "win10", LONG)
    daemon.terminate()
    until(lambda: ended, "the end")
    assert ended[0][:2] == ("win10", False)
    assert "is being stopped" in ended[0][2]


def test_a_daemon_that_loses_the_bus_in_a_countdown_ends(
    own_bus: PrivateBus, config: Path, run_directory: Path
) -> None:
    """So that its successor, which systemd starts, is there for the guests."""
    daemon = Daemon(own_bus, config, run_directory / "journal.json")
    own_bus.call(MANAGER, "StartGuest", "su", "win10", LONG)
    own_bus.lose()
    until(lambda: daemon.has_ended, "the daemon's end")


def test_who_came_meanwhile_is_not_thrown_out(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, ended: list[Any]
) -> None:
    polkit.allow(START)
    assert start(bus, 1) == ""
    daemon.tell("login")
    until(lambda: ended, "the end")
    assert ended[0][:2] == ("win10", False)
    assert "the work of bob would end, who was not here before" in ended[0][2]
    assert daemon.tell("commands") == "none"


# What is refused


@pytest.mark.parametrize("guest", ["", "win11", "../win10", "win10/../../etc", "/etc/passwd", "*"])
@pytest.mark.parametrize("method", ["StartGuest", "ShutdownGuest", "Keep"])
def test_only_configured_guests_are_known(
    bus: PrivateBus, daemon: Daemon, method: str, guest: str
) -> None:
    signature, value = ("sb", True) if method == "ShutdownGuest" else ("su", 0)
    error = failed(lambda: bus.call(MANAGER, method, signature, guest, value))
    assert error.name == "org.vfiod1.Error.UnknownGuest"
    assert "let vfiod propose its devices: sudo vfiod init " in str(error)
    assert f"names no guest {guest!r}" in str(error)
    assert daemon.tell("commands") == "none"


def test_a_long_countdown_is_refused(bus: PrivateBus, daemon: Daemon) -> None:
    error = failed(lambda: bus.call(MANAGER, "StartGuest", "su", "win10", 3601))
    assert error.name == "org.vfiod1.Error.Refused"


def test_a_start_that_would_be_refused_is_refused_before_the_countdown(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit
) -> None:
    daemon.tell("forget memory")
    assert "the guest needs 4.0 GiB of memory" in start(bus, LONG)
    assert pending(bus)[0] == ""


def test_while_another_has_the_devices_nothing_starts(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    error = failed(lambda: bus.call(MANAGER, "StartGuest", "su", "other", 0))
    assert error.name == "org.vfiod1.Error.Busy"
    assert "shut win10 down before starting other" in str(error)


def test_what_libvirt_says_is_told(bus: PrivateBus, daemon: Daemon, ended: list[Any]) -> None:
    daemon.tell("fail libvirt says: no network")
    bus.call(MANAGER, "StartGuest", "su", "win10", 0)
    until(lambda: ended, "the end")
    assert ended == [("win10", False, "win10 was not started: libvirt says: no network")]
    assert bus.status()["last"] == {"result": "not_started", "message": ended[0][2]}


def test_a_guest_that_does_not_run_is_not_shut_down(bus: PrivateBus, daemon: Daemon) -> None:
    error = failed(lambda: bus.call(MANAGER, "ShutdownGuest", *ASK))
    assert "win10 is not running" in str(error)


def test_only_a_trial_is_kept(bus: PrivateBus, daemon: Daemon) -> None:
    keep = ("Keep", "su", "win10", 60)
    assert "is not on trial" in str(failed(lambda: bus.call(MANAGER, *keep)))
    prepare(bus)
    assert "win10 is not on trial" in str(failed(lambda: bus.call(MANAGER, *keep)))
    daemon.tell("trial 5")
    bus.call(MANAGER, *keep)
    assert daemon.tell("commands") == "keep 60"


def test_a_trial_is_made_longer_by_its_command(bus: PrivateBus, daemon: Daemon) -> None:
    done = bus.vfiod("keep", "--for", "90", user=0)
    assert done.returncode != 0
    prepare(bus)
    daemon.tell("trial 5")
    done = bus.vfiod("keep", "--for", "90", user=0)
    assert (done.returncode, "win10 is on trial for 90 s more" in done.stdout) == (0, True)
    assert daemon.tell("commands") == "keep 90"


@pytest.fixture
def on_trial(bus: PrivateBus, daemon: Daemon) -> Iterator[None]:
    """win10 runs, and its trial would be over long ago."""
    prepare(bus)
    daemon.tell("guest")
    bus.call(HOOK, "Started", "ss", "win10", XML)
    until_phase(bus, "guest")
    daemon.tell("running win10")
    daemon.tell("trial 5")
    yield
    daemon.tell("end")


@pytest.mark.usefixtures("on_trial")
def test_a_trial_that_is_prolonged_ends_so_much_later_from_now(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit
) -> None:
    polkit.allow(KEEP)
    values = ("string:win10", "uint32:600")
    before = time.time()
    done = bus.send(f"{MANAGER}.Keep", *values, user=ALICE)
    after = time.time()
    assert done.returncode == 0, done.stderr
    ends = listed(bus)["win10"]["trial_until"] / 1e6 - 600
    assert before <= ends <= after
    assert bus.status()["phase"] == "guest"


@pytest.mark.usefixtures("on_trial")
def test_a_trial_that_was_prolonged_may_still_be_kept_for_good(bus: PrivateBus) -> None:
    bus.call(MANAGER, "Keep", "su", "win10", 86400)
    error = failed(lambda: bus.call(MANAGER, "Keep", "su", "win10", 86401))
    assert "a trial has at most 86400 seconds" in str(error)
    assert listed(bus)["win10"]["trial_until"] > time.time() * 1e6
    bus.call(MANAGER, "Keep", "su", "win10", 0)
    assert listed(bus)["win10"]["trial_until"] == 0


# A guest that libvirt does not end


@pytest.fixture
def unended(bus: PrivateBus, daemon: Daemon) -> None:
    """win10 has the devices, and libvirt ends nothing."""
    prepare(bus)
    daemon.tell("guest")
    daemon.tell("known")
    bus.call(HOOK, "Started", "ss", "win10", XML)
    until_phase(bus, "guest")
    daemon.tell("fail libvirt says: no answer")


@pytest.mark.usefixtures("unended")
@pytest.mark.parametrize("call", ["ForceOff string:win10", "ShutdownGuest string:win10 boolean:1"])
def test_a_guest_that_libvirt_does_not_end_is_ended_without_it(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, call: str
) -> None:
    method, *values = call.replace("boolean:1", "boolean:true").split()
    polkit.allow(*set(ALL) - {SHUTDOWN})
    assert "NotAuthorized" in bus.send(f"{MANAGER}.{method}", *values).stderr
    assert bus.status()["phase"] == "guest"
    polkit.allow(SHUTDOWN)
    done = bus.send(f"{MANAGER}.{method}", *values)
    assert done.returncode == 0, done.stderr
    until_phase(bus, "host")


@pytest.mark.usefixtures("unended")
def test_so_it_is_if_the_configuration_is_broken_by_then(bus: PrivateBus, config: Path) -> None:
    config.write_text("}")
    bus.call(MANAGER, "ForceOff", "s", "win10")
    until_phase(bus, "host")


@pytest.mark.usefixtures("unended")
@pytest.mark.parametrize("guest", ["", "other", "../win10", "*"])
def test_who_has_no_devices_is_not_ended(bus: PrivateBus, guest: str) -> None:
    error = failed(lambda: bus.call(MANAGER, "ForceOff", "s", guest))
    assert error.name == "org.vfiod1.Error.Refused"
    assert f"{guest!r} has not the devices" in str(error)
    assert bus.status()["phase"] == "guest"
    bus.call(MANAGER, "ForceOff", "s", "win10")
    until_phase(bus, "host")


def test_of_a_guest_without_devices_libvirt_s_word_is_told(bus: PrivateBus, daemon: Daemon) -> None:
    daemon.tell("fail libvirt says: no answer")
    error = failed(lambda: bus.call(MANAGER, "ShutdownGuest", *FORCE))
    assert "libvirt says: no answer" in str(error)


# The list


def listed(bus: PrivateBus) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(bus.call(MANAGER, "ListGuests")[0])}


def test_anybody_may_see_the_guests(bus: PrivateBus, daemon: Daemon, config: Path) -> None:
    done = bus.send(f"{MANAGER}.ListGuests")
    assert done.returncode == 0, done.stderr
    rows = listed(bus)
    assert list(rows) == ["win10", "other", "-n 'Gäst' 客人"]
    assert rows["win10"]["state"] == "shut off"
    assert rows["win10"]["readiness"] == "ok"
    assert [person.partition(":")[0] for person in rows["win10"]["people"]] == ["alice"]


@pytest.mark.usefixtures("on_trial")
def test_a_trial_has_its_end_in_the_list(bus: PrivateBus, daemon: Daemon) -> None:
    daemon.tell("trial 123456")
    rows = listed(bus)
    assert rows["win10"]["trial_until"] == 123456
    assert rows["other"]["trial_until"] == 0
    assert rows["win10"]["readiness"] != "ok"


def test_libvirt_is_not_asked_while_it_waits(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    assert {row["readiness"] for row in listed(bus).values()} == {"win10 is being started"}


# The command line


def test_the_command_line_starts_a_guest(bus: PrivateBus, daemon: Daemon, polkit: Polkit) -> None:
    polkit.allow(START)
    done = bus.vfiod("start", "win10", "--in", "1", user=ALICE)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("The work of alice: ")
    assert "win10 starts in 1 s; Ctrl+C cancels." in lines
    assert lines[-1] == "win10 runs"
    assert daemon.tell("commands") == "start win10"


def test_the_command_line_need_not_wait(bus: PrivateBus, daemon: Daemon, polkit: Polkit) -> None:
    polkit.allow(START)
    done = bus.vfiod("start", "win10", "--in", f"{LONG}", "--no-wait", user=ALICE)
    assert done.returncode == 0, done.stderr
    assert pending(bus)[0] == "win10"
    done = bus.vfiod("start", "win10", "--cancel", user=ALICE)
    assert done.stdout == "Cancelled: win10 was not started.\n"
    assert pending(bus)[0] == ""


def test_the_command_line_cancels_no_other_guest_s_countdown(
    bus: PrivateBus, daemon: Daemon
) -> None:
    name = "-n 'Gäst' 客人"
    bus.call(MANAGER, "StartGuest", "su", name, LONG)
    done = bus.vfiod("start", "win10", "--cancel", user=0)
    assert (done.returncode, done.stdout, pending(bus)[0]) == (5, "", name)
    assert f"{name} is about to start, and win10 is not" in done.stderr
    command = done.stderr.partition("to cancel that: ")[2].strip()
    assert shlex.split(command) == ["vfiod", "start", name, "--cancel"]
    assert command in bus.vfiod("status", user=0).stdout
    assert bus.vfiod(*shlex.split(command)[1:], user=0).returncode == 0
    assert pending(bus)[0] == ""


def test_a_start_without_a_countdown_cannot_be_cancelled_and_is_seen_to_be_under_way(
    bus: PrivateBus, daemon: Daemon, ended: list[Any]
) -> None:
    daemon.tell("hold")
    done = bus.vfiod("start", "win10", "--in", "0", "--no-wait", user=0)
    assert done.stdout.splitlines()[-1] == "win10 starts now."
    until(lambda: bus.status()["starting"] == "win10", "the start")
    assert "\nwin10 is being started.\n" in bus.vfiod("status").stdout
    daemon.tell("go")
    until(lambda: ended, "the end")
    assert bus.status()["starting"] is None


def test_ctrl_c_cancels_the_countdown(bus: PrivateBus, daemon: Daemon, ended: list[Any]) -> None:
    # A shell has what it runs in the background ignore SIGINT, and so would the child.
    heard = ("env", "--default-signal=INT")
    child = bus.spawn(*heard, sys.executable, "-m", "vfiod", "start", "win10", "--in", f"{LONG}")
    assert child.stdout is not None
    assert any("Ctrl+C cancels" in line for line in iter(child.stdout.readline, ""))
    assert pending(bus)[0] == "win10"
    child.send_signal(signal.SIGINT)
    until(lambda: ended, "the end")
    assert "Cancelled: win10 was not started." in child.stdout.read()
    assert child.wait(10) == 130
    bus.end(child)
    assert ended[0][:2] == ("win10", False)
    assert daemon.tell("commands") == "none"


@pytest.mark.parametrize(
    ("before", "guest", "status", "words"),
    [
        ("forget memory", "win10", 4, "the guest needs 4.0 GiB of memory"),
        ("running win10", "win10", 4, "it is running"),
        ("driver", "../win10", 3, "the configuration names no guest '../win10'"),
        ("fail libvirt says: no network", "win10", 6, "was not started: libvirt says: no network"),
        ("driver", "win10", 8, "you may not start a guest"),
    ],
)
def test_the_command_line_s_exit_status_says_why_not(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, before: str, guest: str, status: int,
    words: str,
) -> None:  # fmt: skip
    daemon.tell(before)
    polkit.allow(*((START,) if status != 8 else ()))
    done = bus.vfiod("start", guest, "--in", "0", user=ALICE)
    assert (done.returncode, words in done.stderr) == (status, True), done.stderr


def test_without_a_desktop_nobody_is_asked(bus: PrivateBus, daemon: Daemon) -> None:
    done = bus.vfiod("start", "--ask", "win10", user=ALICE)
    assert done.returncode == 6
    assert "in a terminal: vfiod start GUEST" in done.stderr
    assert pending(bus)[0] == ""


def test_the_command_line_shows_the_guests(bus: PrivateBus, daemon: Daemon) -> None:
    done = bus.vfiod("guests")
    assert done.returncode == 0, done.stderr
    assert "win10: shut off\n  could start now\n  would end the work of alice: " in done.stdout
    assert json.loads(bus.vfiod("guests", "--json").stdout)[0]["name"] == "win10"


def test_the_command_line_ends_a_guest(bus: PrivateBus, daemon: Daemon) -> None:
    daemon.tell("running win10")
    assert bus.vfiod("shutdown", "win10", user=0).returncode == 0
    assert bus.vfiod("shutdown", "win10", "--force", user=0).returncode == 0
    assert daemon.tell("commands") == "shutdown win10; destroy win10"
    assert bus.vfiod("shutdown", "win10", user=ALICE).returncode == 8
