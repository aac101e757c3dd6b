"""Each kind of step: undo first of all, then apply."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.userspace import Program
from vfiod.errors import HostError, KernelStuck, TimedOut
from vfiod.model import VFIO_DRIVER, PowerPolicy
from vfiod.steps.base import Notes, Prior, Step
from vfiod.steps.codec import KINDS
from vfiod.steps.desktop import EndSessions, ReleaseHolders, StopDisplayManager, StopUnit
from vfiod.steps.devices import Detach, KeepAwake
from vfiod.steps.screen import AwaitDisplay, ReleaseConsoles, UnbindFramebuffer
from vfiod.steps.support import Inhibit, LoadModule, StageRom, UnloadModule

DIGEST = hashlib.sha256(pcs.rom()).hexdigest()
SECONDS = 20.0


def with_vfio(host: FakeHost) -> FakeHost:
    host.kernel.modules["vfio_pci"] = True
    return host


def holders() -> FakeHost:
    return pcs.greeter()


def firmware() -> FakeHost:
    host = pcs.bare(vga=None)
    host.kernel.framebuffers.append(pcs.EFIFB)
    host.kernel.refresh_console()
    return host


@dataclass(frozen=True)
class Case:
    """A step on a PC where it has something to do; ``returns`` says if its undo restores all."""

    step: Step
    shape: Callable[[], FakeHost]
    returns: bool = True


CASES = (
    Case(Inhibit("win10"), pcs.bare),
    Case(LoadModule("vfio_pci", SECONDS), pcs.bare),
    Case(UnloadModule("nvidia_uvm", SECONDS), pcs.nvidia),
    Case(StageRom(pcs.VGA, pcs.ROM, DIGEST), pcs.bare),
    Case(StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS), pcs.greeter),
    Case(StopUnit("lightdm.service", restart=True, seconds=SECONDS), pcs.greeter),
    Case(EndSessions(("2",), SECONDS), pcs.desktop),
    Case(ReleaseHolders((pcs.USB,), 5, 5), pcs.greeter),
    Case(AwaitDisplay(pcs.VGA, SECONDS), pcs.greeter),
    Case(ReleaseConsoles(SECONDS), pcs.greeter),
    Case(UnbindFramebuffer(pcs.EFIFB.device, pcs.EFIFB.driver), firmware),
    Case(KeepAwake(pcs.VGA), pcs.bare),
    Case(Detach(pcs.VGA, SECONDS), lambda: with_vfio(pcs.bare())),
    Case(Detach(pcs.AUDIO, SECONDS), lambda: with_vfio(pcs.bare(audio=None))),
    Case(StopUnit("user@1000.service", restart=False, seconds=SECONDS), pcs.desktop, returns=False),
)
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.step.kind}")
RETURNING = pytest.mark.parametrize(
    "case", [case for case in CASES if case.returns], ids=lambda case: case.step.kind
)


def test_there_is_a_case_for_every_kind() -> None:
    assert {case.step.kind for case in CASES} == set(KINDS)


def plain(prior: Prior) -> Prior:
    """What undo is given was in a JSON file in between."""
    return dict(prior)


# Undo, by the rules that hold for every step


@ALL
def test_observing_changes_nothing(case: Case) -> None:
    host = case.shape()
    case.step.observe(host)
    assert host.effects.log == []


@RETURNING
def test_undo_restores_what_apply_changed(case: Case) -> None:
    host = case.shape()
    before = host.snapshot()
    prior = plain(case.step.observe(host))
    case.step.apply(host)
    case.step.undo(host, prior)
    host.settle()
    assert host.snapshot() == before


@ALL
def test_undo_without_apply_changes_nothing(case: Case) -> None:
    host = case.shape()
    before = host.snapshot()
    case.step.undo(host, plain(case.step.observe(host)))
    assert host.snapshot() == before


@RETURNING
def test_undo_twice_is_as_good_as_once(case: Case) -> None:
    host = case.shape()
    before = host.snapshot()
    prior = plain(case.step.observe(host))
    case.step.apply(host)
    case.step.undo(host, prior)
    case.step.undo(host, prior)
    host.settle()
    assert host.snapshot() == before


@RETURNING
def test_undo_after_an_apply_that_stopped_anywhere(case: Case) -> None:
    host = case.shape()
    case.step.apply(host)
    for number in range(1, len(host.effects.log) + 1):
        for fault in (Fault.FAIL_BEFORE, Fault.FAIL_AFTER):
            host = case.shape()
            before = host.snapshot()
            prior = plain(case.step.observe(host))
            host.effects.plan({number: fault})
            with pytest.raises(HostError):
                case.step.apply(host)
            case.step.undo(host, prior)
            host.settle()
            assert host.snapshot() == before, (number, fault)


@RETURNING
def test_undo_after_an_undo_that_stopped_anywhere(case: Case) -> None:
    host = case.shape()
    prior = plain(case.step.observe(host))
    case.step.apply(host)
    host.effects.log.clear()
    case.step.undo(host, prior)
    for number in range(1, len(host.effects.log) + 1):
        for fault in (Fault.FAIL_BEFORE, Fault.FAIL_AFTER):
            host = case.shape()
            before = host.snapshot()
            prior = plain(case.step.observe(host))
            case.step.apply(host)
            host.effects.plan({number: fault})
            with pytest.raises(HostError):
                case.step.undo(host, prior)
            case.step.undo(host, prior)
            host.settle()
            assert host.snapshot() == before, (number, fault)


@ALL
def test_a_step_with_an_undo_says_so(case: Case) -> None:
    host = case.shape()
    prior = case.step.observe(host)
    case.step.apply(host)
    host.effects.log.clear()
    case.step.undo(host, prior)
    assert bool(host.effects.log) <= bool(case.step.describe_undo())


# Detach


def detach(host: FakeHost, **changes: str | None) -> tuple[Detach, Prior]:
    step = Detach(pcs.VGA, SECONDS)
    prior = step.observe(with_vfio(host))
    return step, {**prior, **changes}


def test_detach_aims_the_override_before_it_unbinds() -> None:
    host = pcs.bare()
    step, _ = detach(host)
    step.apply(host)
    assert host.effects.log == [
        f"override {pcs.VGA} vfio-pci", f"unbind {pcs.VGA}", f"probe {pcs.VGA}",
    ]  # fmt: skip
    assert host.pci.function(pcs.VGA).driver == VFIO_DRIVER


def test_detach_leaves_no_override_behind() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    step.undo(host, prior)
    assert host.pci.function(pcs.VGA).driver == "amdgpu"
    assert host.pci.function(pcs.VGA).override is None


def test_detach_restores_an_override_that_was_there() -> None:
    host = pcs.bare()
    host.kernel.device(pcs.VGA).override = "amdgpu"
    step, prior = detach(host)
    step.apply(host)
    step.undo(host, prior)
    assert host.pci.function(pcs.VGA).override == "amdgpu"


def test_detach_believes_the_driver_link_and_not_the_probe() -> None:
    host = pcs.bare()
    step, _ = detach(host)
    host.kernel.modules["vfio_pci"] = False
    with pytest.raises(HostError, match="should have the driver vfio-pci and has none"):
        step.apply(host)


def test_detach_undone_believes_the_driver_link() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    host.kernel.drivers["amdgpu"].refuses = True
    with pytest.raises(HostError, match="should have the driver amdgpu and has none") as caught:
        step.undo(host, prior)
    assert "journalctl -k" in caught.value.hint


def test_a_stale_override_keeps_the_native_driver_off_until_detach_is_undone() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    host.kernel.begin_unbind(pcs.VGA)
    host.kernel.finish_unbind(pcs.VGA)
    host.kernel.device(pcs.VGA).override = "none"
    host.kernel.probe(pcs.VGA)
    assert host.pci.function(pcs.VGA).driver is None
    step.undo(host, prior)
    assert host.pci.function(pcs.VGA).driver == "amdgpu"


def test_detach_waits_for_the_guest_before_it_unbinds_vfio() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    with_vfio(pcs.bare(audio=VFIO_DRIVER))
    Detach(pcs.AUDIO, SECONDS).apply(host)
    qemu = host.start_guest((pcs.VGA,))
    host.clock.after(5, lambda: host.user.kill(qemu.pid))
    step.undo(host, prior)
    assert host.kernel.mishaps == []
    assert host.pci.function(pcs.VGA).driver == "amdgpu"


def test_detach_never_unbinds_vfio_under_a_guest_that_stays() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    Detach(pcs.AUDIO, SECONDS).apply(host)
    qemu = host.start_guest((pcs.VGA,))
    with pytest.raises(TimedOut) as caught:
        step.undo(host, prior)
    assert f"still in use by the guest: qemu (pid {qemu.pid})" in caught.value.message
    assert caught.value.hint == "end that process, then run: vfiod return"
    assert host.kernel.mishaps == []


def test_no_driver_of_the_host_binds_while_a_guest_owns_the_group() -> None:
    host = pcs.bare()
    step, _ = detach(host)
    step.apply(host)
    audio = Detach(pcs.AUDIO, SECONDS)
    prior = audio.observe(host)
    audio.apply(host)
    host.kernel.begin_unbind(pcs.AUDIO)
    host.start_guest((pcs.VGA,))
    with pytest.raises(HostError, match="should have the driver snd_hda_intel and has none"):
        audio.undo(host, prior)


def test_a_driver_that_waits_for_a_holder_is_stuck_at_the_deadline() -> None:
    host = with_vfio(pcs.bare())
    host.user.spawn(Program("sleep", (pcs.AUDIO,)))
    began = host.now()
    with pytest.raises(KernelStuck, match=f"unbind {pcs.AUDIO}"):
        Detach(pcs.AUDIO, SECONDS).apply(host)
    assert host.now() - began == SECONDS


def test_a_stuck_device_is_not_tried_again_until_the_kernel_lets_go() -> None:
    host = with_vfio(pcs.bare())
    player = host.user.spawn(Program("sleep", (pcs.AUDIO,)))
    step = Detach(pcs.AUDIO, SECONDS)
    prior = step.observe(host)
    with pytest.raises(KernelStuck):
        step.apply(host)
    with pytest.raises(KernelStuck, match="still busy"):
        step.undo(host, prior)
    host.user.kill(player.pid)
    host.effects.thaw()
    step.undo(host, prior)
    assert host.pci.function(pcs.AUDIO).driver == "snd_hda_intel"


def test_detach_of_an_unbound_function_never_unbinds_a_driver_that_came_since() -> None:
    """nvidia's module was loaded again and took the card by itself; the desktop is on it."""
    host = with_vfio(pcs.bare(audio=None))
    step = Detach(pcs.AUDIO, SECONDS)
    prior = step.observe(host)
    host.kernel.probe(pcs.AUDIO)
    step.undo(host, prior)
    assert host.pci.function(pcs.AUDIO).driver == "snd_hda_intel"
    assert f"unbind {pcs.AUDIO}" not in host.effects.log


