"""What every Host keeps: the same assertions for the model and for a real machine.

Each rule takes a host and a description of what it may use, and leaves everything as it was.
Plain asserts and the standard library only: they also run where pytest is not installed.
"""

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from vfiod.errors import Busy, HostError, KernelStuck
from vfiod.host.door import Host
from vfiod.host.goodbye import Answer, Outcome
from vfiod.host.systemd import Inhibitor
from vfiod.model import VFIO_DRIVER, FirmwareFramebuffer, PciAddress, PowerPolicy, Session

SECONDS = 20.0
SHORT = 1.0
NOBODY = 2**31 - 2
NOWHERE = PciAddress.parse("fffe:fe:1e.7")


@dataclass(frozen=True)
class Rig:
    """What of the machine the rules may use, and for as long as they run nobody else does.

    ``display`` and ``audio`` are a card and its sound on their native drivers, the only
    framebuffer; ``spare`` is a function that nothing depends on; ``unit`` a harmless service;
    ``hold`` keeps a node of a function open in a process of its own and gives its pid; ``leave``
    logs somebody in and out again, with a process left behind, and gives the session.
    """

    host: Host
    display: PciAddress
    audio: PciAddress
    spare: PciAddress
    unit: str
    hold: Callable[[PciAddress], AbstractContextManager[int]]
    leave: Callable[[], AbstractContextManager[str]]


Rule = Callable[[Rig], None]
READING: list[Rule] = []
KERNEL: list[Rule] = []
SYSTEMD: list[Rule] = []


def reading(rule: Rule) -> Rule:
    """Needs no kernel behind the files."""
    READING.append(rule)
    return rule


def kernel(rule: Rule) -> Rule:
    """Needs drivers that come and go."""
    KERNEL.append(rule)
    return rule


def systemd(rule: Rule) -> Rule:
    """Needs systemd and logind."""
    SYSTEMD.append(rule)
    return rule


def refuses(do: Callable[[], object]) -> HostError:
    """The HostError that this must raise."""
    try:
        do()
    except HostError as error:
        return error
    raise AssertionError("the host did not refuse")


def driver(b: Rig, address: PciAddress) -> str | None:
    found = b.host.pci.driver(address)
    assert found == b.host.pci.function(address).driver
    return found


def rebind(b: Rig, address: PciAddress, override: str | None) -> None:
    b.host.pci.set_override(address, override)
    if driver(b, address) is not None:
        b.host.pci.unbind(address, seconds=SECONDS)
    b.host.pci.probe(address, seconds=SECONDS)


# Reading


@reading
def a_function_is_among_all_functions(b: Rig) -> None:
    assert b.host.pci.functions()[b.display] == b.host.pci.function(b.display)
    assert b.host.pci.function(b.display).is_display
    assert b.host.pci.function(b.display).group is not None


@reading
def a_function_that_is_not_there_is_named(b: Rig) -> None:
    assert str(NOWHERE) in refuses(lambda: b.host.pci.function(NOWHERE)).message
    assert str(NOWHERE) in refuses(lambda: b.host.pci.driver(NOWHERE)).message


@reading
def an_override_reads_back_and_is_cleared(b: Rig) -> None:
    assert b.host.pci.override(b.spare) is None
    b.host.pci.set_override(b.spare, "no-such-driver")
    assert b.host.pci.override(b.spare) == "no-such-driver"
    b.host.pci.set_override(b.spare, None)
    assert b.host.pci.override(b.spare) is None


@reading
def a_power_policy_is_set_and_restored(b: Rig) -> None:
    before = b.host.pci.power(b.spare)
    b.host.pci.set_power(b.spare, PowerPolicy("0", "on"))
    after = b.host.pci.power(b.spare)
    assert after == PowerPolicy(before.d3cold_allowed and "0", before.control and "on")
    b.host.pci.set_power(b.spare, before)
    assert b.host.pci.power(b.spare) == before


