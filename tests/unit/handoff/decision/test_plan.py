"""What a start would do: which steps, in which order, and which are not there at all."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.userspace import FakeUnit, Program
from vfiod.config import spared
from vfiod.config.schema import Config, parse
from vfiod.errors import Refused
from vfiod.guest.domain import parse as domain_of
from vfiod.handoff.decision import snapshot
from vfiod.handoff.decision.plan import Plan, plan_handoff
from vfiod.handoff.decision.request import Request
from vfiod.handoff.stages import stages
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.codec import KINDS
from vfiod.handoff.steps.containers import StopContainer
from vfiod.handoff.steps.desktop import ReleaseHolders, StartAgain, StopUnit
from vfiod.handoff.steps.devices import AimOverride, Detach, KeepAwake
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.gate import CloseGate, OpenGate, SpareGuests
from vfiod.handoff.steps.goodbye import AnnounceStart, AskToLogOut
from vfiod.handoff.steps.libvirt import AwaitLibvirt
from vfiod.handoff.steps.memory import ReserveHugePages, TransparentHugePages
from vfiod.handoff.steps.people import (
    EndSessions,
    RememberApplications,
    StopInManager,
    StopUserUnits,
)
from vfiod.handoff.steps.performance import LimitUnit, SetDefaultIrqAffinity, SetFrequency
from vfiod.handoff.steps.screen import AwaitDisplay, ReleaseConsoles, UnbindFramebuffer
from vfiod.handoff.steps.support import Inhibit, LoadModule, StageRom, UnloadModule
from vfiod.model import PciAddress, Session

# For each kind of step, which kinds may stand somewhere before it. The order is a safety rule:
# what can fail harmlessly comes first, then the desktop, the gate, the picture, the devices.
BEFORE: dict[type[Step], set[type[Step]]] = {
    Inhibit: set(),
    ReserveHugePages: {Inhibit},
}
BEFORE[TransparentHugePages] = BEFORE[ReserveHugePages] | {ReserveHugePages}
BEFORE[SetFrequency] = BEFORE[TransparentHugePages] | {TransparentHugePages}
BEFORE[LoadModule] = BEFORE[SetFrequency] | {SetFrequency}
BEFORE[StageRom] = BEFORE[LoadModule] | {LoadModule, StageRom}
BEFORE[RememberApplications] = BEFORE[StageRom] | {RememberApplications}
BEFORE[KeepAwake] = BEFORE[RememberApplications] | {KeepAwake}
# People answer while everything of theirs is there, keyboards on a USB controller too.
BEFORE[AnnounceStart] = BEFORE[KeepAwake]
BEFORE[AskToLogOut] = BEFORE[KeepAwake] | {AnnounceStart}
# A USB controller goes beside the desktop.
BEFORE[Detach] = BEFORE[AskToLogOut] | {AskToLogOut, Detach}
BEFORE[CloseGate] = BEFORE[Detach]
BEFORE[SpareGuests] = BEFORE[CloseGate] | {CloseGate}
BEFORE[StopUserUnits] = BEFORE[SpareGuests] | {SpareGuests, StopUnit, StopUserUnits}
BEFORE[StopContainer] = BEFORE[StopUserUnits] | {StopUserUnits, StopUnit, StopContainer}
BEFORE[StopDisplayManager] = BEFORE[StopContainer] | {StopUnit, StopContainer}
BEFORE[EndSessions] = BEFORE[StopDisplayManager] | {StopDisplayManager}
BEFORE[StopInManager] = BEFORE[EndSessions] | {EndSessions, StopInManager}
BEFORE[StopUnit] = BEFORE[StopInManager] | {StopUnit}
BEFORE[ReleaseHolders] = BEFORE[StopUnit]
# A console that stays away for good holds up no display on the way back.
BEFORE[ReleaseConsoles] = BEFORE[ReleaseHolders] | {ReleaseHolders}
BEFORE[AwaitDisplay] = BEFORE[ReleaseConsoles] | {ReleaseConsoles, AwaitDisplay}
BEFORE[UnbindFramebuffer] = BEFORE[AwaitDisplay] | {AwaitDisplay, UnbindFramebuffer}
BEFORE[AimOverride] = BEFORE[UnbindFramebuffer] | {UnbindFramebuffer, AimOverride}
BEFORE[UnloadModule] = BEFORE[AimOverride] | {AimOverride, UnloadModule}
BEFORE[Detach] = BEFORE[UnloadModule] | {Detach}
BEFORE[OpenGate] = BEFORE[Detach]
BEFORE[AwaitLibvirt] = BEFORE[OpenGate] | {OpenGate}
BEFORE[StartAgain] = BEFORE[AwaitLibvirt] | {AwaitLibvirt, StartAgain}
BEFORE[LimitUnit] = BEFORE[StartAgain] | {StartAgain, LimitUnit}
BEFORE[SetDefaultIrqAffinity] = BEFORE[LimitUnit]

HARMLESS = (
    Inhibit, ReserveHugePages, TransparentHugePages, SetFrequency, LoadModule, StageRom,
)  # fmt: skip
DARKENING = (ReleaseConsoles, UnbindFramebuffer, UnloadModule)


def polite() -> FakeHost:
    """People are asked first, and a USB controller goes over."""
    host = pcs.desktop()
    host.configuration = "sessions: log-out\n" + pcs.configuration()
    return host


SHAPES: Sequence[Callable[[], FakeHost]] = (
    pcs.greeter, pcs.desktop, pcs.crowded, pcs.text_console, pcs.on_vfio, pcs.nvidia,
    lambda: pcs.greeter(pcs.bare(audio=None)),
    lambda: pcs.greeter(pcs.bare(audio="vfio-pci")), pcs.tuned, pcs.autologin, pcs.container,
    polite, pcs.reopening, pcs.staying, pcs.arc, pcs.two_nvidia,
)  # fmt: skip


def request(host: FakeHost, config: Config | None = None) -> Request:
    config = config or parse(host.configuration or pcs.configuration())
    guest, domain = config.guests["win10"], domain_of(host.guest or pcs.xml())
    return Request(config, guest, domain, snapshot.read(host, config, guest, domain))


def plan(host: FakeHost, config: Config | None = None) -> Plan:
    return plan_handoff(request(host, config))


def of_kind(decided: Plan, *kinds: type[Step]) -> list[Step]:
    return [step for step in decided.steps if isinstance(step, kinds)]


def places(decided: Plan, *kinds: type[Step]) -> list[int]:
    return [n for n, step in enumerate(decided.steps) if isinstance(step, kinds)]


def departures(decided: Plan) -> dict[PciAddress, int]:
    """Where in the plan each device goes."""
    return {s.address: n for n, s in enumerate(decided.steps) if isinstance(s, Detach)}


def darkening(decided: Plan) -> list[int]:
    """Places of what takes the picture away."""
    cards = {n for address, n in departures(decided).items() if address.card == pcs.VGA.card}
    return sorted({*places(decided, *DARKENING), *cards})


# Rules of order, on every PC


def test_every_kind_of_step_has_its_place_in_the_order() -> None:
    assert set(BEFORE) == set(KINDS.values())


@pytest.mark.parametrize("shape", SHAPES)
def test_each_step_comes_only_after_those_it_may(shape: Callable[[], FakeHost]) -> None:
    steps = plan(shape()).steps
    for number, step in enumerate(steps):
        earlier = {type(s) for s in steps[:number]}
        assert earlier <= BEFORE[type(step)], step


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_darkens_the_screen_before_all_that_can_still_refuse(
    shape: Callable[[], FakeHost],
) -> None:
    decided = plan(shape())
    dark = min(darkening(decided), default=len(decided.steps))
    harmless = places(decided, *HARMLESS, ReleaseHolders)
    assert max(harmless) < dark


@pytest.mark.parametrize("shape", SHAPES)
def test_the_desktop_ends_only_after_all_that_can_fail_harmlessly(
    shape: Callable[[], FakeHost],
) -> None:
    decided = plan(shape())
    desktop = places(decided, StopDisplayManager, EndSessions, StopUnit)
    harmless = places(decided, *HARMLESS)
    assert not desktop or max(harmless) < min(desktop)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_held_device_is_detached(shape: Callable[[], FakeHost]) -> None:
    decided = plan(shape())
    functions = request(shape()).state.functions
    leaving = {a: n for a, n in departures(decided).items() if not functions[a].is_usb_controller}
    gates = [s for s in decided.steps if isinstance(s, ReleaseHolders)]
    held = {a for gate in gates for a in gate.addresses}
    assert held == {a for a in leaving if functions[a].driver is not None}
    gate = max(places(decided, ReleaseHolders), default=-1)
    assert all(place > gate for place in leaving.values())


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gate_is_closed_from_before_the_desktop_ends_until_the_nodes_are_gone(
    shape: Callable[[], FakeHost],
) -> None:
    decided = plan(shape())
    gates = [s for s in decided.steps if isinstance(s, ReleaseHolders)]
    closed = [s for s in decided.steps if isinstance(s, CloseGate)]
    assert {a for s in closed for a in s.addresses} == {a for s in gates for a in s.addresses}
    ends = places(decided, StopDisplayManager, EndSessions, StopUnit, ReleaseHolders)
    assert max(places(decided, CloseGate), default=-1) < min(ends, default=len(decided.steps))
    if closed:
        (last,) = places(decided, OpenGate)
        assert last > max(departures(decided).values())


def test_a_kernel_that_cannot_close_the_gate_is_told_of() -> None:
    host = pcs.desktop()
    assert not plan(host).remarks
    host.user.has_gate = False
    decided = plan(host)
    assert not of_kind(decided, CloseGate, OpenGate)
    (remark,) = decided.remarks
    assert "no BPF" in remark


def test_intel_s_sound_goes_in_line_with_its_display_and_nobody_else_s_does() -> None:
    decided = plan(pcs.arc())
    assert Detach(pcs.ARC_SOUND, 20, in_line=pcs.VGA.card) in decided.steps
    assert {Detach(pcs.VGA, 20), Detach(pcs.USB, 20)} <= set(decided.steps)
    assert Detach(pcs.AUDIO, 20) in plan(pcs.greeter()).steps


@pytest.mark.parametrize("shape", SHAPES)
def test_a_usb_controller_goes_beside_the_desktop(shape: Callable[[], FakeHost]) -> None:
    found = stages(plan(shape()).steps)
    away = Detach(pcs.USB, 20.0)
    stage = next(s for s in found for group in s for step in group if step == away)
    desktop = [step for step in plan(shape()).steps if isinstance(step, StopDisplayManager)]
    assert all(any(step in group for group in stage) for step in desktop)


def test_a_usb_controller_of_the_card_itself_goes_with_the_card() -> None:
    host = pcs.greeter()
    audio = host.kernel.device(pcs.AUDIO)
    audio.function = replace(audio.function, class_code=0x0C0330)
    decided = plan(host)
    (gate,) = places(decided, ReleaseHolders)
    assert departures(decided)[pcs.AUDIO] > gate


@pytest.mark.parametrize("shape", SHAPES)
def test_the_display_is_the_last_to_go(shape: Callable[[], FakeHost]) -> None:
    host = shape()
    later = {pcs.AUDIO} if host.pci.driver(pcs.VGA) == "nvidia" else set()
    gone = [address for address in departures(plan(host)) if address not in later]
    assert pcs.VGA not in gone[:-1]


@pytest.mark.parametrize("shape", SHAPES)
def test_on_the_way_back_the_picture_is_there_before_the_display_manager(
    shape: Callable[[], FakeHost],
) -> None:
    decided = plan(shape())
    manager, display = places(decided, StopDisplayManager), places(decided, AwaitDisplay)
    assert bool(display) >= bool(manager)
    assert not manager or max(manager) < min(display)
    # Connectors keep what they know without a console, and nothing else may have gone by then.
    consoles = set(places(decided, ReleaseConsoles))
    assert not display or max(display) < min({*darkening(decided)} - consoles)
    assert not consoles or max(consoles) < min(display)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_device_is_kept_awake_before_it_goes(shape: Callable[[], FakeHost]) -> None:
    decided = plan(shape())
    awake = {s.address: n for n, s in enumerate(decided.steps) if isinstance(s, KeepAwake)}
    gone = departures(decided)
    assert set(awake) == set(gone)
    assert all(awake[address] < gone[address] for address in gone)


@pytest.mark.parametrize("shape", SHAPES)
def test_power_is_kept_beside_the_desktop_not_after_it(shape: Callable[[], FakeHost]) -> None:
    decided = plan(shape())
    desktop = places(decided, StopDisplayManager, EndSessions, StopUnit, ReleaseHolders)
    assert max(places(decided, KeepAwake), default=-1) < min(desktop, default=len(decided.steps))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_host_has_all_its_cpus_back_before_a_device_comes_home(
    shape: Callable[[], FakeHost],
) -> None:
    decided = plan(shape())
    limits = places(decided, LimitUnit, SetDefaultIrqAffinity)
    assert all(place > gone for place in limits for gone in places(decided, Detach))


def test_the_plan_of_a_desktop_in_words() -> None:
    assert [step.describe() for step in plan(pcs.crowded()).steps] == [
        "block sleep and the power key",
        "load the module vfio_pci",
        "put the ROM /home/alice/card.rom where QEMU may read it",
        "keep 0000:01:00.1 powered",
        "keep 0000:02:00.0 powered",
        "keep 0000:01:00.0 powered",
        "move 0000:02:00.0 to vfio-pci",
        "keep 0000:01:00.0, 0000:01:00.1 from being opened again",
        "stop lactd.service",
        "stop user@1001.service",
        "stop the display manager lightdm.service",
        "end the desktop of alice",
        "stop user@1000.service",
        "wait until no process holds 0000:01:00.0, 0000:01:00.1",
        "unbind the framebuffer console",
        "remember what 0000:01:00.0 shows",
        "move 0000:01:00.1 to vfio-pci",
        "move 0000:01:00.0 to vfio-pci",
        "let device nodes be opened again",
        "keep the devices until libvirt is done with the guest",
        "start user@1001.service again, without the devices",
    ]


def test_whose_plan_it_is() -> None:
    decided = plan(pcs.greeter())
    assert (decided.guest, decided.uuid) == ("win10", pcs.UUID)
    assert decided.devices == pcs.DEVICES
    assert decided.groups == (10, 11)


def test_a_plan_is_the_same_each_time() -> None:
    host = pcs.crowded()
    assert plan(host) == plan(host)
    assert host.effects.log == []


def test_a_refusal_carries_every_reason() -> None:
    host = pcs.greeter()
    host.memory.free = 0
    host.user.shutting_down = True
    with pytest.raises(Refused) as caught:
        plan(host)
    assert len(caught.value.reasons) == 2


# Steps that are not needed are not there


def test_a_device_on_vfio_before_has_no_step() -> None:
    decided = plan(pcs.on_vfio())
    assert {s.device for s in of_kind(decided, Detach, KeepAwake)} == {str(pcs.USB)}
    assert not of_kind(
        decided, StopDisplayManager, EndSessions, AwaitDisplay, ReleaseConsoles, UnbindFramebuffer
    )


def test_with_all_devices_on_vfio_the_desktop_stays() -> None:
    host = pcs.desktop(pcs.on_vfio())
    host.kernel.modules["vfio_pci"] = True
    host.kernel.device(pcs.USB).driver = "vfio-pci"
    assert {type(step) for step in plan(host).steps} == {Inhibit, StageRom}


def test_a_second_card_for_the_host_keeps_the_desktop() -> None:
    """The guest's own card has no driver of the host: the desktop lives on another one."""
    host = pcs.desktop(pcs.bare(vga=None))
    assert not of_kind(plan(host), StopDisplayManager, EndSessions, AwaitDisplay, ReleaseConsoles)


