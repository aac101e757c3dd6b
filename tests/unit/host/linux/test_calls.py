"""Calls that may fail or never return, systemd's jobs and logind's sessions."""

import os
import pwd
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from gi.repository import GLib

from tests.fakes.bus import BusSession, BusUnit, FakeBus
from tests.fakes.tree import grow
from vfiod.bus.errors import BusError
from vfiod.errors import HostError, KernelStuck, TimedOut
from vfiod.host.linux import hook_file
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.host.linux.late import LinuxLate, is_readable
from vfiod.host.linux.logins import LinuxLogins, _after
from vfiod.host.linux.process import Programs, run
from vfiod.host.linux.units import LinuxUnits
from vfiod.host.systemd import Inhibitor
from vfiod.model import LateCall, Session, Unit
from vfiod.paths import SLEEP

SOON = 0.2
STARTED = 1.0  # a Python has to start first, on a machine that has other things to do

# Kernel calls


def ready(late: LinuxLate | None = None) -> KernelCalls:
    """The process for them answers: what is late then is the call."""
    calls = KernelCalls(late)
    calls.read(Path("/proc/uptime"), subject="the process", seconds=60)
    return calls


def test_a_write_is_one_write_of_all(tmp_path: Path) -> None:
    path = tmp_path / "unbind"
    path.touch()
    KernelCalls().write(path, "0000:01:00.0\n", subject="0000:01:00.0", seconds=5)
    assert path.read_text() == "0000:01:00.0\n"


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/dev/full", "No space left on device"), ("/", "Is a directory"),
     ("/nowhere/unbind", "No such file or directory")],
)  # fmt: skip
def test_the_kernel_s_reason_is_told(path: str, reason: str) -> None:
    with pytest.raises(HostError) as caught:
        KernelCalls().write(Path(path), "x", subject="0000:01:00.0", seconds=5)
    assert not isinstance(caught.value, KernelStuck)
    assert caught.value.message.endswith(f"of 0000:01:00.0: {reason}")


def test_a_write_that_does_not_return_is_abandoned_at_its_deadline(tmp_path: Path) -> None:
    """A FIFO without a reader holds the writer in open(2)."""
    os.mkfifo(tmp_path / "unbind")
    with pytest.raises(KernelStuck) as caught:
        ready().write(tmp_path / "unbind", "x", subject="0000:01:00.0", seconds=SOON)
    assert "the kernel did not finish unbind of 0000:01:00.0 within 0.2 s" in caught.value.message
    assert "reboot" in caught.value.hint


def test_nothing_is_written_after_a_write_that_fails(tmp_path: Path) -> None:
    override, probe = tmp_path / "driver_override", tmp_path / "drivers_probe"
    override.touch()
    probe.touch()
    writes = [(override, "vfio-pci\n"), (tmp_path / "absent/unbind", "x"), (probe, "x")]
    with pytest.raises(HostError, match=r"refused unbind of 0000:01:00\.0: No such file"):
        ready().write_all(writes, subject="0000:01:00.0", seconds=5)
    assert override.read_text() == "vfio-pci\n"
    assert probe.read_text() == ""


@pytest.mark.parametrize(("stack", "named"), [
    ("[<0>] fault_remove+0x56/0x70 [f]\n[<0>] unbind_store+0x36/0xa0\n", "unbind"),
    ("[<0>] wait+0x1/0x2\n[<0>] drivers_probe_store+0x36/0xa0\n", "drivers_probe"),
    ("", "unbind or drivers_probe"),
])  # fmt: skip
def test_of_two_writes_the_one_that_hangs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: str, named: str
) -> None:
    late = LinuxLate()
    calls = ready(late)
    frames = [line.split("] ")[1].split("+")[0] for line in stack.splitlines()]
    monkeypatch.setattr(late, "stack", lambda _pid: frames)
    os.mkfifo(tmp_path / "unbind")
    writes = [(tmp_path / "unbind", "x"), (tmp_path / "drivers_probe", "x")]
    with pytest.raises(KernelStuck, match=f"did not finish {named} of"):
        calls.write_all(writes, subject="0000:01:00.0", seconds=STARTED)


