"""A card for the host and one for the guest: the desktop ends only if it has the guest's open."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.kernel import Device, Driver
from tests.fakes.rig import Rig
from tests.fakes.userspace import FakeUnit, Program
from vfiod.events import Kind
from vfiod.model import PciAddress, PciFunction, Phase, Session

OWN = PciAddress.parse("0000:00:02.0")
REFUSE = "sessions: refuse\n" + pcs.configuration()
ALICE = Session("2", "alice", 1000, "seat0", "user", graphical=True, unit="session-2.scope")


def two_cards(*opened: PciAddress) -> FakeHost:
    """A desktop of alice's on the host's own card, whose display server has these open."""
    host = pcs.bare()
    own = PciFunction(OWN, 0x1002, 0x1638, 0x030000, group=20)
    host.kernel.add(Device(own, "amdgpu"), "amdgpu")
    host.user.add(
        FakeUnit("lightdm.service", (Program("lightdm"),), aliases=("display-manager.service",))
    )
    host.user.log_in(ALICE, Program("Xorg", opened, uid=1000))
    return host


def test_the_desktop_stays_if_it_does_not_have_the_guest_s_card(run_directory: Path) -> None:
    rig = Rig(two_cards(OWN), run_directory, REFUSE)
    pid = rig.start()
    assert [p.program.command for p in rig.host.user.processes.values()].count("Xorg") == 1
    assert rig.host.units.unit("lightdm.service").active
    assert rig.host.logins.sessions()
    assert rig.host.kernel.fbcon
    rig.end_guest(pid)
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}
    assert rig.host.logins.sessions()
    assert "stop lightdm.service" not in rig.host.effects.log


def test_what_holds_the_guest_s_card_ends_and_nothing_else(run_directory: Path) -> None:
    host = two_cards(OWN)
    host.user.add(FakeUnit("ollama.service", (Program("ollama", (pcs.VGA,)),)))
    rig = Rig(host, run_directory)
    pid = rig.start()
    assert not host.units.unit("ollama.service").active
    assert host.units.unit("lightdm.service").active
    rig.end_guest(pid)
    assert rig.differences() == {}


def test_a_display_server_that_has_both_begins_anew_on_the_other(run_directory: Path) -> None:
    rig = Rig(two_cards(OWN, pcs.VGA), run_directory)
    pid = rig.start()
    assert rig.host.units.unit("lightdm.service").active
    assert rig.host.logins.sessions() == []
    runs = rig.host.user.units["lightdm.service"].runs
    rig.end_guest(pid)
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    assert rig.host.user.units["lightdm.service"].runs == runs


def test_its_people_are_asked_for_where_that_was_wanted(run_directory: Path) -> None:
    rig = Rig(two_cards(OWN, pcs.VGA), run_directory, REFUSE)
    assert "alice" in str(rig.prepare())
    assert rig.host.units.unit("lightdm.service").active


def test_another_card_without_a_screen_is_no_place_for_a_desktop(run_directory: Path) -> None:
    host = two_cards(OWN)
    host.kernel.devices[OWN].monitor = False
    rig = Rig(host, run_directory)
    assert rig.prepare() is None
    assert not host.units.unit("lightdm.service").active


@pytest.mark.parametrize("sound", ["pipewire", "wireplumber"])
def test_the_sound_of_a_desktop_that_stays_is_nobody_s_work(
    run_directory: Path, sound: str
) -> None:
    host = two_cards(OWN)
    host.user.units["user@1000.service"].programs = (Program(sound, (pcs.AUDIO,), uid=1000),)
    host.user.spawn(Program(sound, (pcs.AUDIO,), uid=1000), "user@1000.service")
    rig = Rig(host, run_directory, REFUSE)
    assert rig.prepare() is None
    assert host.units.unit("user@1000.service").active


# A desktop that draws on the guest's card for the screen of the other


def drawing(*, unit: str, command: str) -> FakeHost:
    """A display server with the host's card open, and of the guest's only what one draws by."""
    host = two_cards(OWN)
    node = next(node for node in host.kernel.device(pcs.VGA).nodes if "render" in node)
    host.user.spawn(Program(command, (OWN,), uid=1000), unit, [node])
    return host


UNITS = [("lightdm.service", "Xorg"), ("user@1000.service", "gnome-shell")]


@pytest.mark.parametrize(("unit", "command"), UNITS)
def test_who_draws_on_it_is_the_desktop_too(run_directory: Path, unit: str, command: str) -> None:
    rig = Rig(drawing(unit=unit, command=command), run_directory, REFUSE)
    assert "alice" in str(rig.prepare())


@pytest.mark.parametrize(("unit", "command"), UNITS)
def test_its_people_are_asked_and_it_begins_anew(
    run_directory: Path, unit: str, command: str
) -> None:
    text = "sessions: log-out\n" + pcs.configuration()
    rig = Rig(drawing(unit=unit, command=command), run_directory, text)
    rig.start()
    assert rig.host.goodbyes.asked == ["announce alice", "log out alice"]
    assert rig.host.units.unit("lightdm.service").active
    assert not [message for message in rig.messages(Kind.REMARK) if "SIGTERM" in message]


def test_a_desktop_that_a_getty_begins_is_there_anew_as_well(run_directory: Path) -> None:
    host = two_cards(OWN)
    host.user.stop("lightdm.service")
    del host.user.units["lightdm.service"]
    host.user.stop("session-2.scope")
    host.user.session_ends_after = 0.2
    alice = Session("1", "alice", 1000, "seat0", "user", terminal=1)
    sway = Program("sway", (OWN, pcs.VGA), uid=1000)
    host.user.add(FakeUnit("getty@tty1.service", logs_in=(alice, (sway,))))
    rig = Rig(host, run_directory)
    pid = rig.start()
    assert host.units.unit("getty@tty1.service").active
    assert [s.user for s in host.logins.sessions()] == ["alice"]
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST


def test_a_service_of_alice_s_own_on_it_is_back_after_the_guest(run_directory: Path) -> None:
    host = two_cards(OWN)
    node = next(node for node in host.kernel.device(pcs.VGA).nodes if "render" in node)
    group = f"{pcs.IN_MANAGER}/app.slice/ollama.service"
    host.user.spawn(Program("ollama", uid=1000, group=group), "user@1000.service", [node])
    rig = Rig(host, run_directory)
    pid = rig.start()
    assert "stop ollama.service of 1000" in host.effects.log
    rig.end_guest(pid)
    assert "start ollama.service of 1000" in host.effects.log
    assert rig.differences() == {}


def test_a_sound_server_alone_is_no_reason_to_refuse(run_directory: Path) -> None:
    """No display leaves: what else the manager runs goes on."""
    host = two_cards(OWN)
    host.kernel.modules["vfio_pci"] = True
    host.pci.rebind(pcs.VGA, "vfio-pci", seconds=1)
    manager = "user@1000.service"
    host.user.spawn(Program("pipewire", (pcs.AUDIO,), uid=1000), manager)
    host.user.spawn(Program("firefox", uid=1000, title="Firefox"), manager)
    assert Rig(host, run_directory, REFUSE).prepare() is None


# A board with remote management, whose connector is connected with and without a monitor


BMC = PciAddress.parse("0000:05:00.0")


def managed(vendor: int = 0x1A03) -> FakeHost:
    """The desktop is on the card, and a board's own graphics has its driver."""
    host = pcs.desktop()
    host.kernel.modules["ast"] = True
    host.kernel.drivers["ast"] = Driver("ast", "ast", ("/dev/dri/card{}",))
    host.kernel.add(Device(PciFunction(BMC, vendor, 0x2000, 0x030000, group=44), "ast"), "ast")
    return host


