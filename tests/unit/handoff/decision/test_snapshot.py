"""The snapshot: all that a decision needs, and nothing changed."""

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.performance import FakePool
from tests.fakes.userspace import Program
from vfiod.guest import domain
from vfiod.handoff.decision import snapshot
from vfiod.handoff.decision.hoststate import HostState
from vfiod.model import Unit


def read(host: FakeHost, xml: str | None = None) -> HostState:
    config = pcs.settings()
    return snapshot.read(host, config, config.guests["win10"], domain.parse(xml or pcs.xml()))


def test_reading_changes_nothing() -> None:
    host = pcs.crowded()
    before = host.snapshot()
    read(host)
    assert host.effects.log == []
    assert host.snapshot() == before


def test_an_alias_is_resolved() -> None:
    assert read(pcs.greeter()).display_manager == Unit("lightdm.service", active=True)


def test_no_display_manager_is_a_fact() -> None:
    assert read(pcs.bare()).display_manager == Unit(
        "display-manager.service", active=False, loaded=False
    )


def test_a_listed_device_that_is_not_there_is_left_out() -> None:
    host = pcs.greeter()
    host.kernel.unplug(pcs.USB)
    assert pcs.USB not in read(host).functions


def test_holders_are_those_of_the_devices_that_leave() -> None:
    holders = read(pcs.desktop()).holders
    assert {(h.command, h.node) for h in holders} == {
        ("Xorg", "/dev/dri/card0"), ("Xorg", "/dev/dri/renderD0"),
        ("greeter", "/dev/dri/card0"), ("greeter", "/dev/dri/renderD0"),
        ("gnome-shell", "/dev/dri/card0"), ("gnome-shell", "/dev/dri/renderD0"),
        ("pipewire", "/dev/snd/controlC0"),
    }  # fmt: skip


def test_holders_of_other_devices_are_none_of_its_business() -> None:
    host = pcs.bare()
    host.user.spawn(Program("program"), nodes=["/dev/dri/card7"])
    assert read(host).holders == []


def test_another_guest_is_seen_by_its_group() -> None:
    host = pcs.on_vfio()
    host.start_guest((pcs.VGA, pcs.AUDIO))
    assert [h.node for h in read(host).vfio_holders] == ["/dev/vfio/10"]


def test_who_lingers_is_asked_of_those_who_hold_something() -> None:
    host = pcs.crowded()
    host.user.lingering.add(1002)
    assert read(host).lingering == {1001}


def test_only_what_leaves_is_asked_what_it_carries() -> None:
    host = pcs.on_vfio()
    host.kernel.device(pcs.USB).in_use_by = ("swap on /dev/sdb",)
    assert read(host).in_use_by == {pcs.USB: ("swap on /dev/sdb",)}


def test_a_rom_is_read_once_with_its_place() -> None:
    rom = read(pcs.greeter()).roms[pcs.VGA]
    assert (rom.path, rom.data, rom.fault) == (pcs.ROM, pcs.rom(), "")
    assert rom.staged == "/usr/share/vgabios/vfiod/0000:01:00.0.rom"


def test_a_rom_that_cannot_be_read_is_a_fact() -> None:
    host = pcs.greeter()
    host.files.roms.clear()
    rom = read(host).roms[pcs.VGA]
    assert rom.data == b""
    assert "No such file" in rom.fault


def test_what_the_desktop_holds_is_counted_once() -> None:
    memory = read(pcs.desktop()).memory
    assert memory.desktop == 2 * pcs.GIB + pcs.GIB // 8
    assert memory.hugepages == 0


def test_huge_pages_are_counted_only_if_the_guest_wants_them() -> None:
    host = pcs.greeter()
    host.hugepages.pools[2**30] = FakePool(total=5, used=2)
    host.hugepages.default = 2**30
    assert read(host).memory.hugepages == 0
    xml = pcs.xml(backing="<memoryBacking><hugepages/></memoryBacking>")
    assert read(host, xml).memory.hugepages == 3 * pcs.GIB


def test_modules_outputs_and_consoles() -> None:
    state = read(pcs.nvidia())
    assert list(state.nvidia_modules) == ["nvidia_drm", "nvidia_modeset", "nvidia_uvm", "nvidia"]
    assert state.outputs[pcs.VGA].connected == ("card0-HDMI-A-1",)
    assert list(state.outputs) == [pcs.VGA]
    assert [c.ident for c in state.consoles] == ["vtcon1"]
    assert list(state.framebuffers) == [pcs.EFIFB]
    assert state.vfio_available