def test_the_kernel_functions_it_waits_in_are_told(tmp_path: Path) -> None:
    stack = "[<0>] fault_remove+0x56/0x70 [vfiod_fault]\n[<0>] pci_device_remove+0x36/0xa0\n"
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stack").write_text(stack)
    assert LinuxLate(tmp_path).where(7) == "in fault_remove, pci_device_remove"


def test_another_device_is_not_held_up(tmp_path: Path) -> None:
    calls = ready()
    os.mkfifo(tmp_path / "unbind")
    with pytest.raises(KernelStuck):
        calls.write(tmp_path / "unbind", "x", subject="0000:01:00.0", seconds=STARTED)
    (tmp_path / "probe").touch()
    calls.write(tmp_path / "probe", "x", subject="0000:02:00.0", seconds=5)


# Programs


def test_a_program_s_output() -> None:
    assert run(["/bin/echo", "a b"], seconds=5) == "a b\n"


def test_a_program_has_a_clean_environment_and_no_input() -> None:
    words = run(["/bin/sh", "-c", "cat; env"], seconds=5).split()
    names = {word.partition("=")[0] for word in words}
    assert names <= {"PATH", "LC_ALL", "PWD", "_", "SHLVL", "OLDPWD"}


def test_a_program_that_fails_says_its_last_words() -> None:
    command = ["/bin/sh", "-c", "echo first >&2; echo last >&2; exit 3"]
    with pytest.raises(HostError, match="failed: last"):
        run(command, seconds=5)


def test_a_program_that_fails_without_a_word() -> None:
    with pytest.raises(HostError, match="exit status 3"):
        run(["/bin/sh", "-c", "exit 3"], seconds=5)


def test_a_program_that_does_not_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(TimedOut, match=r"cat did not end within 0\.2 s"):
        run(["/bin/cat", str(tmp_path / "fifo")], seconds=SOON)
    (tmp_path / "fifo").write_text("")


def test_a_program_past_its_time_is_named_not_killed_and_not_run_beside(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    late = LinuxLate()
    programs = Programs(late)
    argv = ["/bin/sh", "-c", f"cat {tmp_path}/fifo; echo done >{tmp_path}/end"]
    with pytest.raises(KernelStuck) as caught:
        programs.run(argv, subject="module nvidia", seconds=SOON)
    (call,) = late.calls()
    assert caught.value.pids == {call.pid}
    assert f"sh for module nvidia did not end within 0.2 s (pid {call.pid}" in caught.value.message
    with pytest.raises(KernelStuck, match=f"still busy with module nvidia .pid {call.pid}"):
        programs.run(["/bin/true"], subject="module nvidia", seconds=5)
    assert programs.run(["/bin/echo"], subject="module amdgpu", seconds=5) == "\n"
    ended = os.pidfd_open(call.pid)
    (tmp_path / "fifo").write_text("")
    assert is_readable(ended, 5)
    assert (tmp_path / "end").read_text() == "done\n"
    assert late.calls() == []
    assert not Path(f"/proc/{call.pid}").exists()
    assert programs.run(["/bin/echo"], subject="module nvidia", seconds=5) == "\n"
    os.close(ended)


def test_a_write_past_its_time_is_not_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "probe")
    late = LinuxLate()
    calls = ready(late)
    with pytest.raises(KernelStuck):
        calls.write(tmp_path / "probe", "0000:01:00.0", subject="0000:01:00.0", seconds=1)
    (call,) = late.calls()
    assert (call.subject, call.what) == ("0000:01:00.0", "probe of 0000:01:00.0")
    ended = os.pidfd_open(call.pid)
    assert (tmp_path / "probe").read_text() == "0000:01:00.0"
    assert is_readable(ended, 5)
    assert late.calls() == []
    calls.require_free("0000:01:00.0")
    os.close(ended)