@reading
def a_rom_that_is_not_there_is_refused(b: Rig) -> None:
    assert str(b.spare) in refuses(lambda: b.host.pci.read_rom(b.spare, seconds=SHORT)).message


@reading
def a_guest_that_libvirt_has_not_has_no_process(b: Rig) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    assert b.host.guests.is_cleaned_up(nobody)
    assert b.host.guests.qemu(nobody) is None


@reading
def an_empty_power_policy_changes_nothing(b: Rig) -> None:
    before = b.host.pci.power(b.spare)
    b.host.pci.set_power(b.spare, PowerPolicy(None, None))
    assert b.host.pci.power(b.spare) == before


@reading
def a_display_has_a_card_and_other_functions_have_none(b: Rig) -> None:
    assert b.host.pci.output(b.display).cards
    assert not b.host.pci.output(b.spare).cards


@reading
def a_rom_is_staged_and_taken_away(b: Rig) -> None:
    b.host.files.stage_rom(b.spare, b"first")
    b.host.files.stage_rom(b.spare, b"\x55\xaa")
    assert b.spare in b.host.files.staged_roms()
    b.host.files.unstage_rom(b.spare)
    b.host.files.unstage_rom(b.spare)
    assert b.spare not in b.host.files.staged_roms()


@reading
def a_rom_that_was_not_staged_is_nobody_s_to_take_away(b: Rig) -> None:
    b.host.files.unstage_rom(b.spare)
    assert b.spare not in b.host.files.staged_roms()


@reading
def a_rom_that_is_not_there_is_named(b: Rig) -> None:
    path = "/nowhere/card.rom"
    assert path in refuses(lambda: b.host.files.read_rom(path)).message
    assert not b.host.files.qemu_may_read(path)


@reading
def files_that_are_not_there_are_told(b: Rig) -> None:
    paths = ["/", "/nowhere/at/all"]
    found = b.host.files.missing(paths, seconds=SECONDS)
    assert list(found) in ([], paths[1:])  # the model has no files of its own
    assert all(reason == "does not exist" for reason in found.values())


@reading
def a_path_is_on_a_mount(b: Rig) -> None:
    paths = ["/", "/nowhere/at/all"]
    found = b.host.files.mounts(paths)
    assert list(found) == paths
    assert all(found[path].holds(path) and found[path].kind for path in paths)


@reading
def what_is_plugged_in_hangs_on_a_controller(b: Rig) -> None:
    functions = b.host.pci.functions()
    assert all(functions[d.controller].is_usb_controller for d in b.host.pci.usb())
    assert b.host.pci.behind(["/dev/nowhere", "/nowhere", "/sys/class/net/nowhere"]) == {}


@reading
def render_nodes_are_nodes_of_devices(b: Rig) -> None:
    found = b.host.pci.render_nodes()
    assert all(node.startswith("/dev/dri/renderD") for node in found)
    functions = b.host.pci.functions()
    assert all(address in functions for way in found.values() for address in way)


@reading
def there_is_memory(b: Rig) -> None:
    assert b.host.memory.available() > 0
    assert b.host.memory.held_by(["no-such-unit.service"]) == 0


@reading
def keyboards_are_those_with_all_of_the_keys(b: Rig) -> None:
    found = b.host.inputs.keyboards(["KEY_A"], [])
    assert not any(found.values())
    assert b.host.inputs.keyboards(["KEY_A", "KEY_B"], []).keys() <= found.keys()
    assert all(b.host.inputs.keyboards(["KEY_A"], found).values())
    assert not b.host.inputs.keyboards([], found)


@reading
def some_cpus_run(b: Rig) -> None:
    assert b.host.cpus.online()
    assert b.host.cpus.interrupts() & b.host.cpus.online()


@reading
def a_frequency_policy_has_its_governor_among_the_choices(b: Rig) -> None:
    for policy in b.host.cpus.frequencies():
        assert policy.cpus <= b.host.cpus.online()
        assert policy.governor in policy.governors


