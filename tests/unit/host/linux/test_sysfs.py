"""The readers of /sys and /proc on trees of files."""

import os
from pathlib import Path

import pytest

from tests.fakes.tree import Contents, Link, grow, pci_function
from vfiod.errors import HostError, KernelStuck
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.host.linux.memory import LinuxMemory
from vfiod.host.linux.modules import LinuxModules
from vfiod.host.linux.pci import LinuxPci
from vfiod.host.linux.processes import LinuxProcesses
from vfiod.host.linux.screen import LinuxScreen
from vfiod.model import (
    Console,
    DisplayOutput,
    FirmwareFramebuffer,
    Holder,
    PciAddress,
    PciFunction,
    PowerPolicy,
)

VGA, AUDIO = "0000:01:00.0", "0000:01:00.1"
BRIDGE = "0000:00:01.0/"


def address(text: str) -> PciAddress:
    return PciAddress.parse(text)


def card(**more: Contents) -> dict[str, Contents]:
    """A graphics card with its nodes; names with __ for /."""
    nodes: dict[str, Contents] = {
        "boot_vga": "1\n",
        "drm/card0/dev": "226:0\n",
        "drm/card0/uevent": "MAJOR=226\nMINOR=0\nDEVNAME=dri/card0\nDEVTYPE=drm_minor\n",
        "drm/card0/subsystem": Link("sys/class/drm"),
        "drm/card0/card0-DP-1/status": "connected\n",
        "drm/card0/card0-HDMI-A-1/status": "disconnected\n",
        "drm/card0/card0-DP-2/status": "unknown\n",
        "drm/renderD128/dev": "226:128\n",
        "drm/renderD128/uevent": "DEVNAME=dri/renderD128\n",
        "drm/renderD128/subsystem": Link("sys/class/drm"),
        "graphics/fb0/dev": "29:0\n",
        "graphics/fb0/uevent": "DEVNAME=fb0\n",
        "graphics/fb0/subsystem": Link("sys/class/graphics"),
        "i2c-3/i2c-dev/i2c-3/dev": "89:3\n",
        "i2c-3/i2c-dev/i2c-3/uevent": "DEVNAME=i2c-3\n",
        "i2c-3/i2c-dev/i2c-3/subsystem": Link("sys/class/i2c-dev"),
    }
    return pci_function(VGA, bridge=BRIDGE, driver="amdgpu", group=10, more=nodes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    grow(tmp_path, card())
    sound: dict[str, Contents] = {
        "sound/card0/controlC0/dev": "116:2\n",
        "sound/card0/controlC0/uevent": "DEVNAME=snd/controlC0\n",
        "sound/card0/controlC0/subsystem": Link("sys/class/sound"),
        "sound/card0/input5/event5/dev": "13:69\n",
        "sound/card0/input5/event5/uevent": "DEVNAME=input/event5\n",
        "sound/card0/input5/event5/subsystem": Link("sys/class/input"),
    }
    ids = ("0x1002", "0xab28", "0x040300")
    grow(tmp_path, pci_function(AUDIO, bridge=BRIDGE, ids=ids, override="vfio-pci", more=sound))
    grow(tmp_path, {"sys/bus/pci/drivers_probe": ""})
    return tmp_path


@pytest.fixture
def pci(root: Path) -> LinuxPci:
    return LinuxPci(KernelCalls(), root)


# PCI


def test_a_function_is_read_whole(pci: LinuxPci) -> None:
    assert pci.function(address(VGA)) == PciFunction(
        address(VGA), 0x1002, 0x73BF, 0x030000, "amdgpu", 10, boot_vga=True
    )


def test_a_function_without_driver_and_group(pci: LinuxPci) -> None:
    assert pci.function(address(AUDIO)) == PciFunction(
        address(AUDIO), 0x1002, 0xAB28, 0x040300, None, None
    )


@pytest.mark.parametrize("text", ["(null)\n", "\n", ""])
def test_an_override_that_is_not_set(pci: LinuxPci, root: Path, text: str) -> None:
    (root / f"sys/bus/pci/devices/{AUDIO}/driver_override").write_text(text)
    assert pci.override(address(AUDIO)) is None


def test_all_functions_and_nothing_else(pci: LinuxPci, root: Path) -> None:
    grow(root, {"sys/bus/pci/devices/not-an-address/vendor": "0x1\n"})
    (root / "sys/bus/pci/devices/0000:09:00.0").mkdir()
    assert list(pci.functions()) == [address(VGA), address(AUDIO)]


def test_a_function_that_is_gone_is_named(pci: LinuxPci) -> None:
    with pytest.raises(HostError, match=r"the device 0000:09:00\.0 is not there"):
        pci.function(address("0000:09:00.0"))


def test_no_pci_bus_at_all(tmp_path: Path) -> None:
    assert LinuxPci(KernelCalls(), tmp_path).functions() == {}


@pytest.mark.parametrize(("driver", "written"), [("vfio-pci", "vfio-pci\n"), (None, "\n")])
def test_an_override_is_cleared_by_a_newline(
    pci: LinuxPci, root: Path, driver: str | None, written: str
) -> None:
    pci.set_override(address(VGA), driver)
    assert (root / f"sys/bus/pci/devices/{VGA}/driver_override").read_bytes() == written.encode()


def test_unbind_and_probe_write_the_address(pci: LinuxPci, root: Path) -> None:
    pci.unbind(address(VGA), seconds=5)
    pci.probe(address(VGA), seconds=5)
    assert (root / "sys/bus/pci/drivers/amdgpu/unbind").read_text() == VGA
    assert (root / "sys/bus/pci/drivers_probe").read_text() == VGA


def test_rebind_writes_to_all_three(pci: LinuxPci, root: Path) -> None:
    pci.rebind(address(VGA), "vfio-pci", seconds=5)
    assert (root / f"sys/bus/pci/devices/{VGA}/driver_override").read_text() == "vfio-pci\n"
    assert (root / "sys/bus/pci/drivers/amdgpu/unbind").read_text() == VGA
    assert (root / "sys/bus/pci/drivers_probe").read_text() == VGA


def test_unbind_without_a_driver_is_an_error(pci: LinuxPci) -> None:
    with pytest.raises(HostError, match=f"the kernel refused unbind of {AUDIO}: No such file"):
        pci.unbind(address(AUDIO), seconds=5)


def test_power_is_read_and_set(pci: LinuxPci) -> None:
    assert pci.power(address(VGA)) == PowerPolicy("1", "on")
    pci.set_power(address(VGA), PowerPolicy("0", "on"))
    assert pci.power(address(VGA)) == PowerPolicy("0", "on")
    pci.set_power(address(VGA), PowerPolicy(None, "auto"))
    assert pci.power(address(VGA)) == PowerPolicy("0", "auto")


def test_a_power_setting_that_is_not_there_is_left_alone(pci: LinuxPci, root: Path) -> None:
    (root / f"sys/bus/pci/devices/{VGA}/d3cold_allowed").unlink()
    assert pci.power(address(VGA)) == PowerPolicy(None, "on")
    pci.set_power(address(VGA), PowerPolicy("0", "auto"))
    assert pci.power(address(VGA)) == PowerPolicy(None, "auto")
    assert not (root / f"sys/bus/pci/devices/{VGA}/d3cold_allowed").exists()


def test_the_output_of_a_card(pci: LinuxPci) -> None:
    assert pci.output(address(VGA)) == DisplayOutput(("card0",), ("card0-DP-1",))
    assert pci.output(address(AUDIO)) == DisplayOutput()


def test_attributes_that_are_no_text_are_no_crash(pci: LinuxPci, root: Path) -> None:
    (root / f"sys/bus/pci/devices/{VGA}/driver_override").write_bytes(b"\xff\xfe\n")
    assert pci.override(address(VGA)) == "\ufffd\ufffd"


# Processes


# Devices that every machine has stand for those of the tree, which is told by its number.
REAL = ("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx")


def node(root: Path, path: str) -> Link:
    """A device in the tree, made when it is first asked for; a link to it."""
    place = root / path.lstrip("/")
    if not place.is_symlink():
        there = [p for p in (root / "dev").rglob("*") if p.is_symlink()]
        grow(root, {path.lstrip("/"): Link(REAL[len(there)])})
    return Link(str(place))


def process(root: Path, pid: int, command: str, cgroup: str, *files: str) -> None:
    entries: dict[str, Contents] = {f"fd/{n}": node(root, file) for n, file in enumerate(files)}
    entries |= {"comm": f"{command}\n", "cgroup": f"{cgroup}\n"}
    grow(root, {f"proc/{pid}/{name}": value for name, value in entries.items()})


def test_holders_with_command_node_and_unit(root: Path) -> None:
    unit = "0::/system.slice/lightdm.service"
    process(root, 812, "Xorg", unit, "/dev/null", "/dev/dri/card0", "/dev/dri/card0")
    process(root, 900, "bash", "0::/user.slice", "/dev/null")
    found = LinuxProcesses(root).holders([address(VGA)])
    assert found == [Holder(812, "Xorg", "/dev/dri/card0", "lightdm.service", os.getuid())]


@pytest.mark.parametrize(
    ("node", "device"),
    [("/dev/dri/card0", VGA), ("/dev/dri/renderD128", VGA), ("/dev/fb0", VGA),
     ("/dev/i2c-3", VGA), ("/dev/snd/controlC0", AUDIO), ("/dev/kfd", VGA)],
)  # fmt: skip
def test_which_nodes_count(root: Path, node: str, device: str) -> None:
    process(root, 5, "program", "0::/", node)
    (holder,) = LinuxProcesses(root).holders([address(device)])
    assert holder.node == node


@pytest.mark.parametrize("node", ["/dev/input/event5", "/dev/dri/card1", "/dev/null"])
def test_which_nodes_do_not(root: Path, node: str) -> None:
    process(root, 5, "program", "0::/", node)
    assert LinuxProcesses(root).holders([address(VGA), address(AUDIO)]) == []


def test_devices_behind_a_bridge_or_a_hub_are_others(root: Path) -> None:
    bridge: dict[str, Contents] = {
        "0000:09:00.0/drm/card7/uevent": "DEVNAME=dri/card7\n",
        "0000:09:00.0/drm/card7/subsystem": Link("sys/class/drm"),
        "usb1/1-1/sound/card9/controlC9/dev": "116:9\n",
        "usb1/1-1/sound/card9/controlC9/uevent": "DEVNAME=snd/controlC9\n",
        "usb1/1-1/sound/card9/controlC9/subsystem": Link("sys/class/sound"),
    }
    grow(root, pci_function("0000:00:14.0", driver="xhci_hcd", more=bridge))
    process(root, 5, "program", "0::/", "/dev/snd/controlC9", "/dev/dri/card7")
    assert LinuxProcesses(root).holders([address("0000:00:14.0")]) == []


def test_no_devices_no_holders(root: Path) -> None:
    process(root, 5, "program", "0::/", "/dev/dri/card0")
    assert LinuxProcesses(root).holders([]) == []


def test_holders_of_a_vfio_group(root: Path) -> None:
    cgroup = "0::/machine.slice/machine-qemu\\x2d1.scope/libvirt/emulator"
    process(root, 7, "qemu-system-x86", cgroup, "/dev/vfio/vfio", "/dev/vfio/10")
    (holder,) = LinuxProcesses(root).vfio_holders([10, 11])
    assert (holder.pid, holder.node) == (7, "/dev/vfio/10")
    assert holder.unit == "machine-qemu\\x2d1.scope"
    assert LinuxProcesses(root).vfio_holders([1]) == []
    assert LinuxProcesses(root).vfio_holders([]) == []


def test_a_holder_whose_own_dev_is_gone_is_found(root: Path) -> None:
    """A QEMU that was killed and still hangs in the kernel: its mount namespace may have ended."""
    node(root, "/dev/vfio/10")
    process(root, 7, "qemu-system-x86", "0::/")
    grow(root, {"vfio/10": Link("dev/vfio/10"), "proc/7/fd/9": Link("vfio/10")})
    (holder,) = LinuxProcesses(root).vfio_holders([10])
    assert (holder.pid, holder.node) == (7, "/dev/vfio/10")


def on_iommufd(root: Path) -> None:
    """A device of group 10 with a node of its own."""
    grow(root, {f"sys/kernel/iommu_groups/10/devices/{VGA}/vfio-dev/vfio3/dev": "511:3\n"})
    node(root, "/dev/vfio/devices/vfio3")


def test_a_guest_on_iommufd_is_found_by_its_device(root: Path) -> None:
    on_iommufd(root)
    process(root, 7, "qemu-system-x86", "0::/", "/dev/iommu", "/dev/vfio/devices/vfio3")
    process(root, 9, "qemu-system-x86", "0::/", "/dev/iommu", "/dev/vfio/devices/vfio4")
    (holder,) = LinuxProcesses(root).vfio_holders([10])
    assert (holder.pid, holder.node) == (7, "/dev/vfio/devices/vfio3")
    assert LinuxProcesses(root).vfio_holders([11]) == []


@pytest.mark.parametrize("command", ["libvirtd", "virtqemud"])
def test_libvirt_itself_has_no_devices(root: Path, command: str) -> None:
    """It opens them for QEMU, and may still have them for a moment."""
    on_iommufd(root)
    process(root, 6, command, "0::/", "/dev/vfio/10", "/dev/vfio/devices/vfio3")
    assert LinuxProcesses(root).vfio_holders([10]) == []


def test_a_device_under_another_name_is_found_by_its_number(root: Path) -> None:
    """As in a container: its card0 is the host's card1, or lies in a directory of its own."""
    node(root, "/dev/dri/card0")
    process(root, 5, "program", "0::/")
    grow(
        root, {"srv/dev/dri/card7": Link("dev/dri/card0"), "proc/5/fd/0": Link("srv/dev/dri/card7")}
    )
    (holder,) = LinuxProcesses(root).holders([address(VGA)])
    assert holder.node == "/dev/dri/card0"


def test_another_device_of_the_same_name_is_not_ours(root: Path) -> None:
    node(root, "/dev/dri/card0")
    process(root, 5, "program", "0::/", "/srv/dev/dri/card0")
    assert LinuxProcesses(root).holders([address(VGA)]) == []


def test_a_holder_whose_first_thread_has_ended_is_found(root: Path) -> None:
    process(root, 7, "qemu-system-x86", "0::/")
    grow(root, {"proc/7/task/9/fd/3": node(root, "/dev/vfio/10")})
    (root / "proc/7/fd").mkdir()
    (root / "proc/7/task/7/fd").mkdir(parents=True)
    (holder,) = LinuxProcesses(root).vfio_holders([10])
    assert (holder.pid, holder.node) == (7, "/dev/vfio/10")


def test_a_process_that_ends_meanwhile_is_skipped(root: Path) -> None:
    grow(root, {"proc/8/comm": "gone\n", "proc/uptime": "1 1\n"})
    assert LinuxProcesses(root).holders([address(VGA)]) == []


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/lightdm.service", "lightdm.service"),
        ("0::/user.slice/user-1000.slice/session-2.scope", "session-2.scope"),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/session.slice/pipewire.service",
            "user@1000.service",
        ),
        ("0::/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"),
        ("0::/init.scope", "init.scope"),
        ("0::/", ""),
        ("12:cpu:/system.slice/x.service\n0::/system.slice/y.service", "y.service"),
        ("", ""),
    ],
)
def test_the_unit_of_a_process(root: Path, cgroup: str, unit: str) -> None:
    process(root, 5, "program", cgroup, "/dev/dri/card0")
    (holder,) = LinuxProcesses(root).holders([address(VGA)])
    assert holder.unit == unit


