"""vfiod.host.linux keeps the contract, as far as trees of files and a small bus can show it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.real import hold
from tests.contract.rules import READING, SYSTEMD, Rig, Rule
from tests.fakes.bus import BusSession, BusUnit, FakeBus
from tests.fakes.tree import Contents, Link, grow, pci_function
from vfiod.host.door import Host
from vfiod.host.linux.containers import LinuxContainers
from vfiod.host.linux.cpus import LinuxCpus
from vfiod.host.linux.devicegate import LinuxGate
from vfiod.host.linux.files import LinuxFiles
from vfiod.host.linux.guest_end import LinuxGuests
from vfiod.host.linux.host import LinuxHost
from vfiod.host.linux.hugepages import LinuxHugePages
from vfiod.host.linux.inputs import LinuxInputs
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.host.linux.late import LinuxLate
from vfiod.host.linux.logins import LinuxLogins
from vfiod.host.linux.memory import LinuxMemory
from vfiod.host.linux.modules import LinuxModules
from vfiod.host.linux.pci import LinuxPci
from vfiod.host.linux.process import Programs
from vfiod.host.linux.processes import LinuxProcesses
from vfiod.host.linux.screen import LinuxScreen
from vfiod.host.linux.slices import LinuxSlices
from vfiod.host.linux.units import LinuxUnits
from vfiod.host.linux.users import LinuxUsers
from vfiod.model import PciAddress

DISPLAY, AUDIO, SPARE = "0000:01:00.0", "0000:01:00.1", "0000:02:00.0"


class TreeHost(LinuxHost):
    """LinuxHost with its root elsewhere."""

    def __init__(self, root: Path, bus: FakeBus) -> None:
        self.late = LinuxLate()
        calls = KernelCalls(self.late)
        self.pci = LinuxPci(calls, root)
        self.processes = LinuxProcesses(root)
        self.gate = LinuxGate(root)
        self.modules = LinuxModules(root, Programs(self.late))
        self.units = LinuxUnits(bus)
        self.containers = LinuxContainers(self.units)
        self.logins = LinuxLogins(bus)
        self.screen = LinuxScreen(calls, root)
        self.files = LinuxFiles(root / "stage", root=root)
        self.inputs = LinuxInputs(root)
        self.memory = LinuxMemory(root)
        self.users = LinuxUsers(Programs(self.late))
        self.slices = LinuxSlices(bus, root)
        self.guests = LinuxGuests(self.units, Programs(self.late), root / "run/libvirt/qemu")
        self.cpus = LinuxCpus(root)
        self.hugepages = LinuxHugePages(root)


def tree() -> dict[str, Contents]:
    nodes: dict[str, Contents] = {"drm/card0/card0-DP-1/status": "connected\n"}
    return {
        **pci_function(DISPLAY, driver="amdgpu", group=10, more=nodes),
        **pci_function(AUDIO, ids=("0x1002", "0xab28", "0x040300"), group=10),
        **pci_function(SPARE, ids=("0x1b21", "0x2142", "0x0c0330"), driver="xhci_hcd", group=11),
        "proc/meminfo": "MemAvailable: 1024 kB\nHugepagesize: 2048 kB\n",
        "proc/irq/default_smp_affinity": "ff\n",
        "proc/self/mountinfo": "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
        "36 24 0:32 / /dev/hugepages rw - hugetlbfs hugetlbfs rw\n",
        "sys/devices/system/cpu/online": "0-7\n",
        "sys/devices/system/cpu/possible": "0-7\n",
        "sys/devices/system/cpu/cpufreq/policy0/affected_cpus": "0 1\n",
        "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "powersave\n",
        "sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors": "powersave\n",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
        "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "3\n",
        "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "2\n",
        "sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages": "1\n",
        "proc/1/fd/0": Link("/dev/null"),
        "sys/class/input/event0/device/capabilities/key": "40000000\n",
        "sys/class/vtconsole/vtcon0/name": "(S) dummy device\n",
        "sys/class/vtconsole/vtcon0/bind": "1\n",
        "sys/class/vtconsole/vtcon1/name": "(M) frame buffer device\n",
        "sys/class/vtconsole/vtcon1/bind": "1\n",
    }


@pytest.fixture
def bus() -> FakeBus:
    bus = FakeBus()
    bus.units["cron.service"] = BusUnit("cron.service")
    return bus


@pytest.fixture
def host(tmp_path: Path, bus: FakeBus) -> Host:
    grow(tmp_path, tree())
    return TreeHost(tmp_path, bus)


@pytest.mark.parametrize("rule", [*READING, *SYSTEMD], ids=lambda rule: rule.__name__)
def test_linux_keeps(rule: Rule, host: Host, bus: FakeBus) -> None:
    @contextmanager
    def leave() -> Iterator[str]:
        properties = {"Class": "user", "Type": "x11", "Scope": "session-9.scope", "VTNr": 7,
                      "Leader": 812, "Desktop": "xfce", "State": "closing"}  # fmt: skip
        bus.sessions["9"] = BusSession("9", 1000, "alice", properties=properties)
        bus.units["session-9.scope"] = BusUnit("session-9.scope")
        yield "9"

    display, audio, spare = map(PciAddress.parse, (DISPLAY, AUDIO, SPARE))
    rule(Rig(host, display, audio, spare, "cron.service", hold, leave))


@pytest.mark.parametrize("after", [0.0, 0.1])
def test_a_wait_notices_soon(host: Host, after: float) -> None:
    began = time.monotonic()
    assert host.wait(lambda: time.monotonic() - began >= after, seconds=5)
    assert time.monotonic() - began < 1


def test_time_goes_on_while_the_host_sleeps(host: Host) -> None:
    assert abs(host.now() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5