def test_without_a_display_manager_none_is_stopped() -> None:
    assert not of_kind(plan(pcs.text_console()), StopDisplayManager)


def test_a_display_manager_that_does_not_run_is_not_stopped() -> None:
    host = pcs.greeter()
    host.user.stop("lightdm.service")
    assert not of_kind(plan(host), StopDisplayManager)


def test_the_display_manager_is_stopped_by_its_own_name() -> None:
    (step,) = of_kind(plan(pcs.greeter()), StopDisplayManager)
    assert step == StopDisplayManager("lightdm.service", (pcs.VGA,), 20, draws=True)


def test_unbound_audio_is_moved_but_has_no_holders() -> None:
    decided = plan(pcs.greeter(pcs.bare(audio=None)))
    (gate,) = of_kind(decided, ReleaseHolders)
    assert isinstance(gate, ReleaseHolders)
    assert pcs.AUDIO not in gate.addresses
    assert Detach(pcs.AUDIO, 20) in decided.steps


def test_consoles_are_left_alone_if_the_configuration_says_so() -> None:
    decided = plan(pcs.greeter(), pcs.settings(more="release_consoles: false\n"))
    assert not of_kind(decided, ReleaseConsoles)


def test_without_a_framebuffer_console_none_is_released() -> None:
    host = pcs.greeter()
    host.kernel.fbcon = None
    assert not of_kind(plan(host), ReleaseConsoles)