def test_a_signal_to_a_process_that_is_gone_is_no_error() -> None:
    LinuxProcesses().signal(Holder(2**22 + 1, "gone", "/dev/null"), 15)


# Consoles and framebuffers


@pytest.fixture
def screen(tmp_path: Path) -> LinuxScreen:
    grow(
        tmp_path,
        {
            "sys/class/vtconsole/vtcon0/name": "(S) dummy device\n",
            "sys/class/vtconsole/vtcon0/bind": "1\n",
            "sys/class/vtconsole/vtcon1/name": "(M) frame buffer device\n",
            "sys/class/vtconsole/vtcon1/bind": "0\n",
            "sys/bus/platform/drivers/efi-framebuffer/efi-framebuffer.0": "",
            "sys/bus/platform/drivers/efi-framebuffer/bind": "",
            "sys/bus/platform/drivers/efi-framebuffer/unbind": "",
            "sys/bus/platform/drivers/efi-framebuffer/uevent": "",
            "sys/bus/platform/drivers/simple-framebuffer/bind": "",
        },
    )
    return LinuxScreen(KernelCalls(), tmp_path)


def test_consoles_are_read(screen: LinuxScreen) -> None:
    assert screen.consoles() == [
        Console("vtcon0", "(S) dummy device", bound=True),
        Console("vtcon1", "(M) frame buffer device", bound=False),
    ]