def test_detach_of_a_device_that_is_gone_is_an_error_that_names_it() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    host.kernel.unplug(pcs.VGA)
    with pytest.raises(HostError, match=str(pcs.VGA)):
        step.undo(host, prior)


# Power


def test_keep_awake_restores_what_vfio_pci_changed_too() -> None:
    host = with_vfio(pcs.bare())
    step = KeepAwake(pcs.VGA)
    host.kernel.device(pcs.VGA).power = PowerPolicy("0", "on")
    prior = step.observe(host)
    step.apply(host)
    Detach(pcs.VGA, SECONDS).apply(host)
    assert host.pci.power(pcs.VGA) == PowerPolicy("0", "auto")
    step.undo(host, prior)
    assert host.pci.power(pcs.VGA) == PowerPolicy("0", "on")


def test_keep_awake_leaves_a_setting_alone_that_is_not_there() -> None:
    host = pcs.bare()
    host.kernel.device(pcs.VGA).power = PowerPolicy(None, "auto")
    step = KeepAwake(pcs.VGA)
    assert step.observe(host) == {"d3cold_allowed": None, "control": "auto"}


# Display manager and units


def test_the_display_manager_is_not_started_on_a_card_without_a_driver() -> None:
    host = with_vfio(pcs.greeter())
    step = StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS)
    prior = step.observe(host)
    step.apply(host)
    Detach(pcs.VGA, SECONDS).apply(host)
    with pytest.raises(HostError) as caught:
        step.undo(host, prior)
    assert str(pcs.VGA) in caught.value.message
    assert caught.value.hint == "once it has one, run: systemctl start lightdm.service"
    assert "start lightdm.service" not in host.effects.log