@pytest.mark.parametrize(
    ("group", "beside_v1", "found"),
    [
        ("/system.slice/vfiod.service", "", True),
        ("/system.slice/vfiod.service", "12:memory:/system.slice\n1:name=systemd:/x\n", True),
        ("/user.slice/session-2.scope", "", False),
    ],
)
def test_what_an_earlier_daemon_left_behind_is_in_its_control_group(
    *, tmp_path: Path, group: str, beside_v1: str, found: bool
) -> None:
    left = subprocess.Popen(["/bin/sleep", "600"])
    procs = f"{os.getpid()}\n{left.pid}\n"
    root = "sys/unified" if beside_v1 else "sys"
    files = {"proc/self/cgroup": f"{beside_v1}0::{group}\n",
             f"proc/{left.pid}/comm": "modprobe\n", f"{root}/cgroup.controllers": "",
             f"{root}{group}/cgroup.procs": procs}  # fmt: skip
    grow(tmp_path, files)
    late = LinuxLate(tmp_path / "proc", tmp_path / "sys")
    late.inherit()
    calls = [LateCall("", left.pid, "modprobe of an earlier vfiod")] if found else []
    assert late.calls() == calls
    left.kill()
    left.wait()
    assert late.calls() == []


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(HostError, match="cannot run /nowhere: No such file"):
        run(["/nowhere"], seconds=5)


# Units


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def units(bus: FakeBus) -> LinuxUnits:
    bus.units["display-manager.service"] = BusUnit("lightdm.service")
    return LinuxUnits(bus)


DM = "display-manager.service"


def test_a_unit_by_its_alias(units: LinuxUnits) -> None:
    assert units.unit(DM) == Unit("lightdm.service", active=True)


def test_a_unit_that_does_not_exist(units: LinuxUnits) -> None:
    assert units.unit("x.service") == Unit("x.service", active=False, loaded=False)


@pytest.mark.parametrize(
    ("state", "job", "active"),
    [("active", 0, True), ("activating", 0, True), ("reloading", 0, True), ("inactive", 0, False),
     ("failed", 0, False), ("deactivating", 0, False), ("inactive", 7, True),
     ("deactivating", 7, False)],
)  # fmt: skip
def test_a_start_that_is_queued_counts(
    *, bus: FakeBus, units: LinuxUnits, state: str, job: int, active: bool
) -> None:
    bus.units[DM].active, bus.units[DM].job = state, job
    assert units.unit(DM).active is active


def test_a_stop_is_waited_for_by_its_job(bus: FakeBus, units: LinuxUnits) -> None:
    units.stop(DM, seconds=1)
    assert bus.units[DM].active == "inactive"
    names = [call[0] for call in bus.calls]
    assert names.index("subscribe") < names.index("Subscribe") < names.index("StopUnit")
    assert ("StopUnit", DM, "replace") in bus.calls