def test_nvidia_s_modules_go_in_their_order() -> None:
    decided = plan(pcs.nvidia())
    modules = [s.module for s in of_kind(decided, UnloadModule) if isinstance(s, UnloadModule)]
    assert modules == ["nvidia_drm", "nvidia_modeset", "nvidia_uvm", "nvidia"]
    assert of_kind(decided, UnbindFramebuffer) == [
        UnbindFramebuffer("efi-framebuffer.0", "efi-framebuffer")
    ]


@pytest.mark.parametrize(("parent", "leaves"), [(pcs.VGA, True), (pcs.DISK, False)])
def test_the_firmwares_framebuffer_leaves_with_its_own_card(
    parent: PciAddress, *, leaves: bool
) -> None:
    host = pcs.nvidia()
    host.kernel.framebuffers[:] = [replace(pcs.EFIFB, parent=parent)]
    card = host.kernel.device(pcs.VGA)
    card.function = replace(card.function, boot_vga=not leaves)
    assert bool(of_kind(plan(host), UnbindFramebuffer)) == leaves


def test_only_modules_that_are_loaded_are_unloaded() -> None:
    host = pcs.nvidia()
    host.kernel.modules["nvidia_uvm"] = False
    modules = [s.module for s in of_kind(plan(host), UnloadModule) if isinstance(s, UnloadModule)]
    assert modules == ["nvidia_drm", "nvidia_modeset", "nvidia"]