@pytest.mark.parametrize(
    "step",
    [
        StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS),
        StopUnit("lightdm.service", restart=True, seconds=SECONDS),
    ],
)
def test_nothing_is_started_while_the_host_shuts_down(step: Step) -> None:
    host = pcs.greeter()
    prior = step.observe(host)
    step.apply(host)
    host.user.shutting_down = True
    assert step.undo(host, prior) == ("lightdm.service not started: the host is shutting down",)
    assert not host.units.unit("lightdm.service").active


@pytest.mark.parametrize(
    "step",
    [
        StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS),
        StopUnit("lightdm.service", restart=True, seconds=SECONDS),
    ],
)
def test_what_did_not_run_before_is_not_started(step: Step) -> None:
    host = pcs.greeter()
    host.user.stop("lightdm.service")
    prior = step.observe(host)
    step.apply(host)
    step.undo(host, prior)
    assert not host.units.unit("lightdm.service").active


def test_a_unit_without_restart_stays_stopped() -> None:
    host = pcs.greeter()
    step = StopUnit("lightdm.service", restart=False, seconds=SECONDS)
    prior = step.observe(host)
    step.apply(host)
    step.undo(host, prior)
    assert not host.units.unit("lightdm.service").active
    assert step.describe_undo() == ""


# Sessions


