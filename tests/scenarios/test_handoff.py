"""Starts of guests: prepared, refused, failed, never followed by a guest."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.rig import Bench
from tests.fakes.userspace import FakeUnit, Program
from vfiod.errors import Busy, ConfigError, DomainError, HostError, Refused
from vfiod.events import Kind
from vfiod.model import VFIO_DRIVER, Phase

TWO_GUESTS = pcs.configuration() + "  other:\n    devices: [0000:01:00.0, 0000:01:00.1]\n"


@pytest.fixture
def bench(run_directory: Path) -> Bench:
    return Bench(pcs.desktop(), run_directory)


def drivers(bench: Bench) -> list[str | None]:
    return [bench.host.pci.function(address).driver for address in pcs.DEVICES]


# Handoff


def test_a_prepared_guest_has_its_devices(bench: Bench) -> None:
    assert bench.prepare() is None
    assert drivers(bench) == [VFIO_DRIVER] * 3
    assert bench.phase is Phase.PREPARED
    assert bench.host.user.inhibited == "win10 has the display"
    assert bench.host.files.staged == {pcs.VGA: pcs.rom()}
    assert not bench.host.units.unit("display-manager.service").active
    assert bench.host.kernel.mishaps == []
    assert bench.host.kernel.group_is_viable(10)


def test_what_is_told_of_a_handoff(bench: Bench) -> None:
    bench.prepare()
    kinds = [event.kind for event in bench.events]
    assert kinds[0] is Kind.HANDOFF_BEGUN
    assert kinds[-1] is Kind.HANDOFF_COMPLETE
    transactions = {event.fields["TRANSACTION"] for event in bench.events}
    assert len(transactions) == 1
    assert {event.fields["GUEST"] for event in bench.events} == {"win10"}
    assert bench.events[0].fields["BEGAN_USEC"] == bench.events[-1].fields["BEGAN_USEC"]


def test_a_started_guest_is_followed(bench: Bench) -> None:
    bench.start()
    assert bench.phase is Phase.GUEST


def test_started_though_nobody_is_seen_to_have_the_devices_is_believed(bench: Bench) -> None:
    bench.prepare()
    bench.outcome(bench.manager.started("win10"))
    assert bench.phase is Phase.GUEST


def test_started_for_another_guest_changes_nothing(bench: Bench) -> None:
    bench.prepare()
    bench.host.start_guest(pcs.DEVICES)
    bench.outcome(bench.manager.started("other"))
    assert bench.phase is Phase.PREPARED


def test_a_guest_that_is_not_configured_is_untouched(bench: Bench) -> None:
    assert bench.prepare("debian", pcs.xml((), name="debian")) is None
    bench.outcome(bench.manager.started("debian"))
    bench.manager.release("debian", "shutdown")
    bench.queue.run_all()
    assert bench.host.effects.log == []
    assert bench.events == []
    assert bench.differences() == {}


def test_an_empty_configuration_is_no_fault(run_directory: Path) -> None:
    bench = Bench(pcs.desktop(), run_directory, "")
    assert bench.prepare() is None
    assert bench.host.effects.log == []


def test_a_refusal_touches_nothing_and_gives_every_reason(bench: Bench) -> None:
    bench.host.files.roms.clear()
    bench.host.memory.free = 0
    error = bench.prepare()
    assert isinstance(error, Refused)
    assert len(error.reasons) == 2
    assert bench.host.effects.log == []
    assert bench.phase is Phase.HOST
    assert bench.messages(Kind.REFUSED) == [f"win10 was not started: {error}"]


def test_a_broken_configuration_refuses_with_its_place(bench: Bench) -> None:
    bench.text += "sesions: refuse\n"
    error = bench.prepare()
    assert isinstance(error, ConfigError)
    assert str(error).startswith("vfiod.yaml:8:1: ")
    assert bench.messages(Kind.CONFIG_WRONG)
    assert bench.host.effects.log == []


def test_domain_xml_that_is_none_refuses(bench: Bench) -> None:
    assert isinstance(bench.prepare(xml="<domain"), DomainError)
    assert bench.host.effects.log == []


def test_the_configuration_is_read_afresh(bench: Bench) -> None:
    bench.text = pcs.configuration((pcs.VGA, pcs.AUDIO))
    assert bench.prepare(xml=pcs.xml((pcs.VGA, pcs.AUDIO))) is None
    assert bench.host.pci.function(pcs.USB).driver == "xhci_hcd"


def test_a_handoff_that_fails_says_so_and_that_nothing_was_lost(bench: Bench) -> None:
    bench.host.kernel.drivers[VFIO_DRIVER].refuses = True
    error = bench.prepare()
    assert isinstance(error, HostError)
    assert str(error) == (
        f"win10 was not started: {pcs.USB} should have the driver vfio-pci and has none. "
        "the kernel's reason is in: journalctl -k -b"
    )
    assert bench.differences() == {}
    assert "win10 was not started; the host has its display back" in " ".join(
        bench.messages(Kind.RETURN_COMPLETE)
    )


def test_an_internal_error_is_undone_and_told(bench: Bench) -> None:
    def broken(name: str) -> None:
        if name == f"unbind {pcs.AUDIO}":
            raise ZeroDivisionError

    bench.host.effects.barrier = broken
    error = bench.prepare()
    assert isinstance(error, HostError)
    assert "ZeroDivisionError" in str(error)
    assert bench.differences() == {}


def test_a_full_run_directory_refuses_the_start(bench: Bench) -> None:
    bench.host.effects.plan({1: Fault.FAIL_BEFORE})
    assert isinstance(bench.prepare(), HostError)
    assert bench.host.effects.log == ["journal begin"]
    assert bench.differences() == {}


# Holders


def test_a_respawned_holder_is_stopped_with_its_manager(bench: Bench) -> None:
    bench.prepare()
    assert not any(p.program.command == "pipewire" for p in bench.host.user.processes.values())
    assert bench.host.kernel.mishaps == []


def test_a_holder_that_ignores_sigterm_is_killed(run_directory: Path) -> None:
    host = pcs.greeter()
    host.user.spawn(Program("player", (pcs.AUDIO,), ignores=frozenset({15})))
    bench = Bench(host, run_directory)
    assert bench.prepare() is None
    assert bench.messages(Kind.REMARK) == [
        "SIGTERM sent: player (pid 502) has /dev/snd/controlC0 open",
        "SIGKILL sent: player (pid 502) has /dev/snd/controlC0 open",
    ]


def test_a_holder_that_cannot_be_killed_is_named_and_the_card_not_touched(
    run_directory: Path,
) -> None:
    host = pcs.greeter()
    host.user.spawn(Program("wedged", (pcs.AUDIO,), ignores=frozenset({9, 15})))
    bench = Bench(host, run_directory)
    error = bench.prepare()
    assert isinstance(error, HostError)
    assert "wedged (pid 502) has /dev/snd/controlC0 open" in str(error)
    unbound = {name for name in host.effects.log if name.startswith("unbind")}
    assert unbound == {f"unbind {pcs.USB}"}
    assert bench.differences() == {}


def test_logind_is_never_signalled(run_directory: Path) -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit("systemd-logind.service", (Program("systemd-logind", (pcs.VGA,)),)))
    bench = Bench(host, run_directory)
    assert isinstance(bench.prepare(), HostError)
    assert not [name for name in host.effects.log if name.startswith("signal")]
    assert "stop systemd-logind.service" not in host.effects.log
    assert bench.differences() == {}


def test_a_display_manager_whose_stop_hangs_fails_the_start(bench: Bench) -> None:
    bench.host.user.units["lightdm.service"].stop_hangs = True
    error = bench.prepare()
    assert "lightdm.service did not finish StopUnit" in str(error)
    assert bench.differences() == {}


# Guests that want the same devices


def test_a_start_whose_libvirt_died_gives_way_to_the_next(bench: Bench) -> None:
    assert bench.prepare() is None
    assert bench.prepare() is None
    assert bench.phase is Phase.PREPARED
    assert len(bench.messages(Kind.RETURN_COMPLETE)) == 1
    assert len(bench.messages(Kind.HANDOFF_COMPLETE)) == 2


def test_a_prepared_guest_whose_qemu_runs_gives_way_to_nobody(bench: Bench) -> None:
    assert bench.prepare() is None
    bench.host.start_guest(pcs.DEVICES)
    assert isinstance(bench.prepare(), Busy)


def test_a_second_guest_is_busy(run_directory: Path) -> None:
    bench = Bench(pcs.desktop(), run_directory, TWO_GUESTS)
    bench.start()
    log = len(bench.host.effects.log)
    error = bench.prepare("other", pcs.xml(pcs.DEVICES[:2], name="other"))
    assert isinstance(error, Busy)
    assert str(error) == (
        "the devices are handed over to win10 (guest). shut win10 down before starting other"
    )
    bench.manager.release("other", "failed")
    bench.queue.run_all()
    assert bench.host.effects.log[log:] == []
    assert bench.phase is Phase.GUEST


def test_a_guest_that_vfiod_did_not_start_keeps_its_devices(run_directory: Path) -> None:
    host = pcs.on_vfio()
    host.start_guest((pcs.VGA, pcs.AUDIO), command="qemu-other")
    bench = Bench(host, run_directory)
    error = bench.prepare()
    assert isinstance(error, Refused)
    assert "another guest has a device of win10: qemu-other" in str(error)


# Limbo


def test_a_guest_that_never_starts_gives_its_devices_back(bench: Bench) -> None:
    bench.prepare()
    bench.pass_time(59)
    assert bench.messages(Kind.START_TIMED_OUT) == []
    bench.pass_time(2)
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}
    assert "win10 was prepared but never started" in bench.messages(Kind.START_TIMED_OUT)[0]


def test_a_guest_that_started_unheard_is_adopted_at_the_deadline(bench: Bench) -> None:
    bench.prepare()
    pid = bench.host.start_guest(pcs.DEVICES).pid
    bench.pass_time(61)
    assert bench.phase is Phase.GUEST
    bench.host.user.kill(pid)
    bench.pass_time(1)
    assert bench.differences() == {}


def test_the_deadline_of_an_earlier_start_leaves_the_next_one_alone(bench: Bench) -> None:
    bench.prepare()
    bench.pass_time(50)
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    bench.prepare()
    bench.pass_time(20)
    assert bench.phase is Phase.PREPARED
    assert bench.messages(Kind.START_TIMED_OUT) == []


def test_a_running_guest_has_no_deadline(bench: Bench) -> None:
    bench.start()
    bench.pass_time(10_000)
    assert bench.phase is Phase.GUEST


# Other PCs


@pytest.mark.parametrize(
    "shape", [pcs.text_console, pcs.on_vfio, pcs.nvidia, pcs.crowded, pcs.autologin, pcs.container]
)
def test_round_trip_of_every_pc(shape: Callable[[], FakeHost], run_directory: Path) -> None:
    bench = Bench(shape(), run_directory)
    bench.end_guest(bench.start())
    assert bench.differences() == {}


@pytest.mark.parametrize("respawn", [0.0, 0.4, 3.0])
def test_a_getty_that_logs_in_again_at_once_gets_no_chance_to(
    run_directory: Path, respawn: float
) -> None:
    """Else the compositor opens the card under the unbind, and at last the getty has failed."""
    bench = Bench(pcs.autologin(respawn), run_directory)
    pid = bench.start()
    bench.pass_time(60)
    bench.end_guest(pid)
    assert bench.differences() == {}
    assert [s.user for s in bench.host.logins.sessions()] == ["alice"]
    assert bench.host.processes.holders([pcs.VGA])


def test_a_lingering_user_s_manager_is_back_while_the_guest_runs(run_directory: Path) -> None:
    bench = Bench(pcs.crowded(), run_directory)
    pid = bench.start()
    assert bench.host.units.unit("user@1001.service").active
    assert not bench.host.units.unit("user@1000.service").active
    bench.end_guest(pid)
    assert bench.differences() == {}


def test_whose_work_ends_is_logged(bench: Bench) -> None:
    bench.start()
    told = [event.message for event in bench.events if event.kind is Kind.REMARK]
    assert told == ["the work of alice (gnome-shell, pipewire) ends"]


def test_unbound_audio_is_unbound_again(run_directory: Path) -> None:
    bench = Bench(pcs.greeter(pcs.bare(audio=None)), run_directory)
    bench.end_guest(bench.start())
    assert bench.host.pci.function(pcs.AUDIO).driver is None
    assert bench.differences() == {}


def test_a_card_on_vfio_before_stays_there(run_directory: Path) -> None:
    bench = Bench(pcs.on_vfio(), run_directory)
    bench.end_guest(bench.start())
    assert drivers(bench) == [VFIO_DRIVER, VFIO_DRIVER, "xhci_hcd"]


def test_the_console_comes_back_bound_even_if_the_kernel_left_it_unbound(
    run_directory: Path,
) -> None:
    host = pcs.text_console()
    bench = Bench(host, run_directory)
    host.kernel.fbcon_returns_bound = False
    bench.end_guest(bench.start())
    assert host.kernel.fbcon is True


def test_vfio_is_loaded_ahead_for_configured_guests_only(run_directory: Path) -> None:
    for text, loaded in (("", False), (pcs.configuration(), True), ("guests: [", False)):
        bench = Bench(pcs.desktop(), run_directory, text)
        assert bench.outcome(bench.manager.warm_up()) is None
        assert bench.host.modules.loaded("vfio_pci") is loaded