@pytest.mark.parametrize("vendor", [0x1A03, 0x102B, 0x19E5])
def test_remote_management_is_no_place_for_a_desktop(run_directory: Path, vendor: int) -> None:
    """Begun anew there, it is not begun anew on the card after the guest: that stays black."""
    rig = Rig(managed(vendor), run_directory)
    pid = rig.start()
    runs = rig.host.user.units["lightdm.service"].runs
    assert not rig.host.units.unit("lightdm.service").active
    rig.end_guest(pid)
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    assert rig.host.user.units["lightdm.service"].runs == runs + 1
    assert rig.differences() == {}


def test_it_is_one_where_the_card_has_no_screen(run_directory: Path) -> None:
    """A server with a card for its guests alone: its administrator is at the management's."""
    host = managed()
    host.kernel.device(pcs.VGA).monitor = False
    rig = Rig(host, run_directory)
    rig.start()
    assert host.units.unit("lightdm.service").active


def without_modeset(host: FakeHost) -> None:
    """The card, and whoever has it open, has NVIDIA's node alone."""
    card = host.kernel.device(pcs.VGA)
    for process in host.user.processes.values():
        if process.nodes & set(card.nodes):
            process.nodes.difference_update(card.nodes)
            process.nodes.add("/dev/nvidia0")
    card.nodes = ("/dev/nvidia0",)


def test_a_card_for_guests_alone_takes_nobody_s_desktop(run_directory: Path) -> None:
    """Nobody has it open, and its driver shows no screens."""
    host = managed()
    host.kernel.device(pcs.VGA).nodes = ("/dev/nvidia0",)
    for process in host.user.processes.values():
        process.nodes.clear()
    rig = Rig(host, run_directory)
    rig.start()
    assert host.units.unit("lightdm.service").active


def test_a_driver_that_shows_no_screens_may_have_one(run_directory: Path) -> None:
    """NVIDIA's without modeset."""
    host = managed()
    without_modeset(host)
    rig = Rig(host, run_directory)
    rig.start()
    assert not host.units.unit("lightdm.service").active


def test_beside_it_a_card_with_a_screen_is_one(run_directory: Path) -> None:
    host = managed()
    own = PciFunction(OWN, 0x1002, 0x1638, 0x030000, group=20)
    host.kernel.add(Device(own, "amdgpu"), "amdgpu")
    rig = Rig(host, run_directory)
    rig.start()
    assert host.units.unit("lightdm.service").active