def test_another_card_of_nvidia_s_keeps_its_driver() -> None:
    decided = plan(pcs.two_nvidia())
    assert not of_kind(decided, UnloadModule)
    assert Detach(pcs.VGA, 20) in decided.steps


def test_nvidia_s_sound_goes_after_the_display_and_comes_home_before_it() -> None:
    gone = departures(plan(pcs.two_nvidia()))
    assert gone[pcs.USB] < gone[pcs.VGA] < gone[pcs.AUDIO]


def test_other_cards_unload_nothing() -> None:
    host = pcs.greeter()
    host.kernel.modules["nvidia"] = True
    assert not of_kind(plan(host), UnloadModule)


def test_the_firmware_s_framebuffer_stays_if_the_card_is_not_the_boot_display() -> None:
    host = pcs.nvidia()
    device = host.kernel.device(pcs.VGA)
    device.function = replace(device.function, boot_vga=False)
    assert not of_kind(plan(host), UnbindFramebuffer)


# ROM


def test_a_rom_that_the_guest_reads_where_it_lies_is_not_staged() -> None:
    host = pcs.greeter()
    host.files.readable_in_place.add(pcs.ROM)
    asked = request(host)
    (hostdev, *others) = asked.domain.hostdevs
    in_place = replace(hostdev, rom_file=pcs.ROM)
    domain = replace(asked.domain, hostdevs=(in_place, *others))
    assert not of_kind(plan_handoff(replace(asked, domain=domain)), StageRom)