@pytest.mark.parametrize(
    ("ident", "bound", "written"), [("vtcon1", True, "1"), ("vtcon0", False, "0")]
)
def test_a_console_is_bound(
    *, screen: LinuxScreen, tmp_path: Path, ident: str, bound: bool, written: str
) -> None:
    screen.bind_console(ident, bound=bound)
    assert (tmp_path / f"sys/class/vtconsole/{ident}/bind").read_text() == written


def test_a_console_that_is_as_wanted_is_not_written(screen: LinuxScreen, tmp_path: Path) -> None:
    bind = tmp_path / "sys/class/vtconsole/vtcon1/bind"
    before = bind.stat().st_mtime_ns
    screen.bind_console("vtcon1", bound=False)
    assert bind.stat().st_mtime_ns == before


def test_a_console_that_the_kernel_is_busy_with_holds_nobody_up(tmp_path: Path) -> None:
    grow(tmp_path, {"sys/class/vtconsole/vtcon1/name": "(M) frame buffer device\n"})
    bind = tmp_path / "sys/class/vtconsole/vtcon1/bind"
    os.mkfifo(bind)
    calls = KernelCalls()
    calls.read(bind.with_name("name"), subject="the process for it", seconds=20)
    screen = LinuxScreen(calls, tmp_path, seconds=0.5)
    with pytest.raises(KernelStuck, match="did not finish bind of vtcon1"):
        screen.consoles()
    for ask in (screen.consoles, lambda: screen.bind_console("vtcon1", bound=True)):
        with pytest.raises(KernelStuck, match="still busy with vtcon1"):
            ask()
    os.close(os.open(bind, os.O_RDWR | os.O_NONBLOCK))


