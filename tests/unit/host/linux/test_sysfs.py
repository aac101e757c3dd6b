"""The readers of /sys and /proc on trees of files."""

import mmap
import os
from pathlib import Path

import pytest

from tests.fakes.tree import Contents, Link, grow, pci_function
from vfiod.bus.errors import BusError
from vfiod.errors import HostError, KernelStuck, TimedOut
from vfiod.host.linux.devicenodes import DeviceNodes
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
        "drm/card0/dev": "1:7\n",
        "drm/card0/uevent": "MAJOR=1\nMINOR=7\nDEVNAME=dri/card0\nDEVTYPE=drm_minor\n",
        "drm/card0/subsystem": Link("sys/class/drm"),
        "drm/card0/card0-DP-1/status": "connected\n",
        "drm/card0/card0-HDMI-A-1/status": "disconnected\n",
        "drm/card0/card0-DP-2/status": "unknown\n",
        "drm/renderD128/dev": "1:5\n",
        "drm/renderD128/uevent": "DEVNAME=dri/renderD128\n",
        "drm/renderD128/subsystem": Link("sys/class/drm"),
        "graphics/fb0/dev": "1:8\n",
        "graphics/fb0/uevent": "DEVNAME=fb0\n",
        "graphics/fb0/subsystem": Link("sys/class/graphics"),
        "i2c-3/i2c-dev/i2c-3/dev": "1:9\n",
        "i2c-3/i2c-dev/i2c-3/uevent": "DEVNAME=i2c-3\n",
        "i2c-3/i2c-dev/i2c-3/subsystem": Link("sys/class/i2c-dev"),
    }
    return pci_function(VGA, bridge=BRIDGE, driver="amdgpu", group=10, more=nodes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    grow(tmp_path, card())
    sound: dict[str, Contents] = {
        "sound/card0/controlC0/dev": "5:0\n",
        "sound/card0/controlC0/uevent": "DEVNAME=snd/controlC0\n",
        "sound/card0/controlC0/subsystem": Link("sys/class/sound"),
        "sound/card0/input5/event5/dev": "5:2\n",
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

# Numbers of devices that every machine has stand in for those of the card (see card()).
CARD, RENDER, FB, I2C, SOUND, INPUT = (
    "/dev/full", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx",
)  # fmt: skip


# And for those of a guest.
REAL = ("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx")


def node(root: Path, path: str) -> Link:
    """A device in the tree, made when it is first asked for; a link to it."""
    place = root / path.lstrip("/")
    if not place.is_symlink():
        there = [p for p in (root / "dev").rglob("*") if p.is_symlink()]
        grow(root, {path.lstrip("/"): Link(REAL[len(there)])})
    return Link(str(place))


def process(root: Path, pid: int, command: str, cgroup: str, *files: str) -> None:
    entries: dict[str, Contents] = {
        f"fd/{n}": node(root, file) if file.startswith(("/dev/vfio", "/dev/iommu")) else Link(file)
        for n, file in enumerate(files)
    }
    entries |= {"comm": f"{command}\n", "cgroup": f"{cgroup}\n"}
    grow(root, {f"proc/{pid}/{name}": value for name, value in entries.items()})


def test_holders_with_command_node_and_unit(root: Path) -> None:
    unit = "0::/system.slice/lightdm.service"
    process(root, 812, "Xorg", unit, "/dev/null", CARD, CARD)
    process(root, 900, "bash", "0::/user.slice", "/dev/null")
    found = LinuxProcesses(root).holders([address(VGA)])
    group = unit.removeprefix("0::")
    wanted = Holder(812, "Xorg", "/dev/dri/card0", "lightdm.service", os.getuid(), group)
    assert found == [wanted]


@pytest.mark.parametrize(
    "silence",
    [TimedOut("no answer to GetUnitByPID in time"),
     BusError("no such name", "org.freedesktop.DBus.Error.ServiceUnknown")],
)  # fmt: skip
def test_a_holder_is_found_while_systemd_does_not_say_whose_it_is(
    root: Path, silence: HostError
) -> None:
    process(root, 812, "Xorg", "0::/system.slice/lightdm.service", CARD)
    answers: list[str] = []

    def ask(_pid: int) -> str:
        if not answers:
            raise silence
        return answers[0]

    processes = LinuxProcesses(root, ask)
    assert [h.unit for h in processes.holders([address(VGA)])] == ["lightdm.service"]
    answers.append("display.service")
    assert [h.unit for h in processes.holders([address(VGA)])] == ["display.service"]


def test_while_systemd_does_not_say_a_container_s_service_is_not_taken_for_the_host_s(
    root: Path,
) -> None:
    process(root, 5, "sshd", "0::/lxc.payload.web/system.slice/ssh.service", CARD)
    process(root, 6, "ollama", "0::/system.slice/docker-1.scope/system.slice/ssh.service", CARD)

    def ask(_pid: int) -> str:
        raise TimedOut("no answer to GetUnitByPID in time")

    found = {h.pid: h.unit for h in LinuxProcesses(root, ask).holders([address(VGA)])}
    assert found == {5: "", 6: "docker-1.scope"}


def test_some_processes_are_looked_at_alone(root: Path) -> None:
    process(root, 812, "Xorg", "0::/", CARD)
    process(root, 900, "mpv", "0::/", CARD)
    processes = LinuxProcesses(root)
    assert [h.pid for h in processes.holders([address(VGA)], [900, 901])] == [900]
    assert processes.holders([address(VGA)], []) == []


@pytest.mark.parametrize(
    ("file", "device", "node"),
    [(CARD, VGA, "/dev/dri/card0"), (RENDER, VGA, "/dev/dri/renderD128"), (FB, VGA, "/dev/fb0"),
     (I2C, VGA, "/dev/i2c-3"), (SOUND, AUDIO, "/dev/snd/controlC0")],
)  # fmt: skip
def test_which_nodes_count(root: Path, file: str, device: str, node: str) -> None:
    process(root, 5, "program", "0::/", file)
    (holder,) = LinuxProcesses(root).holders([address(device)])
    assert holder.node == node


@pytest.mark.parametrize("file", [INPUT, "/dev/null", "/etc/passwd", "/nowhere", "/proc"])
def test_which_nodes_do_not(root: Path, file: str) -> None:
    process(root, 5, "program", "0::/", file)
    assert LinuxProcesses(root).holders([address(VGA), address(AUDIO)]) == []


def test_a_node_counts_by_its_number_whatever_it_is_called(root: Path) -> None:
    """A container's /dev, a chroot, a node that udev renamed: the path says nothing."""
    grow(root, {"srv/container/dev/gpu": Link(CARD), "dev/dri/card0": ""})
    process(root, 5, "ollama", "0::/", str(root / "srv/container/dev/gpu"))
    process(root, 6, "impostor", "0::/", str(root / "dev/dri/card0"))
    (holder,) = LinuxProcesses(root).holders([address(VGA)])
    assert (holder.command, holder.node) == ("ollama", "/dev/dri/card0")


@pytest.mark.parametrize("command", ["evil\x1b]0;owned\x07", "two\nlines", "\u202egnp.exe"])
def test_a_name_cannot_steer_a_terminal(root: Path, command: str) -> None:
    process(root, 5, command, "0::/", CARD)
    (holder,) = LinuxProcesses(root).holders([address(VGA)])
    assert holder.command.isprintable()


def test_a_holder_of_the_card_whose_first_thread_has_ended_is_found(root: Path) -> None:
    process(root, 7, "wedged", "0::/")
    (root / "proc/7/fd").mkdir()
    (root / "proc/7/task/7/fd").mkdir(parents=True)
    grow(root, {"proc/7/task/9/fd/3": Link(CARD)})
    (holder,) = LinuxProcesses(root).holders([address(VGA)])
    assert (holder.pid, holder.node) == (7, "/dev/dri/card0")


def mappings(root: Path, pid: int, range_: str, path: str) -> None:
    text = f"00400000-004b0000 r-xp 00000000 08:01 77 /bin/true\n{range_} rw-s 0 00:06 4   {path}\n"
    process(root, pid, "program", "0::/")
    grow(root, {f"proc/{pid}/maps": text, f"proc/{pid}/fd/0": Link("/dev/null")})


def test_a_mapping_keeps_a_node_open_after_its_descriptor_was_closed(root: Path) -> None:
    mappings(root, 5, "00a00000-00b00000", "/container/gpu")
    grow(root, {"proc/5/map_files/a00000-b00000": Link(CARD)})
    (holder,) = LinuxProcesses(root).holders([address(VGA)])
    assert holder.node == "/dev/dri/card0"


def test_a_private_mapping_is_no_devices_however_its_file_is_called(root: Path) -> None:
    mappings(root, 5, "00a00000-00b00000", "/dev/null")
    path = "/lib/so s 0 00:06 4 /dev/dri/card0"
    lines = f"00c00000-00d00000 r-xp 0 08:01 9   {path}\n"
    (root / "proc/5/maps").write_text(lines)
    grow(root, {"proc/5/map_files/c00000-d00000": Link("/dev/null")})
    assert LinuxProcesses(root).holders([address(VGA)]) == []


def test_where_mappings_may_not_be_followed_their_path_counts(root: Path) -> None:
    mappings(root, 5, "00a00000-00b00000", "/dev/dri/card0 (deleted)")
    (holder,) = LinuxProcesses(root).holders([address(VGA)])
    assert holder.node == "/dev/dri/card0"


def test_a_mapping_of_something_else_is_none_of_our_business(root: Path) -> None:
    mappings(root, 5, "00a00000-00b00000", "/dev/dri/card0")
    grow(root, {"proc/5/map_files/a00000-b00000": Link("/dev/null")})
    assert LinuxProcesses(root).holders([address(VGA)]) == []


def test_the_kernel_s_own_account_of_descriptors_and_mappings(root: Path) -> None:
    """This very process, on the real /proc."""
    (root / "proc").symlink_to("/proc")

    def nodes() -> list[str]:
        found = LinuxProcesses(root).holders([address(VGA)])
        return [h.node for h in found if h.pid == os.getpid()]

    descriptor = os.open(RENDER, os.O_RDONLY)
    assert nodes() == ["/dev/dri/renderD128"]
    mapped = mmap.mmap(descriptor, 4096, flags=mmap.MAP_PRIVATE)
    os.close(descriptor)
    del descriptor
    assert nodes() == ["/dev/dri/renderD128"]
    mapped.close()
    assert nodes() == []


NVIDIA_DEVICES = """\
Character devices:
  1 mem
195 nvidia
508 nvidia-uvm
235 nvidia-caps

Block devices:
508 nvidia-uvm
"""


def nvidia(root: Path, *others: str) -> None:
    """The card is NVIDIA's, with minor 7; what else its driver has is for the caller to say."""
    (root / f"sys/bus/pci/devices/{VGA}/driver").unlink()
    place = "proc/driver/nvidia/gpus"
    grow(root, {
        f"sys/bus/pci/devices/{VGA}/driver": Link("sys/bus/pci/drivers/nvidia"),
        "sys/bus/pci/drivers/nvidia/module": "", f"sys/bus/pci/drivers/nvidia/{VGA}": "",
        **{f"sys/bus/pci/drivers/nvidia/{other}": "" for other in others},
        f"{place}/{VGA}/information": "Model: \t\t RTX\nDevice Minor: \t 7\nGPU Excluded:\t No\n",
        "proc/devices": NVIDIA_DEVICES,
    })  # fmt: skip


def test_nvidia_s_nodes_of_the_only_card(root: Path) -> None:
    nvidia(root)
    nodes = DeviceNodes(root).of([address(VGA)])
    wanted = {(195, 7), (195, 254), (195, 255), (508, 0), (508, 1), (235, 1), (1, 7)}
    assert wanted <= set(nodes)
    assert nodes[195, 7] == "/dev/nvidia7"


def test_beside_another_card_of_nvidia_s_only_its_own_minor_counts(root: Path) -> None:
    nvidia(root, "0000:05:00.0")
    nodes = DeviceNodes(root).of([address(VGA)])
    assert {n for n in nodes if n[0] in (195, 508, 235)} == {(195, 7)}


@pytest.mark.parametrize(("others", "counts"), [([], True), (["0000:05:00.0"], False)])
def test_a_job_of_rocm_s_on_another_card_is_none_of_this_one(
    root: Path, others: list[str], *, counts: bool
) -> None:
    grow(root, {f"sys/bus/pci/drivers/amdgpu/{a}": "" for a in (VGA, *others)})
    grow(root, {"sys/class/kfd/kfd/dev": "511:0\n"})
    assert ((511, 0) in DeviceNodes(root).of([address(VGA)])) is counts


def test_devices_behind_a_bridge_or_a_hub_are_others(root: Path) -> None:
    bridge: dict[str, Contents] = {
        "0000:09:00.0/drm/card7/dev": "1:3\n",
        "0000:09:00.0/drm/card7/uevent": "DEVNAME=dri/card7\n",
        "0000:09:00.0/drm/card7/subsystem": Link("sys/class/drm"),
        "usb1/1-1/sound/card9/controlC9/dev": "1:3\n",
        "usb1/1-1/sound/card9/controlC9/uevent": "DEVNAME=snd/controlC9\n",
        "usb1/1-1/sound/card9/controlC9/subsystem": Link("sys/class/sound"),
    }
    grow(root, pci_function("0000:00:14.0", driver="xhci_hcd", more=bridge))
    process(root, 5, "program", "0::/", "/dev/null")
    assert LinuxProcesses(root).holders([address("0000:00:14.0")]) == []


def test_no_devices_no_holders(root: Path) -> None:
    process(root, 5, "program", "0::/", CARD)
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
        ("4:memory:/\n1:name=systemd:/system.slice/z.service", "z.service"),
        ("", ""),
        # Whoever may make a control group chooses its name, all but newlines in it.
        (
            "9:name=x:/a\x1c0::/system.slice/sshd.service\n0::/system.slice/y.service",
            "y.service",
        ),
    ],
)
def test_the_unit_of_a_process(root: Path, cgroup: str, unit: str) -> None:
    process(root, 5, "program", cgroup, CARD)
    (holder,) = LinuxProcesses(root).holders([address(VGA)])
    assert holder.unit == unit


