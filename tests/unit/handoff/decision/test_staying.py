"""What need not end: whose applications are written down, and whose manager goes on."""

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.userspace import FakeUnit, Program
from vfiod.config.schema import parse
from vfiod.guest.domain import parse as domain_of
from vfiod.handoff.decision import snapshot, staying
from vfiod.handoff.decision.plan import Plan, plan_handoff
from vfiod.handoff.decision.request import Request
from vfiod.handoff.steps.desktop import StartAgain, StopUnit
from vfiod.handoff.steps.people import (
    GRAPHICAL,
    EndSessions,
    RememberApplications,
    StopInManager,
    StopUserUnits,
)
from vfiod.model import Holder, Session

MANAGER = "user@1000.service"


def request(host: FakeHost, more: str = "") -> Request:
    config = parse(more + (host.configuration or pcs.configuration()))
    guest, domain = config.guests["win10"], domain_of(pcs.xml())
    return Request(config, guest, domain, snapshot.read(host, config, guest, domain))


def plan(host: FakeHost, more: str = "") -> Plan:
    return plan_handoff(request(host, more))


def about(decided: Plan, unit: str) -> list[object]:
    kinds = StopUnit | StartAgain
    return [s for s in decided.steps if isinstance(s, kinds) and s.unit == unit]


def stops(decided: Plan) -> list[StopInManager]:
    return [step for step in decided.steps if isinstance(step, StopInManager)]


def remembers(decided: Plan) -> list[RememberApplications]:
    return [step for step in decided.steps if isinstance(step, RememberApplications)]


# Whose applications are written down


@pytest.mark.parametrize("how", ["ask", "always"])
def test_what_is_open_is_written_down_before_anything_ends(how: str) -> None:
    decided = plan(pcs.desktop(), f"reopen: {how}\n")
    (step,) = remembers(decided)
    assert step == RememberApplications(1000, "alice", ("2",), how, 20.0)
    ends = next(n for n, s in enumerate(decided.steps) if isinstance(s, EndSessions))
    assert decided.steps.index(step) < ends


def test_nothing_is_written_down_unless_it_is_wanted() -> None:
    assert remembers(plan(pcs.desktop())) == []


@pytest.mark.parametrize("uid", [0, 105])
def test_never_for_root_or_an_account_of_the_system(uid: int) -> None:
    host = pcs.greeter()
    host.user.log_in(
        Session("2", "somebody", uid, "seat0", "user", graphical=True, unit="session-2.scope"),
        Program("Xorg", (pcs.VGA,), uid=uid),
    )
    decided = plan(host, "reopen: always\n")
    assert EndSessions(("2",), 20, ("somebody",)) in decided.steps
    assert remembers(decided) == []


def test_each_user_once_with_all_sessions_that_end() -> None:
    host = pcs.desktop()
    for ident, user, uid in (("3", "alice", 1000), ("4", "carol", 1002)):
        unit = f"session-{ident}.scope"
        host.user.log_in(Session(ident, user, uid, "seat0", "user", graphical=True, unit=unit))
    found = [(s.user, s.sessions) for s in remembers(plan(host, "reopen: ask\n"))]
    assert found == [("alice", ("2", "3")), ("carol", ("4",))]


def test_who_is_not_at_the_screen_is_not_asked_about() -> None:
    users = {step.user for step in remembers(plan(pcs.crowded(), "reopen: ask\n"))}
    assert users == {"alice"}


# Whose manager goes on


def test_what_an_earlier_login_has_left_is_no_desktop_that_goes_on() -> None:
    """alice's last one ends: what goes with it in her manager is not waited for."""
    host = pcs.staying()
    earlier = Session("1", "alice", 1000, "seat0", "user", graphical=True, unit="session-1.scope")
    host.user.log_in(earlier, Program("tmux", uid=1000, ignores=frozenset({1})))
    host.user.hang_up("1")
    (step,) = stops(plan(host))
    assert step.units == (GRAPHICAL,)


def test_a_manager_that_stays_only_lets_go() -> None:
    decided = plan(pcs.staying())
    assert stops(decided) == [
        StopInManager(1000, "alice", (GRAPHICAL,), ("pipewire.service",), 20.0)
    ]
    assert about(decided, MANAGER) == []
    assert decided.stays == ("alice",)


def test_a_desktop_from_afar_in_the_same_manager_stays() -> None:
    host = pcs.staying()
    unit = "session-5.scope"
    host.user.log_in(Session("5", "alice", 1000, "", "user", graphical=True, unit=unit))
    (step,) = stops(plan(host))
    assert step.units == ()


def test_it_lets_go_once_the_session_has_ended() -> None:
    steps = plan(pcs.staying()).steps
    assert steps.index(stops(plan(pcs.staying()))[0]) > steps.index(
        EndSessions(("2",), 20, ("alice",))
    )


def test_a_manager_that_ends_with_its_session_is_stopped_as_ever() -> None:
    decided = plan(pcs.desktop())
    assert (stops(decided), decided.stays) == ([], ())
    assert about(decided, MANAGER) == [StopUnit(MANAGER, restart=False, seconds=20)]


def test_without_a_gate_a_manager_is_stopped_and_started_again() -> None:
    """pipewire's socket would start it again, and it would open the card again."""
    host = pcs.staying()
    host.user.has_gate = False
    decided = plan(host)
    assert (stops(decided), decided.stays) == ([], ())
    assert [type(step) for step in about(decided, MANAGER)] == [StopUnit, StartAgain]


def test_a_manager_that_holds_nothing_just_goes_on() -> None:
    host = pcs.staying()
    for process in host.user.inside(1000, ["pipewire.service"]):
        process.nodes.clear()
    decided = plan(host)
    assert (stops(decided), decided.stays) == ([], ("alice",))