def test_a_rom_is_staged_with_the_digest_of_what_was_checked() -> None:
    (step,) = of_kind(plan(pcs.greeter()), StageRom)
    assert isinstance(step, StageRom)
    assert (step.address, step.path) == (pcs.VGA, pcs.ROM)
    assert len(step.digest) == 64


# Sessions and units


def add_session(
    host: FakeHost, seat: str, *, graphical: bool, opens: tuple[PciAddress, ...]
) -> None:
    session = Session("9", "carol", 1009, seat, "user", graphical, "session-9.scope")
    host.user.log_in(session, Program("program", opens, uid=1009))


@pytest.mark.parametrize(
    ("seat", "graphical", "opens", "ends"),
    [
        ("seat0", True, (), True),
        ("seat0", True, (pcs.VGA,), True),
        ("seat0", False, (), False),
        ("seat0", False, (pcs.VGA,), True),
        ("seat0", False, (pcs.AUDIO,), True),
        ("", False, (), False),
        ("", False, (pcs.VGA,), False),
        ("", True, (), False),
        ("", True, (pcs.VGA,), True),
        ("seat1", True, (), True),  # the display manager began it, and ends
        ("seat1", False, (), False),
    ],
)
def test_which_sessions_end(
    *, seat: str, graphical: bool, opens: tuple[PciAddress, ...], ends: bool
) -> None:
    host = pcs.greeter()
    add_session(host, seat, graphical=graphical, opens=opens)
    assert of_kind(plan(host), EndSessions) == (
        [EndSessions(("9",), 20, ("carol",))] if ends else []
    )


