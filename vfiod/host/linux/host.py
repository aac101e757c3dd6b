"""LinuxHost: all doors on this machine."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from vfiod.bus.connection import Bus
from vfiod.host.linux.commands import LinuxCommands
from vfiod.host.linux.containers import LinuxContainers
from vfiod.host.linux.cpus import LinuxCpus
from vfiod.host.linux.devicegate import LinuxGate
from vfiod.host.linux.files import LinuxFiles
from vfiod.host.linux.goodbyes import LinuxGoodbyes
from vfiod.host.linux.guest_end import LinuxGuests
from vfiod.host.linux.hugepages import LinuxHugePages
from vfiod.host.linux.inputs import LinuxInputs
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.host.linux.late import LinuxLate
from vfiod.host.linux.logins import LinuxLogins
from vfiod.host.linux.lookup import Lookup
from vfiod.host.linux.memory import LinuxMemory
from vfiod.host.linux.modules import LinuxModules
from vfiod.host.linux.pci import LinuxPci
from vfiod.host.linux.power import LinuxPower
from vfiod.host.linux.process import Programs
from vfiod.host.linux.processes import LinuxProcesses
from vfiod.host.linux.screen import LinuxScreen
from vfiod.host.linux.slices import LinuxSlices
from vfiod.host.linux.units import LinuxUnits
from vfiod.host.linux.users import LinuxUsers

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.25


class LinuxHost:
    """Implements vfiod.host.door.Host."""

    def __init__(self, bus: Bus) -> None:
        self.late = late = LinuxLate()
        calls = self._calls = KernelCalls(late)
        programs = Programs(late)
        self.pci = LinuxPci(calls)
        self.units = LinuxUnits(bus)
        self.processes = LinuxProcesses(ask=self.units.owner)
        self.gate = LinuxGate()
        self.containers = LinuxContainers(self.units)
        self.modules = LinuxModules(programs=programs)
        self.logins = LinuxLogins(bus)
        self.goodbyes = LinuxGoodbyes(programs, self.units.begin_stop)
        self.screen = LinuxScreen(calls)
        self.files = LinuxFiles(lookup=Lookup(calls.client))
        self.inputs = LinuxInputs()
        self.memory = LinuxMemory()
        self.power = LinuxPower(self.units)
        self.guests = LinuxGuests(self.units, programs)
        self.commands = LinuxCommands(bus, self.units, programs)
        self.users = LinuxUsers(programs)
        self.slices = LinuxSlices(bus)
        self.cpus = LinuxCpus()
        self.hugepages = LinuxHugePages()

    def warm_up(self) -> None:
        """Start what the first kernel call would have to wait for."""
        self._calls.warm_up()

    def wait(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Poll, ever more slowly: /proc and /sys give no event for what is waited for here."""
        deadline = time.monotonic() + seconds
        pause = _FIRST_PAUSE
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return True

    def run_parallel(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Threads: the tasks wait for the kernel nearly all of the time."""
        if len(tasks) <= 1:
            for task in tasks:
                task()
            return
        with ThreadPoolExecutor(max_workers=len(tasks), thread_name_prefix="stage") as pool:
            futures = [pool.submit(task) for task in tasks]
        for future in futures:
            future.result()

    def now(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)