@reading
def a_policy_that_is_not_there_is_named(b: Rig) -> None:
    cpus = b.host.cpus
    assert "policy9999" in refuses(lambda: cpus.set_governor("policy9999", "performance")).message
    assert "policy9999" in refuses(lambda: cpus.set_energy("policy9999", "performance")).message


@reading
def huge_pages_of_the_default_size_can_be_counted(b: Rig) -> None:
    pool = b.host.hugepages.pool(None)
    assert pool is not None
    assert b.host.hugepages.pool(pool.size) == pool
    assert 0 <= pool.free <= pool.total
    assert b.host.hugepages.pool(2**40) is None


@reading
def huge_pages_are_mounted_in_sizes_that_the_kernel_has(b: Rig) -> None:
    mounted = b.host.hugepages.mounted()
    assert mounted
    assert all(b.host.hugepages.pool(size) for size in mounted)


@reading
def a_wait_ends_with_its_condition_or_at_its_deadline(b: Rig) -> None:
    began = b.host.now()
    assert b.host.wait(lambda: True, seconds=SECONDS)
    assert b.host.now() - began < SECONDS
    assert not b.host.wait(lambda: False, seconds=0.1)
    assert b.host.now() - began >= 0.1
    assert not b.host.wait(lambda: False, seconds=0)


@reading
def tasks_are_done_side_by_side_and_none_is_none(b: Rig) -> None:
    done: list[int] = []
    for count in range(4):
        b.host.run_parallel([partial(done.append, count)] * count)
    assert sorted(done) == [1, 2, 2, 3, 3, 3]


@reading
def nobody_holds_what_nobody_opened(b: Rig) -> None:
    assert not b.host.processes.holders([])
    assert not b.host.processes.holders([NOWHERE])
    assert not b.host.processes.vfio_holders([])
    assert not b.host.processes.vfio_holders([2**20])


@reading
def nothing_is_late_that_nobody_began(b: Rig) -> None:
    assert not b.host.late.calls()


@reading
def a_framebuffer_has_one_console(b: Rig) -> None:
    (console,) = b.host.screen.consoles()
    assert console.bound


# Memory and CPUs


@kernel
def a_pool_of_huge_pages_grows_and_shrinks(b: Rig) -> None:
    before = b.host.hugepages.pool(None)
    assert before is not None
    for more in (3, 3, 1, 0, 0):
        b.host.hugepages.resize(before.size, before.total + more)
        after = b.host.hugepages.pool(before.size)
        assert after is not None
        assert (after.total, after.free) == (before.total + more, before.free + more)


@kernel
def a_pool_takes_no_more_than_can_be_had_and_says_nothing(b: Rig) -> None:
    before = b.host.hugepages.pool(2**21)
    assert before is not None
    b.host.hugepages.compact()
    b.host.hugepages.resize(2**21, before.total + 2**17)
    after = b.host.hugepages.pool(2**21)
    assert after is not None
    assert before.total < after.total < before.total + 2**17
    b.host.hugepages.resize(2**21, before.total)
    assert b.host.hugepages.pool(2**21) == before


@kernel
def transparent_huge_pages_change_their_mode(b: Rig) -> None:
    before = b.host.hugepages.transparent()
    assert before is not None
    for mode in ("never", "always", "madvise", before):
        b.host.hugepages.set_transparent(mode)
        assert b.host.hugepages.transparent() == mode


@kernel
def new_interrupts_are_aimed_and_never_at_nothing(b: Rig) -> None:
    before = b.host.cpus.interrupts()
    one = frozenset({min(b.host.cpus.online())})
    b.host.cpus.set_default_irq_affinity(one)
    assert b.host.cpus.interrupts() == one
    refuses(lambda: b.host.cpus.set_default_irq_affinity(frozenset()))
    assert b.host.cpus.interrupts() == one
    b.host.cpus.set_default_irq_affinity(before)
    assert b.host.cpus.interrupts() == before


# Drivers


@kernel
def probing_a_bound_function_changes_nothing(b: Rig) -> None:
    before = driver(b, b.spare)
    b.host.pci.probe(b.spare, seconds=SECONDS)
    assert before is not None
    assert driver(b, b.spare) == before