def test_a_text_login_whose_desktop_is_in_the_user_s_manager_ends_with_it() -> None:
    """uwsm: the compositor is a unit of the user's, and the session on tty1 waits for it."""
    host = pcs.bare()
    host.user.add(FakeUnit("user@1009.service", (Program("Hyprland", (pcs.VGA,), uid=1009),)))
    add_session(host, "seat0", graphical=False, opens=())
    assert of_kind(plan(host), EndSessions) == [EndSessions(("9",), 20, ("carol",))]


def test_a_text_login_beside_the_desktop_of_the_same_user_stays() -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit("user@1009.service", (Program("Hyprland", (pcs.VGA,), uid=1009),)))
    add_session(host, "seat0", graphical=False, opens=())
    desktop = Session("8", "carol", 1009, "seat0", "user", graphical=True, unit="session-8.scope")
    host.user.log_in(desktop)
    assert of_kind(plan(host), EndSessions) == [EndSessions(("8",), 20, ("carol",))]


def test_what_an_earlier_login_has_left_begins_no_desktop_and_is_none() -> None:
    host = pcs.bare()
    for ident, graphical in (("7", True), ("8", False)):
        scope = f"session-{ident}.scope"
        host.user.log_in(
            Session(ident, "carol", 1009, "seat0", "user", graphical=graphical, unit=scope),
            Program("tmux", uid=1009, ignores=frozenset({1})),
        )
        host.user.hang_up(ident)
    host.user.spawn(Program("Hyprland", (pcs.VGA,), uid=1009), "user@1009.service")
    add_session(host, "seat0", graphical=False, opens=())
    assert of_kind(plan(host), EndSessions) == [EndSessions(("9",), 20, ("carol",))]


def test_a_getty_that_would_log_in_again_is_stopped_before_its_session_ends() -> None:
    steps = plan(pcs.autologin()).steps
    getty = StopUnit("getty@tty1.service", restart=True, seconds=20, displays=(pcs.VGA,))
    assert steps.index(getty) < steps.index(EndSessions(("1",), 20, ("alice",)))


def test_a_getty_whose_session_stays_stays_too() -> None:
    host = pcs.autologin()
    getty = host.user.units["getty@tty1.service"]
    assert getty.logs_in is not None
    host.user.stop("getty@tty1.service")
    host.settle()
    getty.logs_in = (getty.logs_in[0], (Program("bash", uid=1000),))
    host.user.start("getty@tty1.service")
    assert stopped(host) == []


def test_a_container_is_stopped_by_its_engine_and_is_nobody_s_work() -> None:
    decided = plan(pcs.container())
    assert of_kind(decided, StopContainer) == [
        StopContainer("docker", pcs.CONTAINER, 20, after_displays=(pcs.VGA,), displays=(pcs.VGA,))
    ]
    assert decided.ends == ("alice (gnome-shell, pipewire)",)