def test_a_user_without_a_desktop_keeps_what_is_theirs() -> None:
    host = pcs.greeter()
    host.user.lingering.add(1000)
    group = f"{pcs.IN_MANAGER}/app.slice/mpd.service"
    host.user.add(FakeUnit(MANAGER, (Program("mpd", (pcs.AUDIO,), uid=1000, group=group),)))
    decided = plan(host)
    assert stops(decided) == [StopInManager(1000, "alice", (), ("mpd.service",), 20.0)]
    assert about(decided, MANAGER) == []


@pytest.mark.parametrize(
    ("group", "opens", "ends"),
    [
        ("session.slice/pipewire.service", pcs.AUDIO, False),
        ("session.slice/org.gnome.Shell@wayland.service", pcs.VGA, True),
        ("app.slice/app-firefox@7f.service", pcs.AUDIO, True),
        ("app.slice/app-gnome-mpv-77.scope", pcs.AUDIO, True),
        ("app.slice/mpd.service/sub", pcs.AUDIO, False),
    ],
)
def test_desktops_and_applications_are_stopped_and_services_begin_anew(
    group: str, opens: object, *, ends: bool
) -> None:
    host = pcs.staying()
    assert isinstance(opens, type(pcs.VGA))
    inside = f"{pcs.IN_MANAGER}/{group}"
    host.user.spawn(Program("it", (opens,), uid=1000, group=inside), MANAGER)
    (step,) = stops(plan(host))
    name = group.split("/")[1]
    assert (name in step.units, name in step.anew) == (ends, not ends)


NAUTILUS = r"dbus-:1.2-org.gnome.Nautilus@0.service"


def drawing(host: FakeHost, group: str, *more: str) -> Plan:
    """What is decided with a service in alice's manager that draws on the card."""
    nodes = [next(n for n in host.kernel.device(pcs.VGA).nodes if "render" in n), *more]
    program = Program("it", uid=1000, group=f"{pcs.IN_MANAGER}/{group}")
    host.user.spawn(program, MANAGER, nodes)
    return plan(host)


def lends(decided: Plan) -> list[str]:
    return [u for step in decided.steps if isinstance(step, StopUserUnits) for u in step.units]


@pytest.mark.parametrize(
    "group",
    [rf"app.slice/app-dbus\x2d:1.2\x2dorg.gnome.Nautilus.slice/{NAUTILUS}",
     f"app.slice/{NAUTILUS}", "session.slice/plasma-plasmashell.service",
     "app.slice/app-org.gnome.Terminal.slice/gnome-terminal-server.service",
     "session.slice/plasma-xdg-desktop-portal-kde.service"],
)  # fmt: skip
def test_what_draws_as_a_part_of_the_desktop_ends_with_it(group: str) -> None:
    """On the way back nobody is logged in, and it would have no screen to be started on."""
    decided = drawing(pcs.staying(), group)
    (step,) = stops(decided)
    assert (group.split("/")[-1] in step.units, lends(decided)) == (True, [])


@pytest.mark.parametrize(
    "group",
    ["app.slice/ollama.service", "background.slice/it.service", "it.service",
     r"app.slice/app-my\x2dllama.slice/my-llama@1.service"],
)  # fmt: skip
def test_a_user_s_own_service_that_draws_comes_back_with_the_card(group: str) -> None:
    assert lends(drawing(pcs.staying(), group)) == [group.split("/")[-1]]


def test_a_part_of_a_desktop_that_goes_on_comes_back_with_the_card() -> None:
    host = pcs.staying()
    unit = "session-5.scope"
    host.user.log_in(Session("5", "alice", 1000, "", "user", graphical=True, unit=unit))
    decided = drawing(host, "session.slice/plasma-plasmashell.service")
    assert lends(decided) == ["plasma-plasmashell.service"]


def test_sound_is_no_part_of_the_desktop_whatever_else_it_has_open() -> None:
    """A session manager of PipeWire's is started by no socket: who stops it has to start it."""
    host = pcs.staying()
    sound = next(iter(host.kernel.device(pcs.AUDIO).nodes))
    decided = drawing(host, "session.slice/wireplumber.service", sound)
    assert lends(decided) == ["wireplumber.service"]


@pytest.mark.parametrize(
    ("group", "unit"),
    [
        (f"{pcs.IN_MANAGER}/session.slice/pipewire.service", "pipewire.service"),
        (f"{pcs.IN_MANAGER}/app.slice/app-a.slice/app-a-1.scope", "app-a-1.scope"),
        (f"{pcs.IN_MANAGER}/app.slice/app-a\\x2db@1.service/x.scope", "app-a\\x2db@1.service"),
        (f"{pcs.IN_MANAGER}/init.scope", None),
        (pcs.IN_MANAGER, None),
        ("", None),
        (f"{pcs.IN_MANAGER}/app.slice/--no-block.service", None),
        (f"{pcs.IN_MANAGER}/app.slice/a b.service", None),
        ("/user.slice/user-1001.slice/user@1001.service/a.service", None),
    ],
)
def test_the_unit_is_read_from_the_control_group(group: str, unit: str | None) -> None:
    holder = Holder(7, "x", "/dev/snd/controlC0", MANAGER, 1000, group)
    assert staying.unit_in_manager(holder) == unit


def test_one_that_is_in_no_unit_has_the_manager_stopped() -> None:
    host = pcs.staying()
    lost = Program("lost", (pcs.AUDIO,), uid=1000, group=f"{pcs.IN_MANAGER}/init.scope")
    host.user.spawn(lost, MANAGER)
    decided = plan(host)
    assert stops(decided) == []
    assert [type(step) for step in about(decided, MANAGER)] == [StopUnit, StartAgain]
