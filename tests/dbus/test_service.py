"""The real service on a private bus: who may call what, what is answered, and when."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dbus.bus import (
    DBUS,
    HOOK,
    MANAGER,
    NAME,
    PATH,
    PROPERTIES,
    CallFailed,
    Daemon,
    Polkit,
    PrivateBus,
    until,
)
from tests.fakes import pcs

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed, so root is")

DENIED = "org.freedesktop.DBus.Error.AccessDenied"
INVALID = "org.freedesktop.DBus.Error.InvalidArgs"
AT_ONCE = 5.0  # what waits for an operation that is held never comes
XML = pcs.xml()
OTHER = pcs.xml(pcs.DEVICES[:2], name="other")
RETURN = "org.vfiod1.return"
GENTLY = ("b", False)


def failed(do: Callable[[], object]) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        do()
    return caught.value


def prepare(bus: PrivateBus, guest: str = "win10", xml: str = XML) -> None:
    bus.call(HOOK, "Prepare", "ss", guest, xml)


def until_phase(bus: PrivateBus, phase: str) -> None:
    until(lambda: bus.status()["phase"] == phase, f"the phase {phase}")


# What everybody may do


def test_anybody_may_ask_for_the_status(bus: PrivateBus, daemon: Daemon) -> None:
    done = bus.send(f"{MANAGER}.Status")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["phase"] == "host"
    assert facts["last"] is None
    assert facts["devices"][0]["driver"] == "amdgpu"


def test_anybody_may_look_at_properties_and_methods(bus: PrivateBus, daemon: Daemon) -> None:
    phase = bus.send(f"{PROPERTIES}.Get", f"string:{MANAGER}", "string:Phase")
    assert phase.stdout.split() == ["variant", "host"]
    both = bus.send(f"{PROPERTIES}.GetAll", f"string:{MANAGER}")
    assert "Guest" in both.stdout
    assert "Progress" in bus.send("org.freedesktop.DBus.Introspectable.Introspect").stdout
    assert bus.send("org.freedesktop.DBus.Peer.Ping").returncode == 0


# What nobody but root may do


@pytest.mark.parametrize(
    ("method", "arguments"),
    [("Prepare", 2), ("Started", 2), ("Release", 3), ("Reconnect", 2)],
)
def test_only_root_may_speak_as_the_hook(
    bus: PrivateBus, daemon: Daemon, method: str, arguments: int
) -> None:
    done = bus.send(f"{HOOK}.{method}", *["string:win10"] * arguments)
    assert done.returncode != 0
    assert DENIED in done.stderr
    assert bus.status()["phase"] == "host"


@pytest.mark.parametrize(
    ("method", "arguments"),
    [("Prepare", 2), ("Started", 2), ("Release", 3), ("Reconnect", 2)],
)
def test_the_daemon_says_so_too_where_the_policy_is_not_installed(
    open_bus: PrivateBus, config: Path, run_directory: Path, method: str, arguments: int
) -> None:
    daemon = Daemon(open_bus, config, run_directory / "journal.json")
    try:
        done = open_bus.send(f"{HOOK}.{method}", *["string:win10"] * arguments)
        assert "org.vfiod1.Error.NotAuthorized: only root may call this" in done.stderr
        assert open_bus.status()["phase"] == "host"
    finally:
        daemon.stop()


def test_nobody_may_set_a_property(bus: PrivateBus, daemon: Daemon) -> None:
    arguments = (f"string:{MANAGER}", "string:Phase", "variant:string:guest")
    assert DENIED in bus.send(f"{PROPERTIES}.Set", *arguments).stderr
    assert INVALID in bus.send(f"{PROPERTIES}.Set", *arguments, user=0).stderr
    assert bus.status()["phase"] == "host"


def test_nobody_else_may_take_the_name(bus: PrivateBus) -> None:
    request = (f"{DBUS}.RequestName", f"string:{NAME}", "uint32:0")
    done = bus.send(*request, name=DBUS, path="/org/freedesktop/DBus")
    assert DENIED in done.stderr


def test_a_second_daemon_gives_up(
    bus: PrivateBus, daemon: Daemon, config: Path, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="the daemon did not start"):
        Daemon(bus, config, tmp_path / "journal.json")
    assert bus.status()["phase"] == "host"


# Return, which polkit decides about


def test_root_may_take_the_devices_back_without_polkit(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    bus.call(MANAGER, "Return", *GENTLY)
    assert bus.status()["phase"] == "host"
    assert daemon.tell("driver") == "amdgpu"


def test_polkit_s_no_is_a_no(bus: PrivateBus, daemon: Daemon, polkit: Polkit) -> None:
    prepare(bus)
    polkit.allow("org.freedesktop.login1.reboot")
    done = bus.send(f"{MANAGER}.Return", "boolean:false")
    assert "org.vfiod1.Error.NotAuthorized: you may not take the devices back" in done.stderr
    assert bus.status()["phase"] == "prepared"


def test_polkit_s_yes_is_a_yes(bus: PrivateBus, daemon: Daemon, polkit: Polkit) -> None:
    prepare(bus)
    polkit.allow(RETURN)
    done = bus.send(f"{MANAGER}.Return", "boolean:false")
    assert done.returncode == 0, done.stderr
    assert bus.status()["phase"] == "host"


def test_without_polkit_it_is_a_no(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    told = bus.send(f"{MANAGER}.Return", "boolean:false").stderr
    unknown = "NotAuthorized: whether you may take the devices back is not known: polkit.service"
    assert f"org.vfiod1.Error.{unknown}" in told
    assert "run it as root, or with sudo" in told
    assert bus.status()["phase"] == "prepared"


def test_while_polkit_asks_somebody_all_others_are_answered(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit
) -> None:
    polkit.hang(RETURN)
    asking = bus.spawn(
        "setpriv", "--reuid=65534", "--clear-groups", "dbus-send", f"--bus={bus.address}",
        "--print-reply", f"--dest={NAME}", PATH, f"{MANAGER}.Return", "boolean:false",
    )  # fmt: skip
    until(polkit.hanging, "polkit's question")
    began = time.monotonic()
    assert bus.status()["phase"] == "host"
    assert time.monotonic() - began < AT_ONCE
    polkit.release()
    assert asking.wait(10) == 1
    bus.end(asking)


@pytest.mark.parametrize(
    ("method", "action", "values"),
    [
        ("Return", RETURN, ["boolean:true"]),
        ("Rehearse", "org.vfiod1.rehearse", ["string:win10", f"string:{XML}", "boolean:false"]),
    ],
)
def test_each_method_has_its_own_action(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, method: str, action: str, values: list[str]
) -> None:
    polkit.allow(*({RETURN, "org.vfiod1.rehearse"} - {action}))
    refused = bus.send(f"{MANAGER}.{method}", *values)
    assert "org.vfiod1.Error.NotAuthorized" in refused.stderr
    polkit.allow(action)
    done = bus.send(f"{MANAGER}.{method}", *values)
    assert done.returncode == 0, done.stderr
    assert bus.status()["phase"] == "host"


# Long operations


def test_status_is_answered_while_a_handoff_takes_its_time(bus: PrivateBus, daemon: Daemon) -> None:
    daemon.tell("hold")
    handoff = bus.begin(HOOK, "Prepare", "ss", "win10", XML)
    until_phase(bus, "handoff")
    later = bus.begin(HOOK, "Prepare", "ss", "other", OTHER)
    back = bus.begin(MANAGER, "Return", *GENTLY)
    for _ in range(5):
        began = time.monotonic()
        bus.status()
        bus.call(PROPERTIES, "Get", "ss", MANAGER, "Guest")
        assert time.monotonic() - began < AT_ONCE
    assert bus.send(f"{MANAGER}.Status").returncode == 0
    assert not any(call.answered for call in (handoff, later, back))
    daemon.tell("go")
    assert "its devices were asked back meanwhile" in str(failed(handoff.result))
    later.result()
    assert "other is given the devices by now" in str(failed(back.result))
    assert bus.status()["phase"] == "prepared"


def test_release_is_answered_before_the_work_is_done(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    daemon.tell("hold")
    began = time.monotonic()
    bus.call(HOOK, "Release", "sss", "win10", XML, "failed")
    assert time.monotonic() - began < AT_ONCE
    assert bus.status()["phase"] == "return"
    daemon.tell("go")
    until_phase(bus, "host")


def test_a_start_waits_for_a_return_under_way(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    daemon.tell("hold")
    bus.call(HOOK, "Release", "sss", "win10", XML, "failed")
    again = bus.begin(HOOK, "Prepare", "ss", "win10", XML)
    bus.status()
    assert not again.answered
    daemon.tell("go")
    again.result()
    assert bus.status()["phase"] == "prepared"


def test_a_start_whose_caller_is_gone_is_not_carried_out(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    daemon.tell("hold")
    bus.call(HOOK, "Release", "sss", "win10", XML, "failed")
    told = bus.listen(MANAGER, "Progress")
    bus.call_and_vanish(HOOK, "Prepare", "ss", "win10", XML)
    bus.status()
    daemon.tell("go")
    bus.call(MANAGER, "Return", *GENTLY)  # queued behind whatever is queued
    assert bus.status()["phase"] == "host"
    assert told
    assert "handoff" not in {direction for _, direction, _, _ in told}


def test_a_service_that_is_stopped_gives_its_starts_up_and_says_so(
    bus: PrivateBus, daemon: Daemon
) -> None:
    """The one that is under way, one that is queued, and one that comes later."""
    daemon.tell("hold")
    calls = [bus.begin(HOOK, "Prepare", "ss", "win10", XML)]
    until_phase(bus, "handoff")
    calls.append(bus.begin(HOOK, "Prepare", "ss", "other", XML))
    bus.status()
    daemon.terminate()
    until(lambda: calls[1].answered, "the answer to the one that is queued")
    calls.append(bus.begin(HOOK, "Prepare", "ss", "other", XML))
    until(lambda: calls[2].answered, "the answer to the one that comes later")
    daemon.tell("go")
    for call, guest in zip(calls, ("win10", "other", "other"), strict=True):
        error = failed(call.result)
        assert error.name == "org.vfiod1.Error.Busy"
        assert f"{guest} was not started: the vfiod service is being stopped" in str(error)
        assert f"have {guest} started again once the service runs" in str(error)


def test_a_guest_that_ends_without_a_word_gives_its_devices_back(
    bus: PrivateBus, daemon: Daemon
) -> None:
    prepare(bus)
    daemon.tell("guest")
    bus.call(HOOK, "Started", "ss", "win10", XML)
    until_phase(bus, "guest")
    daemon.tell("end")
    until_phase(bus, "host")
    assert daemon.tell("driver") == "amdgpu"


def test_a_libvirtd_that_reconnects_finds_its_guest_followed(
    bus: PrivateBus, daemon: Daemon
) -> None:
    prepare(bus)
    daemon.tell("guest")
    bus.call(HOOK, "Reconnect", "ss", "win10", XML)
    until_phase(bus, "guest")
    assert "win10 is running" in str(failed(lambda: bus.call(MANAGER, "Return", *GENTLY)))
    daemon.tell("end")
    until_phase(bus, "host")


# Signals


def test_it_is_told_that_the_guest_runs(bus: PrivateBus, daemon: Daemon) -> None:
    changed = bus.listen(PROPERTIES, "PropertiesChanged")
    prepare(bus)
    daemon.tell("guest")
    bus.call(HOOK, "Started", "ss", "win10", XML)
    until(lambda: changed and changed[-1][1]["Phase"] == "guest", "the signal")
    daemon.tell("end")
    until_phase(bus, "host")


def test_progress_is_told_step_by_step(bus: PrivateBus, daemon: Daemon) -> None:
    heard = bus.listen(MANAGER, "Progress")
    changed = bus.listen(PROPERTIES, "PropertiesChanged")
    prepare(bus)
    bus.call(HOOK, "Release", "sss", "win10", XML, "failed")
    until(lambda: changed and changed[-1][1]["Phase"] == "host", "the last signal")
    assert "the host has its display back" in heard[-1][3]
    assert {values[0] for values in heard} == {"win10"}
    assert ("win10", "handoff", "inhibit") in [values[:3] for values in heard]
    assert {values[1] for values in heard} == {"", "handoff", "return"}
    phases = [values[1]["Phase"] for values in changed]
    assert phases[0] == "handoff"
    assert "prepared" in phases
    assert phases[-1] == "host"
    assert changed[-1][1]["Guest"] == ""


def test_a_listener_needs_no_rights(bus: PrivateBus, daemon: Daemon) -> None:
    watch = f"type='signal',interface='{MANAGER}'"
    listener = bus.spawn(
        "setpriv", "--reuid=65534", "--clear-groups", "dbus-monitor", "--address", bus.address,
        watch,
    )  # fmt: skip
    assert listener.stdout is not None
    assert listener.stdout.readline()
    prepare(bus)
    assert any("member=Progress" in line for line in iter(listener.stdout.readline, ""))
    bus.end(listener)


# Errors


@pytest.mark.parametrize(
    ("spoil", "guest", "xml", "name", "words"),
    [
        ("forget memory", "win10", XML, "Refused", "the guest needs 4.0 GiB of memory"),
        ("driver", "win10", "<domain", "Domain", "the domain XML is not well formed"),
        ("driver", "win10", "<domain>" + "x" * 5 * 2**20, "Domain", "larger than 4 MiB"),
        ("forget vfio-pci", "win10", XML, "Host", "should have the driver vfio-pci and has none"),
    ],
)
def test_errors_have_names_and_words(
    bus: PrivateBus, daemon: Daemon, spoil: str, guest: str, xml: str, name: str, words: str
) -> None:
    daemon.tell(spoil)
    error = failed(lambda: prepare(bus, guest, xml))
    assert error.name == f"org.vfiod1.Error.{name}"
    assert words in str(error)
    assert bus.status()["phase"] == "host"
    assert daemon.tell("driver") == "amdgpu"


def test_a_broken_configuration_is_told_with_its_place(
    bus: PrivateBus, daemon: Daemon, config: Path
) -> None:
    config.write_text("guests: [\n")
    error = failed(lambda: prepare(bus))
    assert error.name == "org.vfiod1.Error.Config"
    assert "vfiod.yaml:2:1: " in str(error)
    assert "vfiod.yaml:2:1: " in bus.status()["faults"][0]
    config.write_text(pcs.configuration())
    prepare(bus)


def test_a_configuration_that_others_can_write_is_refused(
    bus: PrivateBus, daemon: Daemon, config: Path
) -> None:
    config.chmod(0o666)
    assert "others than root can write it" in str(failed(lambda: prepare(bus)))


def test_a_second_guest_is_busy(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    error = failed(lambda: prepare(bus, "other", OTHER))
    assert error.name == "org.vfiod1.Error.Busy"
    assert "end win10 first" in str(error)


def test_what_is_stuck_is_told_everywhere(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    daemon.tell("forget amdgpu")
    assert failed(lambda: bus.call(MANAGER, "Return", *GENTLY)).name == "org.vfiod1.Error.Stuck"
    assert bus.status()["phase"] == "stuck"
    assert bus.status()["last"]["result"] == "stuck"
    error = failed(lambda: prepare(bus))
    assert error.name == "org.vfiod1.Error.Stuck"
    assert "0000:01:00.0" in str(error)


def test_a_log_that_is_away_changes_nothing(bus: PrivateBus, daemon: Daemon) -> None:
    daemon.tell("mute")
    prepare(bus)
    bus.call(MANAGER, "Return", *GENTLY)
    assert bus.status()["phase"] == "host"


@pytest.mark.parametrize("guest", ["-n 'Gäst' 客人", "not configured", "", "a" * 300, "\n%s\x01"])
def test_any_name_is_taken_as_it_is(bus: PrivateBus, daemon: Daemon, guest: str) -> None:
    devices = pcs.DEVICES[:2]
    prepare(bus, guest, pcs.xml(devices))
    expected = guest if "客" in guest else None
    assert bus.status()["guest"] == expected
    bus.call(HOOK, "Release", "sss", guest, XML, "")
    until_phase(bus, "host")


# Malformed calls


@pytest.mark.parametrize(
    ("interface", "method", "signature", "values"),
    [
        (HOOK, "Prepare", "s", ("win10",)),
        (HOOK, "Prepare", "su", ("win10", 5)),
        (HOOK, "Prepare", "sss", ("win10", XML, "more")),
        (HOOK, "Release", "ss", ("win10", XML)),
        (HOOK, "Started", "", ()),
        (MANAGER, "Status", "s", ("x",)),
        (MANAGER, "Return", "", ()),
        (MANAGER, "Rehearse", "ss", ("win10", XML)),
        (PROPERTIES, "Get", "ss", (MANAGER, "NoSuchProperty")),
        (PROPERTIES, "Set", "ssv", None),
    ],
)
def test_arguments_of_another_shape_are_invalid(
    bus: PrivateBus, daemon: Daemon, interface: str, method: str, signature: str,
    values: tuple[object, ...] | None,
) -> None:  # fmt: skip
    from gi.repository import GLib

    if values is None:
        values = (MANAGER, "Phase", GLib.Variant("s", "guest"))
    error = failed(lambda: bus.call(interface, method, signature, *values))
    assert error.name == INVALID
    assert bus.status()["phase"] == "host"


@pytest.mark.parametrize(
    ("interface", "method"),
    [(MANAGER, "Prepare"), (HOOK, "Destroy"), ("org.example", "Status")],
)
def test_methods_that_do_not_exist(
    bus: PrivateBus, daemon: Daemon, interface: str, method: str
) -> None:
    assert failed(lambda: bus.call(interface, method)).name.endswith("UnknownMethod")


# The command line


def test_the_command_line_shows_the_status(bus: PrivateBus, daemon: Daemon) -> None:
    done = bus.vfiod("status", user=0)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [
        "The host has its display.",
        "  0000:01:00.0  amdgpu         host",
        "  0000:01:00.1  snd_hda_intel  host",
    ]
    assert json.loads(bus.vfiod("status", "--json", user=0).stdout)["phase"] == "host"


def test_the_command_line_takes_the_devices_back(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    done = bus.vfiod("return", user=0)
    assert done.returncode == 0, done.stderr
    *_, home, looking = done.stdout.splitlines()
    assert home == "The host has its display back."
    assert looking.startswith("  lightdm.service was started; whether a login screen comes of it")
    assert bus.status()["phase"] == "host"


def test_the_command_line_s_exit_status_says_what_is_wrong(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    daemon.tell("guest")
    busy = bus.vfiod("return", user=0)
    assert busy.returncode == 5
    assert "win10 is running" in busy.stderr
    daemon.tell("end")
    daemon.tell("forget amdgpu")
    assert bus.vfiod("return", user=0).returncode == 7
    assert bus.vfiod("status", user=0).returncode == 7


def test_what_the_daemon_has_told_is_not_said_twice(bus: PrivateBus, daemon: Daemon) -> None:
    prepare(bus)
    daemon.tell("forget amdgpu")
    done = bus.vfiod("return", user=0)
    assert done.returncode == 7
    assert done.stdout.count("the screen of 0000:01:00.0 is dark") == 1
    assert done.stdout.endswith("    3. if nothing of that helps, reboot: sudo systemctl reboot\n")
    assert done.stderr == "vfiod: this did not work; the reason stands above\n"


def test_nobody_is_asked_while_a_guest_has_the_devices(bus: PrivateBus, daemon: Daemon) -> None:
    ask = [sys.executable, "-c", "from vfiod.cli.ready import require_idle; require_idle()"]
    assert bus.run(*ask, user=0).returncode == 0
    prepare(bus)
    assert "Busy: win10 has the devices" in bus.run(*ask, user=0).stderr


def test_without_a_daemon_the_command_line_says_so(bus: PrivateBus) -> None:
    done = bus.vfiod("status", user=0)
    assert done.returncode == 9
    assert "systemctl status vfiod" in done.stderr