def test_a_console_that_vanishes_meanwhile_is_left_out(tmp_path: Path) -> None:
    grow(tmp_path, {"sys/class/vtconsole/vtcon1/name": "(M) frame buffer device\n"})
    assert LinuxScreen(KernelCalls(), tmp_path).consoles() == []


def test_firmware_framebuffers_are_those_with_a_driver(screen: LinuxScreen) -> None:
    assert screen.framebuffers() == [FirmwareFramebuffer("efi-framebuffer.0", "efi-framebuffer")]


@pytest.mark.parametrize(("bound", "name"), [(True, "bind"), (False, "unbind")])
def test_a_framebuffer_is_bound(
    *, screen: LinuxScreen, tmp_path: Path, bound: bool, name: str
) -> None:
    framebuffer = FirmwareFramebuffer("efi-framebuffer.0", "efi-framebuffer")
    drivers = tmp_path / "sys/bus/platform/drivers/efi-framebuffer"
    if bound:
        screen.bind_framebuffer(framebuffer, bound=True)
        assert (drivers / name).read_text() == ""
        (drivers / "efi-framebuffer.0").unlink()
    screen.bind_framebuffer(framebuffer, bound=bound)
    assert (drivers / name).read_text() == "efi-framebuffer.0"


def test_a_framebuffer_that_fails_otherwise_is_an_error(screen: LinuxScreen) -> None:
    with pytest.raises(HostError, match="vesa-framebuffer"):
        screen.bind_framebuffer(
            FirmwareFramebuffer("vesa-framebuffer.0", "vesa-framebuffer"), bound=False
        )