def test_the_unit_is_what_systemd_says_and_it_is_asked_once(root: Path) -> None:
    """What a container calls ssh.service is not the host's."""
    asked: list[int] = []

    def ask(pid: int) -> str:
        asked.append(pid)
        return ""

    process(root, 5, "sshd", "0::/lxc.payload.dev/system.slice/ssh.service", CARD)
    processes = LinuxProcesses(root, ask)
    for _ in range(2):
        (holder,) = processes.holders([address(VGA)])
        assert holder.unit == ""
        assert holder.group == "/lxc.payload.dev/system.slice/ssh.service"
    assert asked == [5]


def test_the_unit_of_any_process_is_found_the_same_way(root: Path) -> None:
    process(root, 5, "apt", "0::/user.slice/user-1000.slice/session-2.scope")
    assert LinuxProcesses(root).unit(5) == "session-2.scope"
    assert LinuxProcesses(root, lambda _pid: "user@1000.service").unit(5) == "user@1000.service"
    assert LinuxProcesses(root, lambda _pid: None).unit(5) == ""
    assert LinuxProcesses(root).unit(6) == ""


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


def test_consoles_of_a_framebuffer_are_read(screen: LinuxScreen) -> None:
    assert screen.consoles() == [Console("vtcon1", bound=False)]


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