@kernel
def a_function_is_unbound_and_probed_again(b: Rig) -> None:
    before = driver(b, b.spare)
    b.host.pci.unbind(b.spare, seconds=SECONDS)
    assert driver(b, b.spare) is None
    b.host.pci.probe(b.spare, seconds=SECONDS)
    assert driver(b, b.spare) == before


@kernel
def a_function_is_rebound_to_what_its_override_says(b: Rig) -> None:
    before, policy = driver(b, b.spare), b.host.pci.power(b.spare)
    b.host.modules.load("vfio_pci", seconds=SECONDS)
    b.host.pci.rebind(b.spare, VFIO_DRIVER, seconds=SECONDS)
    assert driver(b, b.spare) == VFIO_DRIVER
    assert b.host.pci.override(b.spare) == VFIO_DRIVER
    b.host.pci.rebind(b.spare, str(before), seconds=SECONDS)
    assert driver(b, b.spare) == before
    b.host.pci.set_override(b.spare, None)
    b.host.pci.set_power(b.spare, policy)


@kernel
def a_rebind_of_a_function_without_a_driver_is_refused_and_probes_nothing(b: Rig) -> None:
    before = driver(b, b.spare)
    b.host.pci.unbind(b.spare, seconds=SECONDS)
    error = refuses(lambda: b.host.pci.rebind(b.spare, str(before), seconds=SECONDS))
    assert str(b.spare) in error.message
    assert driver(b, b.spare) is None
    b.host.pci.set_override(b.spare, None)
    b.host.pci.probe(b.spare, seconds=SECONDS)
    assert driver(b, b.spare) == before


@kernel
def a_function_without_a_driver_cannot_be_unbound(b: Rig) -> None:
    b.host.pci.unbind(b.spare, seconds=SECONDS)
    error = refuses(lambda: b.host.pci.unbind(b.spare, seconds=SECONDS))
    assert str(b.spare) in error.message
    b.host.pci.probe(b.spare, seconds=SECONDS)


@kernel
def a_stale_override_keeps_the_native_driver_off_and_probe_says_nothing(b: Rig) -> None:
    before = driver(b, b.spare)
    rebind(b, b.spare, "no-such-driver")
    assert driver(b, b.spare) is None
    b.host.pci.set_override(b.spare, None)
    assert driver(b, b.spare) is None
    b.host.pci.probe(b.spare, seconds=SECONDS)
    assert driver(b, b.spare) == before


@kernel
def an_override_and_a_probe_do_not_unbind(b: Rig) -> None:
    before = driver(b, b.spare)
    b.host.modules.load("vfio_pci", seconds=SECONDS)
    b.host.pci.set_override(b.spare, VFIO_DRIVER)
    assert driver(b, b.spare) == before
    b.host.pci.probe(b.spare, seconds=SECONDS)
    assert driver(b, b.spare) == before
    b.host.pci.set_override(b.spare, None)


@kernel
def a_function_goes_to_vfio_pci_and_back(b: Rig) -> None:
    before, policy = driver(b, b.spare), b.host.pci.power(b.spare)
    b.host.modules.load("vfio_pci", seconds=SECONDS)
    rebind(b, b.spare, VFIO_DRIVER)
    assert driver(b, b.spare) == VFIO_DRIVER
    rebind(b, b.spare, before)
    b.host.pci.set_override(b.spare, None)
    assert driver(b, b.spare) == before
    b.host.pci.set_power(b.spare, policy)  # vfio-pci changes it as it comes and as it leaves


@kernel
def a_module_is_loaded_and_stays(b: Rig) -> None:
    assert b.host.modules.available("vfio_pci")
    assert not b.host.modules.removed()
    b.host.modules.load("vfio_pci", seconds=SECONDS)
    b.host.modules.load("vfio_pci", seconds=SECONDS)
    assert b.host.modules.loaded("vfio_pci")
    assert not b.host.modules.available("no_such_module")
    assert not b.host.modules.loaded("no_such_module")
    refuses(lambda: b.host.modules.load("no_such_module", seconds=SECONDS))