def test_without_a_framebuffer_console(tmp_path: Path) -> None:
    screen = LinuxScreen(KernelCalls(), tmp_path)
    assert (screen.consoles(), screen.framebuffers()) == ([], [])


# Memory and modules


def test_memory_is_read(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            "proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    2048 kB\nHugepagesize: 2048 kB\n",
            "sys/fs/cgroup/system.slice/lightdm.service/memory.current": "100\n",
            "sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope/memory.current": "20\n",
            "sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope/memory.current": "5\n",
        },
    )
    memory = LinuxMemory(tmp_path)
    assert memory.available() == 2048 * 1024
    assert memory.held_by(["lightdm.service", "session-2.scope", "absent.service"]) == 120


def test_a_module_is_loaded_if_the_kernel_shows_it(tmp_path: Path) -> None:
    (tmp_path / "sys/module/vfio_pci").mkdir(parents=True)
    modules = LinuxModules(tmp_path)
    assert modules.loaded("vfio_pci")
    assert modules.available("vfio_pci")
    assert not modules.loaded("nvidia")


# The bus of a card, and whether a function answers


def test_all_functions_behind_a_port_are_on_its_bus(root: Path) -> None:
    pci = LinuxPci(KernelCalls(), root)
    assert pci.on_bus_of(address(VGA)) == [address(VGA), address(AUDIO)]


