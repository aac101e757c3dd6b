"""Starts of guests: prepared, refused, failed, never followed by a guest."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from tests.fakes.scenes import TWO_GUESTS
from tests.fakes.userspace import FakeUnit, Program
from vfiod.errors import Busy, ConfigError, DomainError, HostError, Refused
from vfiod.events import Kind
from vfiod.model import VFIO_DRIVER, Phase

# Handoff


def test_a_prepared_guest_has_its_devices(rig: Rig) -> None:
    assert rig.prepare() is None
    assert rig.drivers == [VFIO_DRIVER] * 3
    assert rig.phase is Phase.PREPARED
    assert rig.host.user.inhibited == "win10 has the display"
    assert rig.host.files.staged == {pcs.VGA: pcs.rom()}
    assert not rig.host.units.unit("display-manager.service").active
    assert rig.host.kernel.mishaps == []
    assert rig.host.kernel.group_is_viable(10)


def test_what_is_told_of_a_handoff(rig: Rig) -> None:
    rig.prepare()
    kinds = [event.kind for event in rig.events]
    assert kinds[0] is Kind.HANDOFF_BEGUN
    assert kinds[-1] is Kind.HANDOFF_COMPLETE
    transactions = {event.fields["TRANSACTION"] for event in rig.events}
    assert len(transactions) == 1
    assert {event.fields["GUEST"] for event in rig.events} == {"win10"}
    assert rig.events[0].fields["BEGAN_USEC"] == rig.events[-1].fields["BEGAN_USEC"]


def test_a_started_guest_is_followed(rig: Rig) -> None:
    rig.start()
    assert rig.phase is Phase.GUEST


def test_started_though_nobody_is_seen_to_have_the_devices_is_believed(rig: Rig) -> None:
    rig.prepare()
    rig.outcome(rig.manager.started("win10"))
    assert rig.phase is Phase.GUEST


def test_started_for_another_guest_changes_nothing(rig: Rig) -> None:
    rig.prepare()
    rig.host.start_guest(pcs.DEVICES)
    rig.outcome(rig.manager.started("other"))
    assert rig.phase is Phase.PREPARED


def test_a_guest_that_is_not_configured_is_untouched(rig: Rig) -> None:
    assert rig.prepare("debian", pcs.xml((), name="debian")) is None
    rig.outcome(rig.manager.started("debian"))
    rig.manager.release("debian", "shutdown")
    rig.queue.run_all()
    assert rig.host.effects.log == []
    assert rig.events == []
    assert rig.differences() == {}


def test_an_empty_configuration_is_no_fault(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory, "")
    assert rig.prepare() is None
    assert rig.host.effects.log == []


def test_a_refusal_touches_nothing_and_gives_every_reason(rig: Rig) -> None:
    rig.host.files.roms.clear()
    rig.host.memory.free = 0
    error = rig.prepare()
    assert isinstance(error, Refused)
    assert len(error.reasons) == 2
    assert rig.host.effects.log == []
    assert rig.phase is Phase.HOST
    assert rig.messages(Kind.REFUSED) == [f"win10 was not started:\n{error}"]


def test_a_broken_configuration_refuses_with_its_place(rig: Rig) -> None:
    rig.text += "sesions: refuse\n"
    error = rig.prepare()
    assert isinstance(error, ConfigError)
    assert str(error).startswith("vfiod.yaml:8:1: ")
    assert rig.messages(Kind.CONFIG_WRONG)
    assert rig.host.effects.log == []


def test_domain_xml_that_is_none_refuses(rig: Rig) -> None:
    assert isinstance(rig.prepare(xml="<domain"), DomainError)
    assert rig.host.effects.log == []


def test_the_configuration_is_read_afresh(rig: Rig) -> None:
    rig.text = pcs.configuration((pcs.VGA, pcs.AUDIO))
    assert rig.prepare(xml=pcs.xml((pcs.VGA, pcs.AUDIO))) is None
    assert rig.host.pci.function(pcs.USB).driver == "xhci_hcd"


def test_a_handoff_that_fails_says_so_and_that_nothing_was_lost(rig: Rig) -> None:
    rig.host.kernel.drivers[VFIO_DRIVER].refuses = True
    error = rig.prepare()
    assert isinstance(error, HostError)
    assert str(error) == (
        f"win10 was not started: {pcs.USB} should have the driver vfio-pci and has none\n    "
        "the kernel's reason is in: sudo journalctl -k -b"
    )
    assert rig.differences() == {}
    assert "win10 was not started; the host has its display back" in " ".join(
        rig.messages(Kind.RETURN_COMPLETE)
    )


def test_an_internal_error_is_undone_and_told(rig: Rig) -> None:
    def broken(name: str) -> None:
        if name == f"unbind {pcs.AUDIO}":
            raise ZeroDivisionError

    rig.host.effects.barrier = broken
    error = rig.prepare()
    assert isinstance(error, HostError)
    assert "ZeroDivisionError" in str(error)
    assert rig.differences() == {}


def test_a_full_run_directory_refuses_the_start(rig: Rig) -> None:
    rig.host.effects.plan({1: Fault.FAIL_BEFORE})
    assert isinstance(rig.prepare(), HostError)
    assert rig.host.effects.log == ["journal begin"]
    assert rig.differences() == {}


# Holders


def test_a_respawned_holder_is_stopped_with_its_manager(rig: Rig) -> None:
    rig.prepare()
    assert not any(p.program.command == "pipewire" for p in rig.host.user.processes.values())
    assert rig.host.kernel.mishaps == []


def test_a_holder_that_ignores_sigterm_is_killed(run_directory: Path) -> None:
    host = pcs.greeter()
    host.user.spawn(Program("player", (pcs.AUDIO,), ignores=frozenset({15})))
    rig = Rig(host, run_directory)
    assert rig.prepare() is None
    assert rig.messages(Kind.REMARK) == [
        "SIGTERM sent: player (pid 502) has /dev/snd/controlC0 open",
        "SIGKILL sent: player (pid 502) has /dev/snd/controlC0 open",
    ]


def test_a_holder_that_cannot_be_killed_is_named_and_the_card_not_touched(
    run_directory: Path,
) -> None:
    host = pcs.greeter()
    host.user.spawn(Program("wedged", (pcs.AUDIO,), ignores=frozenset({9, 15})))
    rig = Rig(host, run_directory)
    error = rig.prepare()
    assert isinstance(error, HostError)
    assert "wedged (pid 502) has /dev/snd/controlC0 open" in str(error)
    unbound = {name for name in host.effects.log if name.startswith("unbind")}
    assert unbound == {f"unbind {pcs.USB}"}
    assert rig.differences() == {}


def test_logind_is_never_signalled(run_directory: Path) -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit("systemd-logind.service", (Program("systemd-logind", (pcs.VGA,)),)))
    rig = Rig(host, run_directory)
    assert isinstance(rig.prepare(), HostError)
    assert not [name for name in host.effects.log if name.startswith("signal")]
    assert "stop systemd-logind.service" not in host.effects.log
    assert rig.differences() == {}


def test_a_display_manager_whose_stop_hangs_fails_the_start(rig: Rig) -> None:
    rig.host.user.units["lightdm.service"].stop_hangs = True
    error = rig.prepare()
    assert "lightdm.service did not finish StopUnit" in str(error)
    assert rig.differences() == {}


# Guests that want the same devices


def test_a_start_whose_libvirt_died_gives_way_to_the_next(rig: Rig) -> None:
    assert rig.prepare() is None
    assert rig.prepare() is None
    assert rig.phase is Phase.PREPARED
    assert len(rig.messages(Kind.RETURN_COMPLETE)) == 1
    assert len(rig.messages(Kind.HANDOFF_COMPLETE)) == 2


def test_a_prepared_guest_whose_qemu_runs_gives_way_to_nobody(rig: Rig) -> None:
    assert rig.prepare() is None
    rig.host.start_guest(pcs.DEVICES)
    assert isinstance(rig.prepare(), Busy)


def test_a_second_guest_is_busy(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory, TWO_GUESTS)
    rig.start()
    log = len(rig.host.effects.log)
    error = rig.prepare("other", pcs.xml(pcs.DEVICES[:2], name="other"))
    assert isinstance(error, Busy)
    assert str(error) == (
        "the devices are handed over to win10 (guest)\n"
        "    end win10 first; what it is at: vfiod status"
    )
    rig.manager.release("other", "failed")
    rig.queue.run_all()
    assert rig.host.effects.log[log:] == []
    assert rig.phase is Phase.GUEST


def test_a_guest_that_vfiod_did_not_start_keeps_its_devices(run_directory: Path) -> None:
    host = pcs.on_vfio()
    host.start_guest((pcs.VGA, pcs.AUDIO), command="qemu-other")
    rig = Rig(host, run_directory)
    error = rig.prepare()
    assert isinstance(error, Refused)
    assert "another guest has a device of win10: qemu-other" in str(error)


# Limbo


def test_a_guest_that_never_starts_gives_its_devices_back(rig: Rig) -> None:
    rig.prepare()
    rig.pass_time(59)
    assert rig.messages(Kind.START_TIMED_OUT) == []
    rig.pass_time(2)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}
    assert "win10 was prepared but never started" in rig.messages(Kind.START_TIMED_OUT)[0]


def test_a_guest_that_started_unheard_is_adopted_at_the_deadline(rig: Rig) -> None:
    rig.prepare()
    pid = rig.host.start_guest(pcs.DEVICES).pid
    rig.pass_time(61)
    assert rig.phase is Phase.GUEST
    rig.host.user.kill(pid)
    rig.pass_time(1)
    assert rig.differences() == {}


def test_the_deadline_of_an_earlier_start_leaves_the_next_one_alone(rig: Rig) -> None:
    rig.prepare()
    rig.pass_time(50)
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    rig.prepare()
    rig.pass_time(20)
    assert rig.phase is Phase.PREPARED
    assert rig.messages(Kind.START_TIMED_OUT) == []


def test_a_running_guest_has_no_deadline(rig: Rig) -> None:
    rig.start()
    rig.pass_time(10_000)
    assert rig.phase is Phase.GUEST


# Other PCs


@pytest.mark.parametrize(
    "shape", [pcs.text_console, pcs.on_vfio, pcs.nvidia, pcs.crowded, pcs.autologin, pcs.container]
)
def test_round_trip_of_every_pc(shape: Callable[[], FakeHost], run_directory: Path) -> None:
    rig = Rig(shape(), run_directory)
    rig.end_guest(rig.start())
    assert rig.differences() == {}


@pytest.mark.parametrize("respawn", [0.0, 0.4, 3.0])
def test_a_getty_that_logs_in_again_at_once_gets_no_chance_to(
    run_directory: Path, respawn: float
) -> None:
    """Else the compositor opens the card under the unbind, and at last the getty has failed."""
    rig = Rig(pcs.autologin(respawn), run_directory)
    pid = rig.start()
    rig.pass_time(60)
    rig.end_guest(pid)
    assert rig.differences() == {}
    assert [s.user for s in rig.host.logins.sessions()] == ["alice"]
    assert rig.host.processes.holders([pcs.VGA])


def test_a_lingering_user_s_manager_is_back_while_the_guest_runs(run_directory: Path) -> None:
    rig = Rig(pcs.crowded(), run_directory)
    pid = rig.start()
    assert rig.host.units.unit("user@1001.service").active
    assert not rig.host.units.unit("user@1000.service").active
    rig.end_guest(pid)
    assert rig.differences() == {}


def test_whose_work_ends_is_logged(rig: Rig) -> None:
    rig.start()
    told = [event.message for event in rig.events if event.kind is Kind.REMARK]
    assert told == ["the work of alice (gnome-shell, pipewire) ends"]


def test_unbound_audio_is_unbound_again(run_directory: Path) -> None:
    rig = Rig(pcs.greeter(pcs.bare(audio=None)), run_directory)
    rig.end_guest(rig.start())
    assert rig.host.pci.function(pcs.AUDIO).driver is None
    assert rig.differences() == {}


def test_a_card_on_vfio_before_stays_there(run_directory: Path) -> None:
    rig = Rig(pcs.on_vfio(), run_directory)
    rig.end_guest(rig.start())
    assert rig.drivers == [VFIO_DRIVER, VFIO_DRIVER, "xhci_hcd"]


def test_the_console_comes_back_bound_even_if_the_kernel_left_it_unbound(
    run_directory: Path,
) -> None:
    host = pcs.text_console()
    rig = Rig(host, run_directory)
    host.kernel.fbcon_returns_bound = False
    rig.end_guest(rig.start())
    assert host.kernel.fbcon is True


def test_vfio_is_loaded_ahead_for_configured_guests_only(run_directory: Path) -> None:
    for text, loaded in (("", False), (pcs.configuration(), True), ("guests: [", False)):
        rig = Rig(pcs.desktop(), run_directory, text)
        assert rig.outcome(rig.manager.warm_up()) is None
        assert rig.host.modules.loaded("vfio_pci") is loaded
