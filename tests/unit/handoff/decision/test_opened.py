"""What the guest opens is there, and stays there, or the start is refused in time."""

from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.unit.handoff.decision.test_checks import faults, only
from vfiod.errors import VfiodError
from vfiod.model import Session, UsbPlugged

KEYBOARD = UsbPlugged(pcs.USB, 0x046D, 0xC31C, 1, 4, "Logitech K120")
EVENT = "/dev/input/by-id/usb-Logitech-event-kbd"
INPUT = f"<input type='evdev'><source dev='{EVENT}'/></input>"
HOSTDEV = (
    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/><product id='0xc31c'/>"
    "</source></hostdev>"
)
OPTIONAL = HOSTDEV.replace("<source>", "<source startupPolicy='optional'>")
STAYING = replace(KEYBOARD, controller=pcs.BRIDGE)
VIRTIOFS = "<filesystem><driver type='virtiofs'/><source dir='/srv/games'/></filesystem>"


def xml(inside: str = "", top: str = "") -> str:
    return pcs.xml(backing=top).replace("</devices>", f"{inside}</devices>")


def without(*paths: str) -> FakeHost:
    host = pcs.greeter()
    host.files.absent.update(paths)
    return host


def refusal(host: FakeHost, inside: str = "", top: str = "") -> VfiodError:
    return only(host, xml=xml(inside, top))


PULSE = "/run/user/1000/pulse/native"
AUDIO = f"<audio id='1' type='pulseaudio' serverName='{PULSE}'/>"
SOCKET = "/run/user/1000/x.sock"
CHANNEL = f"<channel type='unix'><source mode='connect' path='{SOCKET}'/></channel>"
NETWORK = "<interface type='network'><source network='nat'/></interface>"
MACVTAP = "<interface type='direct'><source dev='enp5s0' mode='bridge'/></interface>"
UP, AUTOSTARTED = "/run/libvirt/network/nat.xml", "/etc/libvirt/qemu/networks/autostart/nat.xml"
VOLUME = "<disk type='volume'><source pool='games' volume='w.qcow2'/></disk>"
POOL_ACTIVE = "/run/libvirt/storage/games.xml"
POOL_AUTOSTARTED = "/etc/libvirt/storage/autostart/games.xml"
HOOK = "/etc/libvirt/hooks/qemu"
RENDER = "/dev/dri/renderD128"
SPICE = "<graphics type='spice'><gl enable='yes'/></graphics>"
ON_NODE = f"<graphics type='spice'><gl enable='yes' rendernode='{RENDER}'/></graphics>"


def test_all_is_there() -> None:
    host = pcs.greeter()
    host.kernel.usb.append(UsbPlugged(pcs.BRIDGE, 0x046D, 0xC31C, 1, 4))
    assert faults(host, xml=xml(INPUT + HOSTDEV + VIRTIOFS)) == []


def test_what_is_absent_is_named_with_its_element() -> None:
    loader = "/usr/share/OVMF/OVMF_CODE.fd"
    top = f"<os><loader type='pflash'>{loader}</loader></os>"
    fault = refusal(without(loader), top=top)
    assert fault.message == f"the guest's <loader> {loader} does not exist"
    assert fault.hint.endswith("\nto change it: virsh --connect qemu:///system edit win10")
    assert refusal(without(EVENT), INPUT).message == (
        f"the guest's <input type='evdev'> {EVENT} does not exist"
    )
    assert "<filesystem> /srv/games" in refusal(without("/srv/games"), VIRTIOFS).message


def test_a_template_is_needed_only_for_variables_that_are_not_there() -> None:
    top = "<os><nvram template='/t.fd'>/v.fd</nvram></os>"
    assert faults(without("/t.fd"), xml=xml(top=top)) == []
    assert faults(without("/v.fd"), xml=xml(top=top)) == []
    fault = refusal(without("/t.fd", "/v.fd"), top=top)
    assert fault.message == "the guest's <nvram template> /t.fd does not exist"