@kernel
def the_picture_goes_with_the_driver_and_comes_back_by_itself(b: Rig) -> None:
    """DRM node and framebuffer console, which nobody binds here."""
    pci, screen = b.host.pci, b.host.screen
    connected = bool(pci.output(b.display).connected)
    pci.unbind(b.display, seconds=SECONDS)
    assert not pci.output(b.display).cards
    assert not screen.consoles()
    pci.probe(b.display, seconds=SECONDS)
    assert b.host.wait(lambda: bool(pci.output(b.display).cards), seconds=SECONDS)
    assert b.host.wait(lambda: any(c.bound for c in screen.consoles()), seconds=SECONDS)
    assert bool(pci.output(b.display).connected) == connected


@kernel
def a_console_is_unbound_and_bound(b: Rig) -> None:
    def bound() -> bool:
        return any(c.bound for c in b.host.screen.consoles())

    (console,) = b.host.screen.consoles()
    for wanted in (False, False, True, True):
        b.host.screen.bind_console(console.ident, bound=wanted)
        assert bound() is wanted


@kernel
def a_framebuffer_that_is_gone_for_good_is_no_error(b: Rig) -> None:
    gone = FirmwareFramebuffer("efi-framebuffer.0", "efi-framebuffer")
    assert gone not in b.host.screen.framebuffers()
    b.host.screen.bind_framebuffer(gone, bound=False)
    b.host.screen.bind_framebuffer(gone, bound=True)
    assert gone not in b.host.screen.framebuffers()


@kernel
def a_holder_is_named_with_its_node_and_ends_at_a_signal(b: Rig) -> None:
    with b.hold(b.audio) as pid:
        found = [h for h in b.host.processes.holders([b.audio]) if h.pid == pid]
        assert found
        assert all(h.node.startswith("/dev/snd/") for h in found)
        assert pid not in [h.pid for h in b.host.processes.holders([b.spare])]
        b.host.processes.signal(found[0], signal.SIGTERM)
        assert b.host.wait(
            lambda: pid not in [h.pid for h in b.host.processes.holders([b.audio])],
            seconds=SECONDS,
        )
        b.host.processes.signal(found[0], signal.SIGTERM)


@kernel
def what_is_closed_nobody_can_open_until_it_is_opened_again(b: Rig) -> None:
    def can_be_held() -> bool:
        try:
            with b.hold(b.audio) as pid:
                return pid in [h.pid for h in b.host.processes.holders([b.audio])]
        except PermissionError:
            return False

    assert b.host.gate.can_close()
    with b.hold(b.audio) as pid:
        b.host.gate.close([b.audio])
        b.host.gate.close([b.audio])
        assert b.host.gate.is_closed
        assert pid in [h.pid for h in b.host.processes.holders([b.audio])]
        assert not can_be_held()
    for _ in range(2):
        b.host.gate.open()
    assert not b.host.gate.is_closed
    assert can_be_held()


@kernel
def a_driver_that_waits_for_a_holder_is_stuck_until_that_lets_go(b: Rig) -> None:
    """snd_hda_intel under somebody who ignores the disconnect (sound/core/init.c)."""
    before = driver(b, b.audio)
    with b.hold(b.audio):
        began = b.host.now()
        stuck = refuses(lambda: b.host.pci.unbind(b.audio, seconds=SHORT))
        assert isinstance(stuck, KernelStuck)
        assert str(b.audio) in stuck.message
        (call,) = b.host.late.calls()
        assert call.subject == str(b.audio)
        assert call.pid in stuck.pids
        assert b.host.now() - began >= SHORT
        assert driver(b, b.audio) is None
        again = refuses(lambda: b.host.pci.set_override(b.audio, None))
        assert isinstance(again, KernelStuck)

    def is_back() -> bool:
        try:
            b.host.pci.probe(b.audio, seconds=SECONDS)
        except KernelStuck:
            return False
        return driver(b, b.audio) == before

    assert b.host.wait(is_back, seconds=SECONDS)
    assert not b.host.late.calls()