def test_ending_a_session_waits_until_logind_has_let_it_go() -> None:
    host = pcs.desktop()
    assert EndSessions(("2",), SECONDS).apply(host) == ()
    assert [s.ident for s in host.logins.sessions()] == ["c1"]


def test_a_session_that_stays_listed_is_a_remark_and_no_failure() -> None:
    host = pcs.desktop()
    host.user.session_ends_after = 100
    assert EndSessions(("2",), SECONDS).apply(host) == ("logind still lists session 2 after 20 s",)


def test_a_session_that_is_gone_already_is_not_ended() -> None:
    host = pcs.greeter()
    assert EndSessions(("2",), SECONDS).apply(host) == ()
    assert host.effects.log == []


# The gate


def release(host: FakeHost) -> Notes:
    return ReleaseHolders((pcs.VGA, pcs.AUDIO), 5, 3).apply(host)


def test_the_gate_is_open_if_nobody_holds_the_devices() -> None:
    host = pcs.bare()
    assert release(host) == []
    assert host.effects.log == []
    assert host.now() == 1000.0


def test_holders_get_time_to_let_go_by_themselves() -> None:
    host = pcs.bare()
    process = host.user.spawn(Program("aplay", (pcs.AUDIO,)))
    host.clock.after(4, lambda: host.user.kill(process.pid))
    assert release(host) == []
    assert host.effects.log == []