def test_a_root_bus_has_no_port_to_reset_it(tmp_path: Path) -> None:
    grow(tmp_path, pci_function("0000:00:02.0", driver="i915", group=1))
    assert LinuxPci(KernelCalls(), tmp_path).on_bus_of(address("0000:00:02.0")) == ()


def test_a_port_that_can_reset_what_is_below_it_does(root: Path) -> None:
    port = (root / f"sys/bus/pci/devices/{VGA}").resolve().parent
    (port / "reset_subordinate").touch()
    LinuxPci(KernelCalls(), root).reset_bus(address(VGA), seconds=5)
    assert (port / "reset_subordinate").read_text() == "1"


def test_without_that_a_function_is_reset_alone_on_its_bus(root: Path) -> None:
    devices = root / "sys/bus/pci/devices"
    grow(root, {"sys/class/pci_bus/0000:01/rescan": ""})
    (devices / AUDIO / "remove").touch()
    for name, text in {"reset_method": "pm bus\n", "reset": ""}.items():
        (devices / VGA / name).write_text(text)
    LinuxPci(KernelCalls(), root).reset_bus(address(VGA), seconds=5)
    assert (devices / AUDIO / "remove").read_text() == "1"
    assert (devices / VGA / "reset").read_text() == "1"
    assert (devices / VGA / "reset_method").read_text().strip() == "pm bus"
    assert (root / "sys/class/pci_bus/0000:01/rescan").read_text() == "1"


def test_the_others_are_looked_for_again_although_the_reset_failed(root: Path) -> None:
    grow(root, {"sys/class/pci_bus/0000:01/rescan": ""})
    (root / f"sys/bus/pci/devices/{AUDIO}/remove").touch()
    with pytest.raises(HostError, match="reset_method"):
        LinuxPci(KernelCalls(), root).reset_bus(address(VGA), seconds=5)
    assert (root / "sys/class/pci_bus/0000:01/rescan").read_text() == "1"


def test_a_function_is_compared_with_what_the_kernel_knows_of_it(root: Path) -> None:
    device = root / f"sys/bus/pci/devices/{VGA}"
    (device / "resource").write_text("0xe0000000 0xefffffff 0x14220c\n")
    (device / "config").write_bytes(bytes.fromhex("0210df67 0704").ljust(64, b"\0"))
    assert "BAR 0" in (LinuxPci(KernelCalls(), root).fault(address(VGA)) or "")