def test_services_of_one_s_choice_are_stopped_once_each() -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,)),)))
    host.user.add(FakeUnit("k3s.service", (Program("k3s"),)))
    config = pcs.settings(more="stop: [k3s.service, lactd.service]\n")
    units = [s.unit for s in plan(host, config).steps if isinstance(s, StopUnit)]
    assert units == ["k3s.service", "lactd.service"]


def test_whose_work_ends_is_told_with_their_programs() -> None:
    host = pcs.crowded()
    host.user.spawn(Program("soffice.bin", uid=1000, title="LibreOffice"), "session-2.scope")
    host.user.spawn(Program("python3", (pcs.VGA,), uid=1002))
    assert plan(host).ends == (
        "alice (LibreOffice, gnome-shell, pipewire)",
        "bob (stubborn, wireplumber)",
        "user 1002 (python3)",
    )


@pytest.mark.parametrize(("uid", "ends"), [(0, ()), (994, ()), (1000, ("alice (python3)",))])
def test_the_work_in_a_service_is_that_of_who_runs_it(uid: int, ends: tuple[str, ...]) -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit("jupyterhub.service", (Program("python3", (pcs.VGA,), uid=uid),)))
    assert plan(host).ends == ends


def test_a_service_of_one_s_choice_is_nobody_s_surprise() -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit("jellyfin.service", (Program("jellyfin", (pcs.VGA,), uid=1000),)))
    assert plan(host, pcs.settings(more="stop: [jellyfin.service]\n")).ends == ()


def test_a_greeter_is_no_session_to_end() -> None:
    assert not of_kind(plan(pcs.greeter()), EndSessions)


def stopped(host: FakeHost) -> list[StopUnit]:
    return [step for step in plan(host).steps if isinstance(step, StopUnit)]


def test_a_service_that_holds_a_device_is_stopped_and_started_again() -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,)),)))
    wanted = StopUnit(
        "lactd.service", restart=True, seconds=20, after_displays=(pcs.VGA,), displays=(pcs.VGA,)
    )
    assert stopped(host) == [wanted]


def test_a_service_is_stopped_before_the_display_manager_and_started_after_it() -> None:
    """Who opens a card first is its master, and that must not be a monitoring tool."""
    steps = plan(pcs.crowded()).steps
    service = StopUnit("lactd.service", restart=True, seconds=20, displays=(pcs.VGA,))
    manager = StopDisplayManager("lightdm.service", (pcs.VGA,), 20, draws=True)
    assert steps.index(service) < steps.index(manager)


def test_without_a_display_manager_nobody_is_waited_for() -> None:
    host = pcs.text_console()
    host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,)),)))
    assert stopped(host) == [
        StopUnit("lactd.service", restart=True, seconds=20, displays=(pcs.VGA,))
    ]


# With one of these as a holder a start is refused (checks.holders_let_go).
REFUSED = {"vfiod.service", *spared.LIBVIRT}
CONNECTION = "ssh@3-10.0.0.2:22-10.0.0.1:50000.service"


@pytest.mark.parametrize("unit", sorted({*spared.NAMES, CONNECTION} - REFUSED))
def test_services_that_the_handoff_needs_are_never_stopped(unit: str) -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit(unit, (Program("program", (pcs.VGA,)),)))
    assert stopped(host) == []


def test_one_under_another_name_is_spared_too() -> None:
    """systemd says what it calls it, and who is its own."""
    host = pcs.greeter()
    ssh = FakeUnit("our-sshd.service", (Program("sshd", (pcs.VGA,)),), aliases=("ssh.service",))
    host.user.add(ssh)
    host.user.add(FakeUnit("seatd.service", (Program("seatd", (pcs.VGA,)),)))
    host.user.needed["vfiod.service"] = {"seatd.service"}
    assert stopped(host) == []


def test_what_belongs_to_the_boot_is_not_started_again() -> None:
    """plymouth: nobody would end it, and it would paint over the login screen."""
    host = pcs.greeter()
    host.user.add(FakeUnit("plymouth-start.service", (Program("plymouthd", (pcs.VGA,)),)))
    assert stopped(host) == [StopUnit("plymouth-start.service", restart=False, seconds=20)]


def test_the_display_manager_is_not_stopped_twice() -> None:
    assert stopped(pcs.greeter()) == []