def test_a_program_is_missing_if_it_is_nowhere() -> None:
    tpm = "<tpm><backend type='emulator'/></tpm>"
    assert faults(without("/usr/local/bin/swtpm"), xml=xml(tpm)) == []
    everywhere = [f"{folder}/swtpm" for folder in ("/usr/local/sbin", "/usr/local/bin")]
    everywhere += ["/usr/sbin/swtpm", "/usr/bin/swtpm", "/sbin/swtpm", "/bin/swtpm"]
    everywhere += ["/run/current-system/sw/bin/swtpm"]
    assert faults(without(*everywhere), xml=xml(tpm)) == []  # NixOS: who knows
    fault = refusal(without(*everywhere, "/etc/NIXOS"), tpm)
    assert fault.message == "the guest's <tpm> needs swtpm, which is not installed"
    assert "install swtpm" in fault.hint


def test_a_rom_that_vfiod_puts_there_need_not_be_there() -> None:
    staged = pcs.greeter().files.staged_path(pcs.VGA)
    assert faults(without(staged)) == []
    messages = [fault.message for fault in faults(without(staged), pcs.settings(rom=False))]
    assert f"the guest's <rom file> {staged} does not exist" in messages


def test_a_usb_device_that_is_not_plugged_in() -> None:
    fault = refusal(pcs.greeter(), HOSTDEV)
    assert fault.message == "the guest's <hostdev type='usb'> 046d:c31c is not plugged in"
    assert "lsusb" in fault.hint


def test_a_usb_device_on_a_controller_that_goes_over() -> None:
    host = pcs.greeter()
    host.kernel.usb.append(KEYBOARD)
    fault = refusal(host, HOSTDEV)
    assert fault.message == (
        "the guest's <hostdev type='usb'> 046d:c31c (Logitech K120) hangs on 0000:02:00.0, which "
        "goes over to the guest itself"
    )
    assert "take it out of the definition" in fault.hint


def test_one_that_may_be_absent_is_no_fault() -> None:
    host = pcs.greeter()
    assert faults(host, xml=xml(OPTIONAL)) == []
    host.kernel.usb.append(KEYBOARD)
    assert faults(host, xml=xml(OPTIONAL)) == []


@pytest.mark.parametrize("hostdev", [HOSTDEV, OPTIONAL])
def test_two_of_a_kind_between_which_libvirt_does_not_choose(hostdev: str) -> None:
    host = pcs.greeter()
    host.kernel.usb += [STAYING, replace(STAYING, number=5)]
    fault = refusal(host, hostdev)
    assert fault.message == (
        "2 USB devices 046d:c31c (Logitech K120) are plugged in (bus 1 device 4, bus 1 device 5), "
        "and libvirt does not choose"
    )
    assert fault.hint.startswith(
        "add <address bus='1' device='4'/> to the <source> of the guest's <hostdev type='usb'>, or "
        "unplug the other\n"
    )
    host.kernel.usb.append(replace(STAYING, number=6))
    assert "unplug the others\n" in refusal(host, hostdev).hint


def test_two_of_a_kind_of_which_one_is_meant_or_goes_over() -> None:
    host = pcs.greeter()
    host.kernel.usb += [STAYING, replace(STAYING, number=5)]
    meant = HOSTDEV.replace("</source>", "<address bus='1' device='5'/></source>")
    assert faults(host, xml=xml(meant)) == []
    host.kernel.usb[0] = KEYBOARD
    assert faults(host, xml=xml(HOSTDEV)) == []


def test_a_node_of_a_device_on_a_controller_that_goes_over() -> None:
    host = pcs.greeter()
    host.kernel.input_nodes[EVENT] = pcs.USB
    assert f"<input type='evdev'> {EVENT} hangs on 0000:02:00.0" in refusal(host, INPUT).message
    host.kernel.input_nodes[EVENT] = pcs.BRIDGE
    assert faults(host, xml=xml(INPUT)) == []


def test_a_network_that_is_not_up() -> None:
    fault = refusal(without(UP, AUTOSTARTED), NETWORK)
    assert fault.message == "the guest's <interface type='network'> nat is not active"
    assert "net-start nat" in fault.hint