@pytest.mark.parametrize(
    ("v2", "place", "name"),
    [
        ("", "", "memory.current"),
        ("unified/", "unified/", "memory.current"),
        ("unified/", "memory/", "memory.usage_in_bytes"),
    ],
)
def test_memory_is_read(tmp_path: Path, v2: str, place: str, name: str) -> None:
    below = f"sys/fs/cgroup/{place}"
    grow(
        tmp_path,
        {
            "proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    2048 kB\nHugepagesize: 2048 kB\n",
            f"sys/fs/cgroup/{v2}cgroup.controllers": "\n",
            f"{below}system.slice/lightdm.service/{name}": "100\n",
            f"{below}user.slice/user-1000.slice/session-2.scope/{name}": "20\n",
            f"{below}user.slice/user-1000.slice/session-3.scope/{name}": "5\n",
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


def below_a_port(root: Path) -> Path:
    """The card's bus with its port as the kernel shows them; the port's own rescan."""
    port = (root / f"sys/bus/pci/devices/{VGA}").resolve().parent
    (port / "pci_bus/0000:01").mkdir(parents=True)
    (port / "pci_bus/0000:01/rescan").touch()
    (port / "rescan").touch()
    here = port.relative_to(root.resolve()) / "pci_bus/0000:01"
    grow(root, {"sys/class/pci_bus/0000:01": Link(str(here)), "sys/bus/pci/rescan": ""})
    return port / "rescan"


def test_without_that_a_function_is_reset_alone_on_its_bus(root: Path) -> None:
    devices = root / "sys/bus/pci/devices"
    rescan = below_a_port(root)
    (devices / AUDIO / "remove").touch()
    for name, text in {"reset_method": "pm bus\n", "reset": ""}.items():
        (devices / VGA / name).write_text(text)
    LinuxPci(KernelCalls(), root).reset_bus(address(VGA), seconds=5)
    assert (devices / AUDIO / "remove").read_text() == "1"
    assert (devices / VGA / "reset").read_text() == "1"
    assert (devices / VGA / "reset_method").read_text().strip() == "pm bus"
    assert rescan.read_text() == "1"


def test_the_others_are_looked_for_again_although_the_reset_failed(root: Path) -> None:
    rescan = below_a_port(root)
    (root / f"sys/bus/pci/devices/{AUDIO}/remove").touch()
    with pytest.raises(HostError, match="reset_method"):
        LinuxPci(KernelCalls(), root).reset_bus(address(VGA), seconds=5)
    assert rescan.read_text() == "1"


def test_a_function_is_looked_for_from_its_port_which_wakes_then(root: Path) -> None:
    """By the bus's own rescan a port in D3hot stays asleep, and the card below it is not found."""
    rescan = below_a_port(root)
    (root / f"sys/bus/pci/devices/{VGA}/remove").touch()
    LinuxPci(KernelCalls(), root).rediscover(address(VGA), seconds=5)
    assert (root / f"sys/bus/pci/devices/{VGA}/remove").read_text() == "1"
    assert rescan.read_text() == "1"
    assert rescan.with_name("pci_bus").joinpath("0000:01/rescan").read_text() == ""
    assert (root / "sys/bus/pci/rescan").read_text() == ""


def test_one_that_has_gone_already_is_looked_for_there_too(root: Path) -> None:
    rescan = below_a_port(root)
    (root / f"sys/bus/pci/devices/{VGA}").unlink()
    LinuxPci(KernelCalls(), root).rediscover(address(VGA), seconds=5)
    assert rescan.read_text() == "1"


def test_one_on_a_root_bus_is_looked_for_on_every_bus(tmp_path: Path) -> None:
    grow(tmp_path, pci_function("0000:00:02.0", driver="i915", group=1))
    here = "sys/devices/pci0000:00/pci_bus/0000:00"
    grow(tmp_path, {f"{here}/rescan": "", "sys/bus/pci/rescan": ""})
    grow(tmp_path, {"sys/class/pci_bus/0000:00": Link(here)})
    (tmp_path / "sys/bus/pci/devices/0000:00:02.0/remove").touch()
    LinuxPci(KernelCalls(), tmp_path).rediscover(address("0000:00:02.0"), seconds=5)
    assert (tmp_path / "sys/bus/pci/rescan").read_text() == "1"


def test_a_function_is_compared_with_what_the_kernel_knows_of_it(root: Path) -> None:
    device = root / f"sys/bus/pci/devices/{VGA}"
    (device / "resource").write_text("0xe0000000 0xefffffff 0x14220c\n")
    (device / "config").write_bytes(bytes.fromhex("0210df67 0704").ljust(64, b"\0"))
    assert "BAR 0" in (LinuxPci(KernelCalls(), root).fault(address(VGA)) or "")


def test_a_virtual_function_is_well_without_addresses_of_its_own(root: Path) -> None:
    device = root / f"sys/bus/pci/devices/{VGA}"
    (device / "resource").write_text("0xf7e00000 0xf7e03fff 0x140204\n")
    (device / "config").write_bytes(bytes.fromhex("ffffffff 0400 1000").ljust(64, b"\0"))
    pci = LinuxPci(KernelCalls(), root)
    assert pci.fault(address(VGA)) is not None
    (device / "physfn").symlink_to(f"../{AUDIO}")
    assert pci.fault(address(VGA)) is None
    (device / "config").write_bytes(b"\xff" * 64)
    assert "not on the bus" in (pci.fault(address(VGA)) or "")