def test_the_manager_of_a_user_who_leaves_ends_even_if_it_holds_nothing() -> None:
    """Its programs have memory that the guest is to get."""
    host = pcs.greeter()
    add_session(host, "seat0", graphical=True, opens=())
    assert stopped(host) == [StopUnit("user@1009.service", restart=False, seconds=20)]


def test_a_getty_that_begins_the_desktop_is_back_before_a_service_opens_the_card() -> None:
    """The compositor would not become the card's master, end, and be begun again for ever."""
    host = pcs.autologin()
    host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,)),)))
    lact, getty = stopped(host)[:2]
    assert (lact.unit, lact.after_displays) == ("lactd.service", (pcs.VGA,))
    assert (getty.unit, getty.after_displays) == ("getty@tty1.service", ())


def test_a_getty_of_one_s_choice_is_stopped_once_and_begun_first() -> None:
    host = pcs.autologin()
    host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,)),)))
    config = pcs.settings(more="stop: [getty@tty1.service, k3s.service]\n")
    units = [s.unit for s in plan(host, config).steps if isinstance(s, StopUnit)]
    assert units[:3] == ["k3s.service", "lactd.service", "getty@tty1.service"]


def test_so_is_one_before_a_service_of_somebody_s_own() -> None:
    host = pcs.autologin()
    host.user.lingering.add(1000)
    group = f"{pcs.IN_MANAGER}/app.slice/sunshine.service"
    host.user.spawn(Program("sunshine", (pcs.VGA,), uid=1000, group=group), "user@1000.service")
    steps = plan(host).steps
    (theirs,) = (step for step in steps if isinstance(step, StopUserUnits))
    assert theirs.after_displays == (pcs.VGA,)
    (getty,) = (s for s in steps if isinstance(s, StopUnit) and s.unit == "getty@tty1.service")
    assert steps.index(theirs) < steps.index(getty)


def test_the_manager_of_a_user_who_leaves_is_not_started_again() -> None:
    assert stopped(pcs.desktop()) == [StopUnit("user@1000.service", restart=False, seconds=20)]


@pytest.mark.parametrize("reason", ["lingers", "other session"])
def test_the_manager_of_a_user_who_stays_is_started_again(reason: str) -> None:
    host = pcs.desktop()
    if reason == "lingers":
        host.user.lingering.add(1000)
    else:
        host.user.log_in(Session("5", "alice", 1000, "", "user", unit="session-5.scope"))
    wanted = StopUnit(
        "user@1000.service",
        restart=True,
        seconds=20,
        after_displays=(pcs.VGA,),
        displays=(pcs.VGA,),
    )
    assert stopped(host) == [wanted]


def test_without_a_display_that_leaves_no_user_manager_is_stopped() -> None:
    """A USB controller alone goes over: nobody's session has to end for it."""
    host = pcs.desktop(pcs.bare(vga=None))
    assert stopped(host) == []


def test_the_gate_knows_who_has_the_devices() -> None:
    host = pcs.crowded()
    (gate,) = [step for step in plan(host).steps if isinstance(step, ReleaseHolders)]
    assert gate.addresses == (pcs.VGA, pcs.AUDIO)
    assert set(gate.known) == {h.pid for h in host.processes.holders(gate.addresses)} != set()


def test_the_limits_of_the_configuration_are_used() -> None:
    more = "limits: {desktop: 1, holders: 2, kill: 3, driver: 4, display: 5, guest: 6}\n"
    decided = plan(pcs.crowded(), pcs.settings(more=more))
    assert StopDisplayManager("lightdm.service", (pcs.VGA,), 1, draws=True) in decided.steps
    assert EndSessions(("2",), 1, ("alice",)) in decided.steps
    assert StopUnit("lactd.service", restart=True, seconds=1, displays=(pcs.VGA,)) in decided.steps
    (gate,) = [step for step in decided.steps if isinstance(step, ReleaseHolders)]
    assert (gate.seconds, gate.kill_seconds) == (2, 3)
    assert Detach(pcs.VGA, 4) in decided.steps
    assert LoadModule("vfio_pci", 4) in decided.steps
    assert AwaitDisplay(pcs.VGA, 5) in decided.steps