def test_the_end_of_another_job_is_not_mistaken_for_ours(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units[DM].takes = 0.1
    units.stop(DM, seconds=5)
    units.start(DM, seconds=5)


def test_signals_are_subscribed_to_once(bus: FakeBus, units: LinuxUnits) -> None:
    units.stop(DM, seconds=1)
    units.start(DM, seconds=1)
    assert [call[0] for call in bus.calls].count("Subscribe") == 1


def test_a_start_forgets_earlier_failures_first(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units[DM].active = "failed"
    units.start(DM, seconds=1)
    names = [call[0] for call in bus.calls]
    assert names.index("ResetFailedUnit") < names.index("StartUnit")
    assert bus.units[DM].active == "active"


def test_a_job_that_does_not_end(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units[DM].result = None
    with pytest.raises(TimedOut) as caught:
        units.stop(DM, seconds=SOON)
    assert caught.value.message == f"{DM} did not finish StopUnit within 0.2 s"
    assert caught.value.hint == f"see: systemctl status {DM}"


def test_a_unit_that_does_not_end_is_killed_and_that_is_told(
    bus: FakeBus, units: LinuxUnits
) -> None:
    bus.units[DM].result, bus.units[DM].dies = None, True
    assert units.stop(DM, seconds=SOON) == [f"SIGKILL sent to {DM}, which did not end within 0.2 s"]
    assert ("KillUnit", DM, "all", 9) in bus.calls
    assert bus.units[DM].active == "inactive"


def test_a_start_that_waits_for_a_hanging_stop_ends_it(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units[DM].result, bus.units[DM].dies, bus.units[DM].active = None, True, "deactivating"
    assert len(units.start(DM, seconds=SOON)) == 1
    assert ("KillUnit", DM, "all", 9) in bus.calls


def test_a_start_that_hangs_by_itself_is_not_killed(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units[DM].result, bus.units[DM].active = None, "activating"
    with pytest.raises(TimedOut):
        units.start(DM, seconds=SOON)
    assert "KillUnit" not in [call[0] for call in bus.calls]


@pytest.mark.parametrize("result", ["failed", "timeout", "dependency", "canceled"])
def test_a_job_that_ends_badly(bus: FakeBus, units: LinuxUnits, result: str) -> None:
    bus.units[DM].result = result
    with pytest.raises(HostError, match=f"StartUnit {DM} ended as {result}"):
        units.start(DM, seconds=1)


def test_a_job_that_had_nothing_to_do(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units[DM].result = "skipped"
    units.start(DM, seconds=1)


def test_stopping_a_unit_that_is_gone_is_no_error(units: LinuxUnits) -> None:
    units.stop("gone.service", seconds=1)


def test_starting_a_unit_that_is_gone_is_one(units: LinuxUnits) -> None:
    with pytest.raises(HostError, match=r"systemd refused StartUnit gone\.service"):
        units.start("gone.service", seconds=1)


def test_a_host_that_shuts_down_refuses_starts(bus: FakeBus, units: LinuxUnits) -> None:
    assert not units.shutting_down()
    bus.state = "stopping"
    assert units.shutting_down()
    with pytest.raises(HostError, match="destructive"):
        units.start(DM, seconds=1)


def test_only_a_running_libvirt_is_reloaded(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units["libvirtd.service"] = BusUnit("libvirtd.service")
    bus.units["virtqemud.service"] = BusUnit("virtqemud.service", "inactive")
    assert hook_file.announce(units).endswith("; reloaded libvirtd.service")
    assert ("ReloadUnit", "virtqemud.service", "replace") not in bus.calls


@pytest.mark.parametrize(
    ("unit", "owner"),
    [("lactd.service", "lactd.service"), ("-.slice", ""), ("session-2.scope",) * 2],
)
def test_whose_a_process_is(bus: FakeBus, units: LinuxUnits, unit: str, owner: str) -> None:
    """A container's processes are in a slice, as far as systemd knows."""
    bus.units[unit] = BusUnit(unit, pids=(7,))
    assert units.owner(7) == owner


def test_whose_a_process_is_that_nobody_knows_or_that_is_gone(
    bus: FakeBus, units: LinuxUnits
) -> None:
    assert units.owner(8) == ""
    bus.gone.add(9)
    assert units.owner(9) is None


def test_a_systemd_that_is_away_has_said_nothing_of_a_process(
    bus: FakeBus, units: LinuxUnits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder without its unit would be killed as one that has none, whatever it belongs to; a
    getty that is not known would log in again in the middle of a handoff.
    """

    def fail(*_: object) -> None:
        raise BusError("no such name", "org.freedesktop.DBus.Error.ServiceUnknown")

    bus.units["getty@tty1.service"] = BusUnit("getty@tty1.service", main=812, pids=(812,))
    monkeypatch.setattr(bus, "get", fail)
    with pytest.raises(BusError, match="no such name"):
        units.owner(812)
    with pytest.raises(BusError, match="no such name"):
        units.begun_with({812})


def test_an_alias_is_resolved_to_the_primary_name(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units["dbus-broker.service"] = BusUnit("dbus-broker.service", aliases=("dbus.service",))
    names = units.primary_names(["dbus.service", "absent.service"])
    assert names == {"dbus-broker.service", "absent.service"}


def test_whose_main_process_is_whose(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units["getty@tty1.service"] = BusUnit("getty@tty1.service", main=812)
    bus.units["dead.service"] = BusUnit("dead.service", "inactive", main=900)
    assert units.begun_with({812, 900, 7}) == {812: "getty@tty1.service"}
    bus.calls.clear()
    assert units.begun_with(()) == {}
    assert bus.calls == []


def test_what_a_unit_needs(bus: FakeBus, units: LinuxUnits) -> None:
    bus.units["vfiod.service"] = BusUnit("vfiod.service", needs=["dbus.socket", "sysinit.target"])
    assert units.needs("vfiod.service") == {"dbus.socket", "sysinit.target"}


# Logins


@pytest.fixture
def later() -> list[tuple[int, Callable[[], None]]]:
    """What the main loop has been told to do, and after how many seconds."""
    return []


@pytest.fixture
def logins(
    bus: FakeBus, tmp_path: Path, later: list[tuple[int, Callable[[], None]]]
) -> LinuxLogins:
    bus.sessions["2"] = BusSession(
        "2",
        1000,
        "alice",
        properties={
            "Class": "user",
            "Type": "wayland",
            "Scope": "session-2.scope",
            "VTNr": 2,
            "Leader": 812,
            "Desktop": "gnome",
            "State": "active",
        },
    )
    bus.sessions["3"] = BusSession(
        "3",
        1001,
        "bob",
        "",
        {
            "Class": "user",
            "Type": "tty",
            "Scope": "session-3.scope",
            "VTNr": 0,
            "Leader": 900,
            "Desktop": "",
            "State": "closing",
        },
    )
    return LinuxLogins(bus, tmp_path, lambda seconds, then: later.append((seconds, then)))


def test_sessions_are_read(logins: LinuxLogins) -> None:
    assert logins.sessions() == [
        Session(
            "2", "alice", 1000, "seat0", "user", graphical=True, unit="session-2.scope",
            terminal=2, leader=812, desktop="gnome",
        ),
        Session("3", "bob", 1001, "", "user", unit="session-3.scope", leader=900, closing=True),
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "graphical"), [("x11", True), ("mir", True), ("web", False)])
def test_which_types_are_graphical(
    *, bus: FakeBus, logins: LinuxLogins, kind: str, graphical: bool
) -> None:
    bus.sessions["2"].properties["Type"] = kind
    assert logins.sessions()[0].graphical is graphical


def test_a_session_that_ends_meanwhile_is_left_out(bus: FakeBus, logins: LinuxLogins) -> None:
    bus.ending.add("2")
    assert [session.ident for session in logins.sessions()] == ["3"]


def test_a_session_is_ended_and_twice_is_no_error(bus: FakeBus, logins: LinuxLogins) -> None:
    logins.terminate("2")
    logins.terminate("2")
    assert list(bus.sessions) == ["3"]


def test_a_session_that_logind_will_not_end(bus: FakeBus, logins: LinuxLogins) -> None:
    bus.sessions["protected"] = BusSession("protected", 0, "root")
    with pytest.raises(HostError, match="logind will not end session protected: Access denied"):
        logins.terminate("protected")


def test_what_users_are_called(logins: LinuxLogins) -> None:
    assert [logins.user_name(uid) for uid in (1000, 1002)] == ["alice", "user 1002"]


def test_where_people_live(logins: LinuxLogins) -> None:
    assert (logins.home(0), logins.home(2**31 - 2)) == (pwd.getpwuid(0).pw_dir, "")


def test_who_lingers(bus: FakeBus, logins: LinuxLogins) -> None:
    bus.lingering.add(1001)
    assert [logins.lingers(uid) for uid in (1000, 1001, 1002)] == [False, True, False]


def test_who_cannot_be_asked_about_is_not_taken_for_one_who_does_not_linger(
    bus: FakeBus, logins: LinuxLogins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their manager would be stopped, with the builds and downloads in it."""

    def fail(_uid: int) -> None:
        raise BusError("no logind", "org.freedesktop.DBus.Error.ServiceUnknown")

    monkeypatch.setattr(bus, "_GetUser", fail)
    with pytest.raises(HostError, match="no logind"):
        logins.lingers(1001)


def test_root_cannot_send_the_host_to_sleep_either(bus: FakeBus, tmp_path: Path) -> None:
    """Before systemd 257 logind passes root over any inhibitor."""
    (tmp_path / SLEEP.parent.relative_to("/")).mkdir(parents=True)
    written = tmp_path / SLEEP.relative_to("/")
    logins = LinuxLogins(bus, tmp_path)
    logins.inhibit("win10 has the display")
    assert "AllowSuspend=no" in written.read_text()
    LinuxLogins(bus, tmp_path).uninhibit()  # a daemon that was started anew
    assert not written.exists()
    logins.uninhibit()


def test_locks_of_others_are_read(bus: FakeBus, logins: LinuxLogins) -> None:
    with open("/dev/null", "rb") as held:
        bus.inhibitors[held.fileno()] = ("shutdown:sleep", "APT\x1b[2J", "installs", "block")
        (lock,) = logins.inhibitors()
    assert lock == Inhibitor(
        frozenset({"shutdown", "sleep"}), "APT?[2J", "installs", "block", os.getuid(), os.getpid()
    )


KEYS = "sleep:handle-power-key:handle-suspend-key:handle-hibernate-key:handle-lid-switch"
IDLE = ("idle", "vfiod", "win10 has the display", "block")


def locks(bus: FakeBus) -> list[tuple[str, ...]]:
    """What was asked for."""
    return [call[1:] for call in bus.calls if call[0] == "Inhibit"]


def test_locks_that_are_closed_at_the_end(
    bus: FakeBus, logins: LinuxLogins, later: list[tuple[int, Callable[[], None]]]
) -> None:
    before = set(os.listdir("/proc/self/fd"))
    logins.uninhibit()
    logins.inhibit("win10 has the display")
    logins.inhibit("win10 has the display")
    assert locks(bus) == [IDLE, (f"{KEYS}:handle-reboot-key", *IDLE[1:])]
    logins.uninhibit()
    logins.uninhibit()
    assert len(set(os.listdir("/proc/self/fd")) - before) == 1
    ((seconds, close),) = later
    assert seconds == 60
    close()
    assert set(os.listdir("/proc/self/fd")) == before


def test_the_host_is_not_idle_before_the_login_screen_is_there(
    bus: FakeBus, logins: LinuxLogins, later: list[tuple[int, Callable[[], None]]]
) -> None:
    """logind counts from the boot then: IdleAction= would power it off in the moment of the return.

    And a guest that is started meanwhile has a lock of its own.
    """
    logins.inhibit("one")
    logins.uninhibit()
    logins.inhibit("two")
    ((_, close),) = later
    close()
    assert locks(bus)[-2] == ("idle", "vfiod", "two", "block")
    before = set(os.listdir("/proc/self/fd"))
    logins.uninhibit()
    later[1][1]()
    assert len(before - set(os.listdir("/proc/self/fd"))) == 2


def test_a_logind_that_does_not_know_all_of_the_keys_locks_the_others(
    bus: FakeBus, logins: LinuxLogins
) -> None:
    bus.unknown_locks = {"handle-reboot-key"}
    logins.inhibit("win10 has the display")
    assert locks(bus)[-1] == (KEYS, *IDLE[1:])
    logins.uninhibit()


def test_a_logind_that_gives_no_lock_is_told(bus: FakeBus, logins: LinuxLogins) -> None:
    bus.unknown_locks = {"sleep"}
    with pytest.raises(BusError, match="Invalid what specification"):
        logins.inhibit("win10 has the display")


def test_the_inhibitor_can_be_had_again(bus: FakeBus, logins: LinuxLogins) -> None:
    logins.inhibit("one")
    logins.uninhibit()
    logins.inhibit("two")
    logins.uninhibit()
    assert [call[2] for call in locks(bus)] == ["one", "one", "two", "two"]


def test_a_lock_is_ended_by_the_main_loop_once() -> None:
    ended: list[str] = []
    _after(0, lambda: ended.append("now"))
    while not ended:
        GLib.MainContext.default().iteration(True)  # noqa: FBT003
    assert not GLib.MainContext.default().pending()
    assert ended == ["now"]
