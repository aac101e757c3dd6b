"""Whose login screens open the card, as far as is seen before the desktop ends."""

from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.userspace import FakeUnit, Program
from tests.unit.handoff.decision.test_plan import of_kind, plan
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.model import Session

ALICE = Session("2", "alice", 1000, "seat0", "user", graphical=True, unit="session-2.scope")
GREETER = Session("c1", "greeter", 105, "seat0", "greeter", unit="session-c1.scope")
SHELL = Program("gnome-shell", (pcs.VGA,), uid=1000)


def managed(name: str, *programs: Program) -> FakeHost:
    """A PC with this display manager, which has these programs in its own unit."""
    host = pcs.bare()
    host.user.add(FakeUnit(f"{name}.service", programs, aliases=("display-manager.service",)))
    return host


def draws(host: FakeHost) -> bool:
    (step,) = of_kind(plan(host), StopDisplayManager)
    assert isinstance(step, StopDisplayManager)
    return step.draws


@pytest.mark.parametrize(
    ("name", "expected"),
    [("gdm", True), ("gdm3", True), ("sddm", True), ("lightdm", True), ("greetd", False),
     ("ly", False), ("display-manager", False)],
)  # fmt: skip
def test_while_somebody_works_only_its_name_says_so(*, name: str, expected: bool) -> None:
    host = managed(name, Program(name))
    host.user.log_in(ALICE, SHELL)
    assert draws(host) is expected


@pytest.mark.parametrize("name", ["lightdm", "greetd", "display-manager"])
def test_a_login_screen_that_has_the_card_is_one_of_pictures(name: str) -> None:
    host = managed(name, Program(name))
    host.user.log_in(GREETER, Program("cage", (pcs.VGA,), uid=105))
    assert draws(host)
    assert draws(managed(name, Program("Xorg", (pcs.VGA,))))


def test_one_that_has_not_is_one_of_text() -> None:
    host = managed("greetd", Program("greetd"))
    host.user.log_in(GREETER, Program("tuigreet", uid=105))
    assert not draws(host)


def test_a_greeter_in_a_manager_of_its_own_user() -> None:
    """As GDM's since 49, below any name."""
    host = managed("display-manager", Program("gdm"))
    host.user.add(FakeUnit("user@60578.service", (Program("gnome-shell", (pcs.VGA,), uid=60578),)))
    assert draws(host)


def test_an_x_server_of_somebody_s_in_its_unit_is_no_login_screen() -> None:
    host = managed("emptty", Program("Xorg", (pcs.VGA,)))
    host.user.log_in(ALICE, Program("i3", uid=1000))
    assert not draws(host)


def test_a_program_that_renders_is_no_login_screen_s() -> None:
    """Not on this card: its desktop may be on another one."""
    host = managed("sddm", Program("sddm"))
    host.user.log_in(ALICE, Program("plasmashell", uid=1000))
    blender = host.user.spawn(Program("blender", uid=1000), "user@1000.service")
    blender.nodes.add("/dev/dri/renderD0")
    assert "/dev/dri/renderD0" in host.kernel.device(pcs.VGA).nodes
    assert not draws(host)


def test_sound_is_no_picture() -> None:
    host = managed("gdm", Program("gdm"))
    host.user.log_in(ALICE, Program("wireplumber", (pcs.AUDIO,), uid=1000))
    assert not draws(host)


def test_where_another_card_has_a_screen_nothing_is_missing_on_this_one() -> None:
    host = pcs.greeter()
    other = replace(host.kernel.function(pcs.VGA), address=pcs.DISK, group=20, boot_vga=False)
    host.kernel.add(replace(host.kernel.device(pcs.VGA), function=other), "amdgpu")
    (step,) = of_kind(plan(host), StopDisplayManager)
    assert step == StopDisplayManager("lightdm.service", (), 20)