# systemd and logind


@systemd
def a_unit_is_stopped_and_started_and_twice_is_once(b: Rig) -> None:
    assert b.host.units.unit(b.unit).active
    for _ in range(2):
        b.host.units.stop(b.unit, seconds=SECONDS)
        assert not b.host.units.unit(b.unit).active
    for _ in range(2):
        b.host.units.start(b.unit, seconds=SECONDS)
        assert b.host.units.unit(b.unit).active


@systemd
def a_unit_that_is_asked_to_stop_does(b: Rig) -> None:
    b.host.units.begin_stop(b.unit)
    assert b.host.wait(lambda: not b.host.units.unit(b.unit).active, seconds=SECONDS)
    b.host.units.start(b.unit, seconds=SECONDS)
    assert b.host.units.unit(b.unit).active


@systemd
def a_unit_that_does_not_exist(b: Rig) -> None:
    unit = b.host.units.unit("no-such-unit.service")
    assert (unit.ident, unit.active, unit.loaded) == ("no-such-unit.service", False, False)
    assert not unit.busy
    b.host.units.stop("no-such-unit.service", seconds=SECONDS)
    b.host.units.begin_stop("no-such-unit.service")
    assert (
        "no-such-unit.service"
        in refuses(lambda: b.host.units.start("no-such-unit.service", seconds=SECONDS)).message
    )


@systemd
def a_unit_has_its_own_name_and_an_unknown_one_keeps_it(b: Rig) -> None:
    names = b.host.units.primary_names([b.unit, "no-such-unit.service"])
    assert set(names) == {b.unit, "no-such-unit.service"}


@systemd
def a_unit_that_does_not_exist_needs_nothing(b: Rig) -> None:
    assert not b.host.units.needs("no-such-unit.service")


@systemd
def a_process_that_is_not_there_is_in_no_unit(b: Rig) -> None:
    assert b.host.processes.unit(NOBODY) == ""


@systemd
def a_running_host_is_not_shutting_down(b: Rig) -> None:
    assert not b.host.units.shutting_down()


@systemd
def a_unit_s_cpus_are_limited_and_the_limit_is_lifted(b: Rig) -> None:
    slices = b.host.slices
    assert slices.can_limit()
    before, everything = slices.allowed_cpus(b.unit), slices.effective(b.unit)
    one = frozenset({min(b.host.cpus.online())})
    # systemd answers first and tells the kernel then.
    for _ in range(2):
        slices.set_allowed_cpus(b.unit, one)
        assert slices.allowed_cpus(b.unit) == one
        assert b.host.wait(lambda: slices.effective(b.unit) == one, seconds=SECONDS)
    for _ in range(2):
        slices.set_allowed_cpus(b.unit, before)
        assert slices.allowed_cpus(b.unit) == before
        assert b.host.wait(lambda: slices.effective(b.unit) == everything, seconds=SECONDS)


@systemd
def a_limit_is_lifted_while_that_of_a_neighbour_stands(b: Rig) -> None:
    """Then the kernel keeps the cpuset, and with it the limit unless it is made to."""
    slices, neighbours = b.host.slices, ("init.scope", "system.slice")
    before = {unit: slices.allowed_cpus(unit) for unit in neighbours}
    assert not any(before.values())
    everything = b.host.cpus.online()
    one = frozenset({min(everything)})
    for unit in neighbours:
        slices.set_allowed_cpus(unit, one)
    assert b.host.wait(lambda: slices.effective("system.slice") == one, seconds=SECONDS)
    slices.set_allowed_cpus("system.slice", frozenset())
    assert b.host.wait(lambda: slices.effective("system.slice") == everything, seconds=SECONDS)
    assert slices.effective("init.scope") == one
    slices.set_allowed_cpus("init.scope", frozenset())
    # With the last limit the cpusets may go altogether.
    assert b.host.wait(
        lambda: slices.effective("init.scope") in (everything, frozenset()), seconds=SECONDS
    )
    assert {unit: slices.allowed_cpus(unit) for unit in neighbours} == before


