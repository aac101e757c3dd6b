"""performance: on a real kernel and systemd, read in /sys, /proc and the control groups.

The emulated CPUs have no frequency scaling: governor and energy are seen to be left alone here,
and set in the unit tests only.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .emulator.machine import Lab
from .guest import Guest
from .scene import CONFIG, configure, define, desktop, phase, start, stop, wait_for_host

LIMITED = ("system.slice", "user.slice", "init.scope")
POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB"
MODE = "/sys/kernel/mm/transparent_hugepage/enabled"
EVERYTHING = """\
    performance:
      host_cpus: 0
      governor: performance
      energy: performance
      hugepages: auto
      irqs: near
      transparent_hugepages: never
"""
pytestmark = pytest.mark.usefixtures("clean_host")


def cpus(lab: Lab, unit: str) -> str:
    """CPUs the kernel lets the unit use; without a cpuset of its own it has its parent's."""
    root = "/sys/fs/cgroup"
    name = "cpuset.cpus.effective"
    return lab.sh(f"cat {root}/{unit}/{name} 2>/dev/null || cat {root}/{name}").stdout.strip()


def state(lab: Lab) -> dict[str, str]:
    """Everything that performance: may change, as the kernel and systemd tell it."""
    found = {unit: cpus(lab, unit) for unit in (*LIMITED, "machine.slice")}
    found |= {f"limit of {u}": lab.output("systemctl", "show", "-P", "AllowedCPUs", u)
              for u in LIMITED}  # fmt: skip
    return found | {
        "pages": lab.output("cat", f"{POOL}/nr_hugepages"),
        "free pages": lab.output("cat", f"{POOL}/free_hugepages"),
        "transparent": lab.output("cat", MODE),
        "interrupts": lab.output("cat", "/proc/irq/default_smp_affinity"),
    }


def qemu(lab: Lab) -> str:
    """The guest's process id."""
    return lab.output("cat", "/run/libvirt/qemu/win10.pid")


@pytest.fixture
def before(lab: Lab) -> Iterator[dict[str, str]]:
    """A host that has some pages set aside already, and one limit of its own."""
    lab.sh(f"echo 5 > {POOL}/nr_hugepages")
    lab.run("systemctl", "set-property", "--runtime", "user.slice", "AllowedCPUs=1")
    lab.wait_until("the host's own limit", lambda: cpus(lab, "user.slice") == "1", timeout=20)
    try:
        yield state(lab)
    finally:
        lab.sh(f"echo 0 > {POOL}/nr_hugepages")
        for allowed in ("0-1", ""):  # the kernel keeps the last that was not empty
            lab.run(
                "systemctl", "set-property", "--runtime", "user.slice", f"AllowedCPUs={allowed}"
            )


def require_tuned(lab: Lab) -> None:
    """Everything is as asked while the guest of 256 MiB runs."""
    now = state(lab)
    assert {now[unit] for unit in LIMITED} == {"0"}
    assert now["machine.slice"] == "0-1"
    # libvirtd itself is limited, the QEMU that it started is not.
    assert "Cpus_allowed_list:\t0-1" in lab.output("cat", f"/proc/{qemu(lab)}/status")
    assert (now["pages"], now["free pages"]) == ("128", "0")
    assert "[never]" in now["transparent"]
    assert now["interrupts"] == "2"


def interrupts_of_the_guest(lab: Lab) -> dict[str, str]:
    """Lines of /proc/interrupts about vfio -> the CPUs they may go to."""
    lines = lab.sh("grep vfio /proc/interrupts || true").stdout.splitlines()
    return {
        line.split()[-1]: lab.output("cat", f"/proc/irq/{line.split(':')[0].strip()}/smp_affinity")
        for line in lines
    }


@pytest.mark.long
def test_the_guest_has_its_cpus_and_memory_while_it_runs(lab: Lab, before: dict[str, str]) -> None:
    configure(lab)
    lab.sh(f"cat >> {CONFIG} <<'end'\n{EVERYTHING}end")
    define(lab, Guest(does="stay", hugepages=True))
    assert start(lab) == (0, "")
    require_tuned(lab)
    aimed = interrupts_of_the_guest(lab)
    assert aimed
    assert set(aimed.values()) == {"2"}, aimed
    told = lab.output("journalctl", "-t", "vfiod", "-o", "cat")
    assert "this host does not scale the CPUs' frequency" in told
    stop(lab)
    wait_for_host(lab)
    assert state(lab) == before


@pytest.mark.long
def test_a_killed_daemon_s_successor_gives_it_all_back(lab: Lab, before: dict[str, str]) -> None:
    configure(lab)
    lab.sh(f"cat >> {CONFIG} <<'end'\n{EVERYTHING}end")
    define(lab, Guest(does="stay", hugepages=True))
    assert start(lab) == (0, "")
    lab.run("systemctl", "kill", "-s", "KILL", "vfiod")
    lab.wait_until("the next daemon", lambda: phase(lab) == "guest", timeout=60)
    require_tuned(lab)
    stop(lab)
    wait_for_host(lab)
    assert state(lab) == before


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("host_cpus: 2-3", "host_cpus: no such CPU, this PC has 0-1"),
        ("hugepages: 64GiB", "must still be set aside"),
    ],
)
@pytest.mark.long
def test_what_cannot_be_had_is_refused_before_the_desktop_ends(
    lab: Lab, before: dict[str, str], asked: str, words: str
) -> None:
    configure(lab)
    lab.sh(f"printf '    performance:\\n      {asked}\\n' >> {CONFIG}")
    define(lab, Guest(does="stay", hugepages=True))
    greeter = desktop(lab)
    status, told = start(lab)
    assert status == 1
    assert words in told
    assert desktop(lab) == greeter
    assert state(lab) == before