def test_then_they_get_sigterm() -> None:
    host = pcs.bare()
    pid = host.user.spawn(Program("aplay", (pcs.AUDIO,))).pid
    assert release(host) == [f"SIGTERM sent: aplay (pid {pid}) has /dev/snd/controlC0 open"]
    assert host.now() == 1005.0


def test_then_they_get_sigkill() -> None:
    host = pcs.bare()
    host.user.spawn(Program("aplay", (pcs.AUDIO,), ignores=frozenset({15})))
    notes = release(host)
    assert [note.split()[0] for note in notes] == ["SIGTERM", "SIGKILL"]
    assert host.now() == 1008.0


def test_a_process_with_two_nodes_gets_one_signal() -> None:
    host = pcs.bare()
    host.user.spawn(Program("kodi", (pcs.VGA, pcs.AUDIO)))
    release(host)
    assert host.effects.log == ["signal kodi 15"]


def test_one_that_cannot_be_ended_is_named_with_its_node() -> None:
    host = pcs.bare()
    pid = host.user.spawn(Program("wedged", (pcs.VGA,), ignores=frozenset({9, 15}))).pid
    with pytest.raises(TimedOut) as caught:
        release(host)
    assert f"wedged (pid {pid}) has /dev/dri/card0 open" in caught.value.message
    assert caught.value.hint == "end these processes, then start the guest again"


@pytest.mark.parametrize("command", ["systemd", "systemd-logind"])
def test_some_are_never_signalled(command: str) -> None:
    host = pcs.bare()
    host.user.spawn(Program(command, (pcs.VGA,)))
    with pytest.raises(TimedOut):
        release(host)
    assert host.effects.log == []


# Picture


def test_consoles_are_found_by_name() -> None:
    host = pcs.bare()
    ReleaseConsoles(SECONDS).apply(host)
    assert host.effects.log == ["console vtcon1 False"]


def test_a_console_that_does_not_let_go_is_an_error() -> None:
    host = pcs.bare()
    host.kernel.fbcon_is_stuck = True
    with pytest.raises(HostError) as caught:
        ReleaseConsoles(SECONDS).apply(host)
    assert "vtcon1" in caught.value.message
    assert "release_consoles: false" in caught.value.hint


def test_a_console_that_was_unbound_before_stays_so() -> None:
    host = pcs.bare()
    host.kernel.fbcon = False
    step = ReleaseConsoles(SECONDS)
    prior = step.observe(host)
    step.apply(host)
    step.undo(host, prior)
    assert host.kernel.fbcon is False


def test_a_console_that_vanished_is_waited_for() -> None:
    host = with_vfio(pcs.bare())
    step, detach = ReleaseConsoles(SECONDS), Detach(pcs.VGA, SECONDS)
    priors = step.observe(host), detach.observe(host)
    step.apply(host)
    detach.apply(host)
    assert [c.ident for c in host.screen.consoles()] == ["vtcon0"]
    host.kernel.drivers["amdgpu"].node_after = 3.0
    detach.undo(host, priors[1])
    assert step.undo(host, priors[0]) == ()
    assert host.kernel.fbcon is True


def test_a_console_that_never_comes_back_is_a_remark() -> None:
    host = pcs.bare()
    step = ReleaseConsoles(SECONDS)
    prior = step.observe(host)
    host.kernel.fbcon = None
    assert "stay dark" in step.undo(host, prior)[0]


def test_a_firmware_framebuffer_that_vfio_pci_took_for_good_is_no_error() -> None:
    host = with_vfio(firmware())
    step = UnbindFramebuffer(pcs.EFIFB.device, pcs.EFIFB.driver)
    prior = step.observe(host)
    step.apply(host)
    Detach(pcs.VGA, SECONDS).apply(host)
    assert step.undo(host, prior) == ()
    assert host.screen.framebuffers() == []