def test_a_network_that_is_up_or_will_start_when_it_is_asked_for() -> None:
    for absent in (UP, AUTOSTARTED):
        assert faults(without(absent), xml=xml(NETWORK)) == []


def test_a_storage_pool_that_is_not_active() -> None:
    fault = refusal(without(POOL_ACTIVE, POOL_AUTOSTARTED, HOOK), VOLUME)
    assert fault.message == (
        "the guest's <disk type='volume'> w.qcow2 is in the storage pool games, which is not active"
    )
    assert "pool-start games" in fault.hint


def test_a_storage_pool_that_is_active_or_may_be_by_then() -> None:
    """One that starts with libvirt, or that somebody's own hook starts."""
    places = {POOL_ACTIVE, POOL_AUTOSTARTED, HOOK}
    for there in places:
        assert faults(without(*(places - {there})), xml=xml(VOLUME)) == []


def test_an_interface_of_the_host_that_is_not_there() -> None:
    fault = refusal(without("/sys/class/net/enp5s0"), MACVTAP)
    assert fault.message == "the guest's <interface type='direct'> enp5s0 does not exist"


def test_an_interface_of_a_card_that_goes_over() -> None:
    host = pcs.greeter()
    host.kernel.input_nodes["/sys/class/net/enp5s0"] = pcs.USB
    assert refusal(host, MACVTAP).message == (
        "the guest's <interface type='direct'> enp5s0 hangs on 0000:02:00.0, which goes over to "
        "the guest itself"
    )
    host.kernel.input_nodes["/sys/class/net/enp5s0"] = pcs.BRIDGE
    assert faults(host, xml=xml(MACVTAP)) == []


def test_a_screen_that_is_drawn_by_the_card_that_goes_over() -> None:
    host = pcs.greeter()
    host.kernel.input_nodes[RENDER] = pcs.VGA
    fault = refusal(host, ON_NODE)
    assert f"<graphics type='spice'> {RENDER} hangs on {pcs.VGA}" in fault.message
    assert "take the OpenGL out" in fault.hint


def test_a_screen_that_is_drawn_by_a_card_that_stays() -> None:
    host = pcs.greeter()
    host.kernel.input_nodes[RENDER] = pcs.BRIDGE
    host.kernel.render_nodes |= {RENDER: [pcs.BRIDGE], "/dev/dri/renderD129": [pcs.VGA]}
    for inside in (ON_NODE, SPICE, "<graphics type='egl-headless'/>"):
        assert faults(host, xml=xml(inside)) == []


def test_a_screen_that_no_card_of_the_host_is_left_to_draw() -> None:
    host = pcs.greeter()
    assert "none has a render node" in refusal(host, SPICE).message
    host.kernel.render_nodes[RENDER] = [pcs.BRIDGE, pcs.VGA]
    fault = refusal(host, SPICE)
    assert fault.message.startswith("the guest's <graphics type='spice'> draws with OpenGL")
    assert "a <graphics type='egl-headless'> as a whole" in fault.hint
    host.kernel.render_nodes["/dev/dri/renderD129"] = []  # of no PCI device
    assert faults(host, xml=xml(SPICE)) == []
    assert faults(pcs.greeter(), xml=xml("<graphics type='vnc'/>")) == []


def test_sound_through_a_server_that_ends_with_the_desktop() -> None:
    fault = refusal(pcs.desktop(), AUDIO)
    assert fault.message == (
        f"the guest's <audio> plays through {PULSE}, which ends with alice's session"
    )
    assert fault.hint == (
        "have it stay: sudo loginctl enable-linger alice\n"
        "or take <audio> out of the definition: the card has its own sound\n"
        "to change it: virsh --connect qemu:///system edit win10"
    )


def test_a_server_that_only_qemu_is_told_of_ends_as_well() -> None:
    told = pcs.told(pcs.xml(), "-audiodev", f"pa,id=a,server=unix:{PULSE}")
    fault = only(pcs.desktop(), xml=told)
    assert fault.message.startswith(f"the guest's <qemu:commandline> plays through {PULSE}")
    assert "take -audiodev out of the definition" in fault.hint


