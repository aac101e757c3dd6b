"""Every reason to refuse, each with the device or file it is about and what to do."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.kernel import Device
from tests.fakes.performance import FakePool
from tests.fakes.userspace import FakeUnit, Program
from vfiod.config.schema import Config
from vfiod.errors import VfiodError
from vfiod.guest import domain
from vfiod.handoff.decision import agreement, checks, isolation, snapshot
from vfiod.handoff.decision.checks import CHECKS, find_faults
from vfiod.handoff.decision.request import Request
from vfiod.model import VFIO_DRIVER, PciAddress, PciFunction, Session

GIB = pcs.GIB


def faults(
    host: FakeHost, config: Config | None = None, xml: str | None = None
) -> list[VfiodError]:
    config = config or pcs.settings()
    guest, wanted = config.guests["win10"], domain.parse(xml or pcs.xml())
    state = snapshot.read(host, config, guest, wanted)
    return find_faults(Request(config, guest, wanted, state))


def only(host: FakeHost, config: Config | None = None, xml: str | None = None) -> VfiodError:
    (fault,) = faults(host, config, xml)
    assert fault.message
    assert fault.message[-1] != "."
    return fault


@pytest.mark.parametrize(
    "shape",
    [pcs.greeter, pcs.desktop, pcs.crowded, pcs.text_console, pcs.on_vfio, pcs.nvidia,
     lambda: pcs.greeter(pcs.bare(audio=None))],
)  # fmt: skip
def test_an_ordinary_pc_has_no_faults(shape: Callable[[], FakeHost]) -> None:
    assert faults(shape()) == []


def test_every_check_is_in_the_list() -> None:
    own = {
        value
        for module in (checks, agreement, isolation)
        for name, value in vars(module).items()
        if callable(value)
        and getattr(value, "__module__", "") == module.__name__
        and not name.startswith("_")
        and name not in ("Request", "find_faults")
    }
    assert set(CHECKS) == own


def test_checking_touches_nothing() -> None:
    host = pcs.crowded()
    faults(host)
    assert host.effects.log == []


def test_a_host_that_shuts_down() -> None:
    host = pcs.greeter()
    host.user.shutting_down = True
    assert only(host).message == "the host is shutting down"


# Devices


def test_a_device_that_is_not_there() -> None:
    host = pcs.greeter()
    host.kernel.unplug(pcs.USB)
    fault = only(host)
    assert fault.message == "the device 0000:02:00.0 of win10 is not in this PC"
    assert "lspci -D" in fault.hint
    assert "/etc/vfiod/vfiod.yaml" in fault.hint


def test_a_bridge() -> None:
    devices = (*pcs.DEVICES, pcs.BRIDGE)
    found = faults(pcs.greeter(), pcs.settings(devices), pcs.xml(devices))
    assert found[0].message == "the device 0000:00:01.0 [8086:1901] is a bridge"
    assert found[0].hint == "bridges stay with the host: remove it"


def test_a_device_that_is_configured_and_not_passed_through() -> None:
    fault = only(pcs.greeter(), xml=pcs.xml(pcs.DEVICES[:2]))
    assert fault.message == (
        "0000:02:00.0 is configured for win10 but is no <hostdev> of the guest"
    )
    assert " edit " in fault.hint
    assert "managedsave" not in fault.hint


def test_a_guest_without_any_of_them_may_have_been_saved_before() -> None:
    """libvirt starts it with the definition of that time."""
    for fault in faults(pcs.greeter(), xml=pcs.xml(())):
        assert fault.hint.endswith("virsh --connect qemu:///system managedsave-remove win10")


def test_a_device_that_is_passed_through_and_not_configured() -> None:
    fault = only(pcs.greeter(), pcs.settings(pcs.DEVICES[:2]))
    assert fault.message == (
        "the guest has a <hostdev> 0000:02:00.0 that /etc/vfiod/vfiod.yaml does not list for it"
    )
    assert " edit " in fault.hint


def test_devices_that_only_qemu_is_told_of_are_the_guests_too() -> None:
    words = [w for a in pcs.DEVICES for w in ("-device", f"vfio-pci,host={a}")]
    assert faults(pcs.greeter(), xml=pcs.told(pcs.xml(()), *words)) == []


def test_a_device_that_the_guest_is_given_twice() -> None:
    xml = pcs.told(pcs.xml(), "-device", '{"driver":"vfio-pci","host":"01:00.0"}')
    fault = only(pcs.greeter(), xml=xml)
    assert fault.message.startswith("the guest is given 0000:01:00.0 twice")
    assert "-device" in fault.hint


def test_a_kernel_without_vfio() -> None:
    host = pcs.greeter()
    del host.kernel.modules["vfio_pci"]
    fault = only(host)
    assert fault.message == "this kernel has no vfio-pci module"
    assert fault.hint


def removed(host: FakeHost, *, vfio: bool) -> FakeHost:
    """A host whose kernel was updated, and that has not been rebooted since."""
    host.kernel.modules["vfio_pci"] = vfio
    host.kernel.modules_removed = True
    return host


@pytest.mark.parametrize(("shape", "vfio", "names"), [
    (pcs.greeter, False, "vfio_pci"),
    (pcs.nvidia, True, "nvidia_drm, nvidia_modeset, nvidia_uvm, nvidia"),
    (pcs.nvidia, False, "vfio_pci, nvidia_drm, nvidia_modeset, nvidia_uvm, nvidia"),
])  # fmt: skip
def test_modules_that_were_removed_with_an_update(
    shape: Callable[[], FakeHost],
    vfio: bool,  # noqa: FBT001
    names: str,
) -> None:
    fault = only(removed(shape(), vfio=vfio))
    assert fault.message.startswith("the modules of the running kernel were removed")
    assert fault.message.endswith(f"kmod finds {names} no more")
    assert fault.hint.startswith("reboot first")


def test_a_driver_that_stays_loaded_needs_no_file() -> None:
    assert faults(removed(pcs.desktop(), vfio=True)) == []


def test_an_iommu_that_is_off() -> None:
    host = pcs.greeter()
    for address in pcs.DEVICES:
        device = host.kernel.device(address)
        device.function = replace(device.function, group=None)
    found = faults(host)
    assert [f.message for f in found] == [
        f"the device {host.pci.function(address)} has no IOMMU group" for address in pcs.DEVICES
    ]
    assert all("intel_iommu=on" in f.hint for f in found)


def test_a_function_of_the_card_that_is_not_listed() -> None:
    devices = (pcs.VGA, pcs.USB)
    host = pcs.greeter()
    sound = host.kernel.device(pcs.AUDIO)
    sound.function = replace(sound.function, group=13)
    fault = only(host, pcs.settings(devices), pcs.xml(devices))
    assert fault.message == (
        "0000:01:00.1 [1002:ab28] is a function of the same card and is not listed"
    )
    assert fault.hint == "add 0000:01:00.1 to the configuration and to the guest"


def test_an_unlisted_function_of_the_card_on_vfio_does_no_harm() -> None:
    devices = (pcs.VGA, pcs.USB)
    host = pcs.greeter(pcs.bare(audio=VFIO_DRIVER))
    assert faults(host, pcs.settings(devices), pcs.xml(devices)) == []


def test_of_a_processors_slot_only_picture_and_sound_must_be_listed() -> None:
    host = pcs.greeter()
    psp, usb = (PciAddress.parse(f"0000:01:00.{n}") for n in (2, 3))
    host.kernel.add(Device(PciFunction(psp, 0x1022, 0x15DF, 0x108000, group=20), "ahci"), "ahci")
    host.kernel.add(
        Device(PciFunction(usb, 0x1022, 0x1639, 0x0C0330, group=21), "xhci_hcd"), "xhci_hcd"
    )
    assert faults(host) == []
    unheard = (pcs.VGA, pcs.USB)
    found = faults(host, pcs.settings(unheard), pcs.xml(unheard))
    assert str(pcs.AUDIO) in found[0].message


def divided(host: FakeHost, physical: PciAddress, driver: str | None) -> FakeHost:
    """A function with a virtual one, in a slot as it comes and in a group of its own."""
    address = PciAddress.parse("0000:01:00.4")
    part = PciFunction(address, 0x1002, 0x73BF, 0x030000, group=22, physical=physical)
    host.kernel.modules["vfio_pci"] = True
    host.kernel.add(Device(part, "amdgpu", override=driver), driver)
    return host


@pytest.mark.parametrize("driver", [None, "amdgpu", VFIO_DRIVER])
def test_a_virtual_function_ends_with_the_device_that_it_is_a_part_of(driver: str | None) -> None:
    """With vfio-pci another guest may have it, whose group is none of those that are looked at."""
    fault = only(divided(pcs.greeter(), pcs.VGA, driver))
    assert fault.message == (
        "0000:01:00.4 [1002:73bf] is a virtual function of the listed device 0000:01:00.0, and "
        "would end with it under whoever has it"
    )
    assert "echo 0 | sudo tee /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs" in fault.hint


def test_a_virtual_function_in_the_card_s_slot_is_a_device_of_its_own() -> None:
    assert faults(divided(pcs.greeter(), pcs.DISK, "amdgpu")) == []


def test_an_unlisted_mate_of_a_usb_controller_does_no_harm() -> None:
    mate = PciAddress.parse("0000:02:00.1")
    host = pcs.greeter()
    host.kernel.add(Device(PciFunction(mate, 1, 2, 0x088000, group=19), None), None)
    assert faults(host) == []


def in_group(host: FakeHost, driver: str | None, code: int = 0x020000) -> None:
    foreign = PciAddress.parse("0000:01:01.0")
    host.kernel.add(Device(PciFunction(foreign, 0x10EC, 0x8168, code, group=10), driver), driver)


def test_a_foreign_device_in_the_group_that_the_host_uses() -> None:
    host = pcs.greeter()
    in_group(host, "ahci")
    fault = only(host)
    assert fault.message == (
        "0000:01:01.0 [10ec:8168] shares IOMMU group 10 with a listed device "
        "and is in use by the host's driver ahci"
    )
    assert "list it too" in fault.hint


@pytest.mark.parametrize(("driver", "code"), [(None, 0x020000), ("pcieport", 0x060400)])
def test_a_foreign_device_that_does_no_harm(driver: str | None, code: int) -> None:
    host = pcs.greeter()
    in_group(host, driver, code)
    assert faults(host) == []


def test_a_bridge_with_an_ordinary_driver_keeps_the_group_from_the_guest() -> None:
    host = pcs.greeter()
    in_group(host, "ahci", 0x060100)
    assert "do without that driver (ahci)" in only(host).hint


def test_a_group_that_the_firmware_keeps() -> None:
    host = pcs.greeter()
    host.kernel.refused_groups.add(11)
    fault = only(host)
    assert fault.message.startswith("0000:02:00.0 [1b21:2142] in group 11: ")
    assert "the firmware wants its memory" in fault.message


def test_another_guest_that_has_a_device() -> None:
    host = pcs.on_vfio()
    process = host.start_guest((pcs.VGA, pcs.AUDIO), command="qemu-system-x86")
    fault = only(host)
    assert fault.message == (
        f"another guest has a device of win10: qemu-system-x86 (pid {process.pid}) "
        "has /dev/vfio/10 open"
    )
    assert fault.hint == "shut that guest down"


@pytest.mark.parametrize("unit", ["virtqemud.service", "vfiod.service"])
def test_a_holder_that_is_never_stopped_nor_signalled(unit: str) -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit(unit, (Program("worker", (pcs.AUDIO,)),)))
    fault = only(host)
    assert "worker" in fault.message
    assert fault.hint == f"make it let go, perhaps with: sudo systemctl restart {unit}"


@pytest.mark.parametrize("unit", ["systemd-logind.service", "dbus-broker.service"])
def test_a_holder_that_lets_go_with_the_desktop(unit: str) -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit(unit, (Program("program", (pcs.VGA,)),)))
    assert faults(host) == []


def test_a_disk_that_the_host_stands_on() -> None:
    host = pcs.greeter()
    host.kernel.device(pcs.DISK).in_use_by = ("the mounted file system /",)
    devices = (*pcs.DEVICES, pcs.DISK)
    fault = only(host, pcs.settings(devices), pcs.xml(devices))
    assert fault.message == ("0000:03:00.0 carries the mounted file system / of the running host")
    assert fault.hint == "do not list it"


# Display


def test_a_card_that_only_the_firmware_lights() -> None:
    host = pcs.bare(vga=None)
    host.kernel.framebuffers.append(pcs.EFIFB)
    fault = only(host)
    assert fault.message.startswith("the display 0000:01:00.0 [1002:73bf] has no native driver")
    assert "would stay dark after the guest" in fault.message
    assert "blacklisted" in fault.hint


def test_a_second_card_without_a_driver_may_go() -> None:
    host = pcs.bare(vga=None)
    host.kernel.framebuffers.append(pcs.EFIFB)
    card = host.kernel.device(pcs.VGA)
    card.function = replace(card.function, boot_vga=False)
    assert faults(host) == []


def test_an_apu_of_another_class_that_only_the_firmware_lights() -> None:
    """Class 0380 has no attribute boot_vga (kernel: pci-sysfs.c)."""
    host = pcs.bare(vga=None)
    host.kernel.framebuffers.append(replace(pcs.EFIFB, parent=pcs.VGA))
    card = host.kernel.device(pcs.VGA)
    card.function = replace(card.function, class_code=0x038000, boot_vga=False)
    assert "has no native driver" in only(host).message


def test_a_card_without_a_driver_that_shows_nothing_may_go() -> None:
    assert faults(pcs.bare(vga=None)) == []


# ROM


def test_a_rom_that_is_missing() -> None:
    host = pcs.greeter()
    host.files.roms.clear()
    fault = only(host)
    assert fault.message == (
        "the ROM of 0000:01:00.0: cannot read /home/alice/card.rom: No such file or directory"
    )
    assert "rom:" in fault.hint


def test_a_rom_of_another_card() -> None:
    host = pcs.greeter()
    host.files.roms[pcs.ROM] = pcs.rom(0x10DE, 0x1B80)
    fault = only(host)
    assert fault.message == (
        "the ROM /home/alice/card.rom does not fit 0000:01:00.0 [1002:73bf]: "
        "the ROM is for 10de:1b80, the card is 1002:73bf"
    )
    assert fault.hint


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, pcs.rom()[:40]])
def test_a_rom_that_is_none(data: bytes) -> None:
    host = pcs.greeter()
    host.files.roms[pcs.ROM] = data
    assert "the ROM /home/alice/card.rom does not fit 0000:01:00.0" in only(host).message


@pytest.mark.parametrize("rom_file", [None, pcs.ROM, "/tmp/other.rom"])
def test_a_rom_that_the_guest_does_not_read(rom_file: str | None) -> None:
    fault = only(pcs.greeter(), xml=pcs.xml(rom_file=rom_file))
    assert fault.message == (
        f"the guest's <hostdev> 0000:01:00.0 reads the ROM {rom_file or 'of the card'}, "
        "not the configured one"
    )
    assert "<rom file='/usr/share/vgabios/vfiod/0000:01:00.0.rom'/>" in fault.hint


def test_a_rom_that_qemu_may_read_where_it_lies() -> None:
    host = pcs.greeter()
    host.files.readable_in_place.add(pcs.ROM)
    assert faults(host, xml=pcs.xml(rom_file=pcs.ROM)) == []


def test_without_a_configured_rom_the_guest_may_have_its_own() -> None:
    assert faults(pcs.greeter(), pcs.settings(rom=False), pcs.xml(rom_file="/x.rom")) == []


# Memory and disks


def test_too_little_memory() -> None:
    host = pcs.desktop()
    host.memory.free = GIB
    fault = only(host)
    assert fault.message == (
        "the guest needs 4.0 GiB of memory, 1.0 GiB are free and ending the desktop frees 2.1 GiB"
    )
    assert "less memory" in fault.hint


def test_what_the_desktop_holds_counts_as_free() -> None:
    host = pcs.desktop()
    host.memory.free = 2 * GIB
    assert faults(host) == []


def test_programs_in_a_user_s_manager_count_as_free_unless_it_stays() -> None:
    """GNOME and Plasma run everything there."""
    host = pcs.desktop()
    host.memory.free = 0
    host.user.units["user@1000.service"].memory = 10 * GIB
    assert faults(host) == []
    host.user.lingering.add(1000)
    assert "of memory" in only(host).message


def test_a_desktop_that_stays_frees_nothing() -> None:
    host = pcs.desktop(pcs.on_vfio())
    host.memory.free = 3 * GIB
    assert "ending the desktop frees 0.0 GiB" in only(host).message


@pytest.mark.parametrize(("free", "refused"), [(3 * GIB, True), (4 * GIB, False)])
def test_huge_pages(*, free: int, refused: bool) -> None:
    host = pcs.greeter()
    host.memory.free = 0
    host.hugepages.pools[2 * 2**20] = FakePool(total=free // 2**21)
    backing = "<memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking>"
    found = faults(host, xml=pcs.xml(backing=backing))
    messages = [f.message for f in found]
    assert messages == (
        ["the guest needs 4.0 GiB of huge pages and 3.0 GiB are free"] if refused else []
    )


def test_a_disk_image_that_is_missing() -> None:
    host = pcs.greeter()
    host.files.absent.add("/var/lib/libvirt/images/win10.qcow2")
    fault = only(host)
    assert fault.message == (
        "the guest's <disk> /var/lib/libvirt/images/win10.qcow2 does not exist"
    )
    assert fault.hint


# Sessions


def test_somebody_at_the_desktop_and_sessions_refuse() -> None:
    fault = only(pcs.desktop(), pcs.settings(more="sessions: refuse\n"))
    assert fault.message == (
        "the work of alice (gnome-shell, pipewire) would end, and sessions is set to refuse"
    )
    assert "log out" in fault.hint


def greeter_with_sound() -> FakeHost:
    """As LightDM's: its user has a manager, in which a sound server has the card's sound open."""
    host = pcs.greeter()
    sound = Program("wireplumber", (pcs.AUDIO,), uid=103)
    host.user.add(FakeUnit("user@103.service", (sound,)))
    return host


@pytest.mark.parametrize("shape", [pcs.greeter, greeter_with_sound, pcs.text_console])
def test_sessions_refuse_with_nobody_at_the_desktop(shape: Callable[[], FakeHost]) -> None:
    assert faults(shape(), pcs.settings(more="sessions: refuse\n")) == []


def test_sessions_refuse_with_somebody_over_ssh() -> None:
    host = pcs.greeter()
    bob = Session("7", "bob", 1001, "", "user", unit="session-7.scope")
    host.user.log_in(bob, Program("bash", uid=1001))
    assert faults(host, pcs.settings(more="sessions: refuse\n")) == []


def logged_in(
    *, user: str = "carol", uid: int = 1009, seat: str = "seat0", kind: str = "user",
    graphical: bool = False, opens: tuple[PciAddress, ...] = (),
) -> FakeHost:  # fmt: skip
    """Somebody beside the greeter, with a program and an unsaved document."""
    host = pcs.greeter()
    session = Session("9", user, uid, seat, kind, graphical=graphical, unit="session-9.scope")
    host.user.log_in(session, Program("soffice.bin", uid=uid, title="LibreOffice"))
    host.user.spawn(Program("compositor", opens, uid=uid), "session-9.scope")
    return host


def in_manager(*, seat: str = "seat0", graphical: bool = False) -> FakeHost:
    host = logged_in(seat=seat, graphical=graphical)
    host.user.spawn(Program("Hyprland", (pcs.VGA,), uid=1009), "user@1009.service")
    return host


def lingering() -> FakeHost:
    host = pcs.greeter()
    host.user.lingering.add(1001)
    host.user.add(FakeUnit("user@1001.service", (Program("mpd", (pcs.AUDIO,), uid=1001),)))
    return host


WORKING: dict[str, tuple[str, Callable[[], FakeHost]]] = {
    "startx": ("carol", lambda: logged_in(opens=(pcs.VGA,))),
    "uwsm": ("carol", in_manager),
    "idle at the desktop": ("carol", lambda: logged_in(graphical=True)),
    "a class of its own": ("carol", lambda: logged_in(graphical=True, kind="user-light")),
    "root": ("root", lambda: logged_in(graphical=True, user="root", uid=0)),
    "remote desktop": ("carol", lambda: logged_in(seat="", graphical=True, opens=(pcs.VGA,))),
    "remote, in the manager": ("carol", lambda: in_manager(seat="", graphical=True)),
    "a job over ssh": ("carol", lambda: logged_in(seat="", opens=(pcs.VGA,))),
    "another seat": ("carol", lambda: logged_in(seat="seat1", graphical=True, opens=(pcs.VGA,))),
    "lingering": ("bob", lingering),
    "autologin": ("alice", pcs.autologin),
}


@pytest.mark.parametrize("work", WORKING)
def test_sessions_refuse_guards_work_whatever_logind_calls_it(work: str) -> None:
    user, shape = WORKING[work]
    fault = only(shape(), pcs.settings(more="sessions: refuse\n"))
    assert fault.message.startswith(f"the work of {user} (")
    assert faults(shape()) == []


SOUND = Program("pulseaudio", (pcs.AUDIO,), uid=1000)


def at_the_entry(desktop: str = "vfiod-0815") -> FakeHost:
    """alice chose a guest at the login screen: a session, and the manager that goes with it."""
    host = pcs.greeter()
    session = Session(
        "4", "alice", 1000, "seat0", "user", graphical=True, unit="session-4.scope", desktop=desktop
    )
    host.user.log_in(session, Program("fcitx5", uid=1000, title="Fcitx"))
    host.user.add(FakeUnit("user@1000.service", (SOUND,), mortal=True))
    return host


def at_gtkgreet_s() -> FakeHost:
    """As at_the_entry(), from a greeter that tells logind nothing: it takes it for a text login."""
    host = pcs.greeter()
    session = Session("4", "alice", 1000, "seat0", "user", unit="session-4.scope", terminal=7)
    host.user.log_in(session, Program("vfiod", uid=1000))
    host.user.add(FakeUnit("user@1000.service", (SOUND,), mortal=True))
    return host


def at_gdm_s(*beside: str) -> FakeHost:
    """As at_the_entry(), from GDM, which has opened the session before it says which it is."""
    host = pcs.greeter()
    session = Session("4", "alice", 1000, "seat0", "user", graphical=True, unit="session-4.scope")
    host.user.log_in(session, Program("vfiod", uid=1000, title="vfiod session"))
    for name in beside:
        host.user.spawn(Program(name, uid=1000), "session-4.scope")
    return host


REFUSE = pcs.settings(more="sessions: refuse\n")


def test_who_came_for_the_guest_is_not_in_its_way() -> None:
    assert faults(at_the_entry(), REFUSE) == []
    assert faults(at_gtkgreet_s(), REFUSE) == []
    assert faults(at_gdm_s(), REFUSE) == []
    assert faults(at_gdm_s("zenity"), REFUSE) == []
    assert only(at_the_entry("gnome"), REFUSE).message.startswith("the work of alice (Fcitx)")


def test_a_desktop_with_that_program_in_it_is_a_desktop() -> None:
    found = only(at_gdm_s("firefox", "zenity"), REFUSE).message
    assert found.startswith("the work of alice (firefox, vfiod session, zenity)")


def test_what_they_left_running_elsewhere_is_guarded() -> None:
    host = at_the_entry()
    host.user.spawn(Program("firefox", uid=1000, title="Firefox"), "user@1000.service")
    assert only(host, REFUSE).message.startswith("the work of alice (Firefox)")
    host = at_the_entry()
    other = Session("5", "alice", 1000, "seat0", "user", graphical=True, unit="session-5.scope")
    host.user.log_in(other)
    assert only(host, REFUSE).message.startswith("the work of alice would")


def test_a_long_list_of_programs_is_cut() -> None:
    host = logged_in(graphical=True)
    for number in range(7):
        host.user.spawn(Program(f"program{number}"), "session-9.scope")
    fault = only(host, pcs.settings(more="sessions: refuse\n"))
    assert "program2, 4 more)" in fault.message
    host.user.spawn(Program("soffice.bin", title="zum Bearbeiten"), "session-9.scope")
    fault = only(host, pcs.settings(more="sessions: refuse\n"))
    assert "(LibreOffice, zum Bearbeiten, compositor, " in fault.message


GUEST = "machine-qemu\\x2d3\\x2ddebian\\x2d12.scope"


@pytest.mark.parametrize("unit", [GUEST, ""])
@pytest.mark.parametrize("policy", ["refuse", "terminate"])
def test_another_guest_that_renders_on_the_card_is_never_killed(unit: str, policy: str) -> None:
    host = pcs.greeter()
    host.user.spawn(Program("qemu-system-x86_64", (pcs.VGA,), uid=64055), unit)
    fault = only(host, pcs.settings(more=f"sessions: {policy}\n"))
    name = "the guest debian-12" if unit else "another guest"
    assert fault.message.startswith(f"{name} uses a device of win10: qemu-system-x86_64 (pid ")
    assert ("virsh --connect qemu:///system shutdown debian-12" in fault.hint) is bool(unit)
    assert "first" in fault.hint


def test_sessions_refuse_if_the_display_stays() -> None:
    host = pcs.desktop(pcs.on_vfio())
    assert faults(host, pcs.settings(more="sessions: refuse\n")) == []


def test_all_faults_at_once_the_most_telling_first() -> None:
    host = pcs.desktop()
    host.user.shutting_down = True
    host.files.roms.clear()
    host.memory.free = 0
    found = faults(host, pcs.settings(more="sessions: refuse\n"))
    assert [f.message.split(" ")[1] for f in found] == ["host", "ROM", "guest", "work"]


@pytest.mark.parametrize("driver", ["<driver iommufd='yes'/>", "<driver name='vfio'/>"])
def test_backends_that_vfiod_knows(driver: str) -> None:
    xml = pcs.xml().replace("</hostdev>", f"{driver}</hostdev>")
    assert faults(pcs.desktop(), xml=xml) == []


def test_a_backend_that_vfiod_does_not_know_is_named() -> None:
    host = pcs.desktop()
    xml = pcs.xml().replace("</hostdev>", "<driver name='next'/></hostdev>", 1)
    fault = only(host, xml=xml)
    assert f"the backend 'next' for its <hostdev> {pcs.VGA}" in fault.message
    assert " edit " in fault.hint