@systemd
def a_unit_that_cannot_be_limited_is_named(b: Rig) -> None:
    """A target has no processes."""
    error = refuses(lambda: b.host.slices.set_allowed_cpus("basic.target", frozenset({0})))
    assert "basic.target" in error.message


@systemd
def a_session_that_is_gone_is_ended_without_an_error(b: Rig) -> None:
    assert "no-such-session" not in [s.ident for s in b.host.logins.sessions()]
    b.host.logins.terminate("no-such-session")


@systemd
def what_a_login_that_is_over_has_left_behind_ends_by_its_unit_alone(b: Rig) -> None:
    def is_listed() -> bool:
        return any(s.ident == ident for s in b.host.logins.sessions())

    with b.leave() as ident:
        (session,) = (s for s in b.host.logins.sessions() if s.ident == ident)
        assert session.closing
        b.host.logins.terminate(ident)
        assert not b.host.wait(lambda: not is_listed(), seconds=SHORT)
        b.host.units.stop(session.unit, seconds=SECONDS)
        assert b.host.wait(lambda: not is_listed(), seconds=SECONDS)


@systemd
def nobody_unknown_lingers(b: Rig) -> None:
    assert not b.host.logins.lingers(2**31)


@systemd
def nobody_unknown_has_a_home(b: Rig) -> None:
    assert b.host.logins.home(NOBODY) == ""


@systemd
def nothing_is_done_as_a_user_whom_nobody_knows(b: Rig) -> None:
    users = b.host.users
    refuses(lambda: users.remember(NOBODY, "ask", seconds=SHORT))
    refuses(lambda: users.forget(NOBODY, seconds=SHORT))
    refuses(lambda: users.stop(NOBODY, ["x.service"], seconds=SHORT))
    refuses(lambda: users.restart(NOBODY, ["x.service"], seconds=SHORT))


@systemd
def without_units_nothing_is_done_as_a_user(b: Rig) -> None:
    b.host.users.stop(NOBODY, [], seconds=SHORT)
    b.host.users.restart(NOBODY, [], seconds=SHORT)


@systemd
def an_inhibitor_is_taken_and_dropped_and_twice_is_once(b: Rig) -> None:
    def own() -> list[Inhibitor]:
        locks = [i for i in b.host.logins.inhibitors() if i.why == "the contract tests run"]
        return [lock for lock in locks if lock.what != {"idle"}]  # which outlives the others

    b.host.logins.uninhibit()
    assert own() == []
    for _ in range(2):
        b.host.logins.inhibit("the contract tests run")
        (lock,) = own()
        assert (lock.who, lock.mode) == ("vfiod", "block")
        assert "sleep" in lock.what
        assert "shutdown" not in lock.what
    for _ in range(2):
        b.host.logins.uninhibit()
        assert own() == []


@kernel
def who_has_no_desktop_is_not_kept_waiting_for(b: Rig) -> None:
    """The session has been over for long: there is nobody to be asked."""
    nobody = Session("no-such-session", "nobody", 65534, "seat0", "user")
    answer = b.host.goodbyes.log_out(
        nobody, "win10", seconds=SECONDS, settle=SECONDS, go_on=lambda: None
    )
    assert answer == Answer(Outcome.DONE)


@kernel
def what_ends_a_wait_for_people_is_raised(b: Rig) -> None:
    looks = 0

    def go_on() -> None:
        nonlocal looks
        looks += 1
        if looks > 1:
            raise Busy("nobody wants it any more")

    nobody = Session("no-such-session", "nobody", 65534, "seat0", "user")
    try:
        b.host.goodbyes.log_out(nobody, "win10", seconds=SECONDS, settle=SECONDS, go_on=go_on)
    except Busy:
        return
    raise AssertionError("it has waited for an answer that nobody wants")