def test_a_socket_that_ends_with_the_desktop() -> None:
    fault = refusal(pcs.desktop(), CHANNEL)
    assert fault.message == (
        f"the guest's <channel> opens {SOCKET}, which ends with alice's session"
    )
    assert "enable-linger alice\nor take <channel> out" in fault.hint


def test_what_is_below_var_run_is_the_same() -> None:
    assert "alice's session" in refusal(pcs.desktop(), CHANNEL.replace("/run", "/var/run")).message


def test_a_server_that_outlives_the_desktop() -> None:
    assert faults(pcs.staying(), xml=xml(AUDIO + CHANNEL)) == []
    host = pcs.desktop()
    host.user.log_in(Session("9", "alice", 1000, "", "user", unit="session-9.scope"))
    assert faults(host, xml=xml(AUDIO + CHANNEL)) == []  # by ssh


def test_a_server_of_somebody_whose_session_does_not_end() -> None:
    assert faults(pcs.greeter(), xml=xml(AUDIO + CHANNEL)) == []
    others = (AUDIO + CHANNEL).replace("1000", "1001")
    assert faults(pcs.desktop(), xml=xml(others)) == []


def test_a_server_that_is_not_there_is_no_fault_but_a_socket_is() -> None:
    host = pcs.desktop()
    host.files.absent.update((PULSE, SOCKET))
    assert faults(host, xml=xml(AUDIO)) == []
    assert faults(host, xml=xml(CHANNEL)) == []  # a script of others' may begin who listens
    host.files.absent.add("/etc/libvirt/hooks/qemu")
    assert refusal(host, CHANNEL).message == f"the guest's <channel> {SOCKET} does not exist"


def test_a_window_on_a_desktop_that_ends() -> None:
    sdl = "<graphics type='sdl' display=':0'/>"
    fault = refusal(pcs.desktop(), sdl)
    assert fault.message == (
        "the guest's <graphics type='sdl'> opens a window on the host's desktop, which is gone "
        "when the guest starts"
    )
    assert fault.hint.startswith("take it out of the definition: the guest has the card\n")
    told = only(pcs.desktop(), xml=pcs.told(pcs.xml(), "-display", "gtk,gl=on"))
    assert told.message.startswith("the guest's -display gtk opens a window")


def test_a_window_on_a_desktop_that_stays() -> None:
    sdl = "<graphics type='sdl' display=':0'/>"
    assert faults(pcs.on_vfio(), xml=xml(sdl)) == []


NVME = (
    "<disk type='nvme'><source type='pci' namespace='1'><address domain='0' bus='{}' slot='0' "
    "function='0'/></source><target dev='vda'/></disk>"
)
MEDIATED = (
    "<hostdev mode='subsystem' type='mdev'><source>"
    "<address uuid='4b20d080-1b54-4048-85b3-a6a62d165c01'/></source></hostdev>"
)


def test_a_device_that_libvirt_is_to_hand_over_and_that_is_not_there() -> None:
    fault = refusal(without("/sys/bus/pci/devices/0000:09:00.0"), NVME.format(9))
    assert fault.message == "the guest's <disk type='nvme'> 0000:09:00.0 is not in this PC"
    assert "lspci -D" in fault.hint
    device, script = MEDIATED.split("'")[-2], "/etc/libvirt/hooks/qemu"
    path = f"/sys/bus/mdev/devices/{device}"
    assert faults(without(path), xml=xml(MEDIATED)) == []  # which a script may make
    assert refusal(without(path, script), MEDIATED).message == (
        f"the guest's <hostdev type='mdev'> {device} does not exist"
    )


def test_a_device_that_would_be_given_twice() -> None:
    host = pcs.greeter()
    host.kernel.input_nodes[f"/sys/bus/pci/devices/{pcs.USB}"] = pcs.USB
    fault = refusal(host, NVME.format(2))
    assert fault.message == (
        f"the guest's <disk type='nvme'> {pcs.USB} goes over to the guest itself: it would be "
        "given twice"
    )