def awaited(host: FakeHost, **changes: object) -> Notes:
    step = AwaitDisplay(pcs.VGA, SECONDS)
    prior = step.observe(host)
    for name, value in changes.items():
        setattr(host.kernel.device(pcs.VGA), name, value)
    return step.undo(host, prior)


def test_a_display_that_is_there_is_not_waited_for() -> None:
    host = pcs.bare()
    assert awaited(host) == ()
    assert host.now() == 1000.0


def test_a_display_without_its_node_is_an_error() -> None:
    with pytest.raises(TimedOut) as caught:
        awaited(pcs.bare(), nodes=())
    assert str(pcs.VGA) in caught.value.message
    assert "within 20 s" in caught.value.message
    assert "a reboot" in caught.value.hint


def test_a_display_with_another_driver_is_an_error() -> None:
    with pytest.raises(TimedOut, match="it should have amdgpu and a DRM node, it has vfio-pci"):
        awaited(pcs.bare(), driver=VFIO_DRIVER)


def test_a_display_whose_driver_had_no_node_needs_none() -> None:
    host = pcs.bare()
    host.kernel.device(pcs.VGA).nodes = ()
    assert awaited(host) == ()


def test_a_display_without_a_driver_is_probed_once_more() -> None:
    host = pcs.bare()
    step = AwaitDisplay(pcs.VGA, SECONDS)
    prior = step.observe(host)
    host.kernel.begin_unbind(pcs.VGA)
    host.kernel.finish_unbind(pcs.VGA)
    assert step.undo(host, prior) == ()
    assert host.effects.log == [f"probe {pcs.VGA}"]


def test_a_display_that_had_no_driver_before_is_not_waited_for() -> None:
    host = pcs.bare(vga=None)
    assert awaited(host) == ()
    assert host.effects.log == []


def test_a_monitor_that_was_pulled_is_a_remark() -> None:
    notes = awaited(pcs.bare(), monitor=False)
    assert notes == (f"no monitor is connected to {pcs.VGA} now; one was before",)


# Modules, ROM, inhibitor


def test_a_module_that_is_not_there_after_modprobe_is_an_error() -> None:
    host = pcs.bare()
    host.kernel.does_not_load.add("vfio_pci")
    with pytest.raises(HostError, match="is not loaded after modprobe"):
        LoadModule("vfio_pci", SECONDS).apply(host)


def test_a_loaded_module_stays() -> None:
    host = pcs.bare()
    step = LoadModule("vfio_pci", SECONDS)
    prior = step.observe(host)
    step.apply(host)
    step.undo(host, prior)
    assert host.modules.loaded("vfio_pci")


def test_a_module_that_was_not_loaded_is_not_loaded_by_undo() -> None:
    host = pcs.nvidia()
    host.kernel.modules["nvidia_uvm"] = False
    step = UnloadModule("nvidia_uvm", SECONDS)
    prior = step.observe(host)
    step.apply(host)
    step.undo(host, prior)
    assert not host.modules.loaded("nvidia_uvm")


def test_a_module_in_use_is_not_unloaded() -> None:
    with pytest.raises(HostError, match="in use"):
        UnloadModule("nvidia", SECONDS).apply(pcs.nvidia())


def test_a_rom_that_changed_since_it_was_checked_is_not_staged() -> None:
    host = pcs.bare()
    host.files.roms[pcs.ROM] += b"more"
    with pytest.raises(HostError, match="changed while the guest was being started"):
        StageRom(pcs.VGA, pcs.ROM, DIGEST).apply(host)
    assert host.files.staged == {}


def test_a_rom_is_staged_whole() -> None:
    host = pcs.bare()
    StageRom(pcs.VGA, pcs.ROM, DIGEST).apply(host)
    assert host.files.staged == {pcs.VGA: pcs.rom()}


def test_the_inhibitor_says_for_whom_it_is() -> None:
    host = pcs.bare()
    Inhibit("win10").apply(host)
    assert host.user.inhibited == "win10 has the display"
