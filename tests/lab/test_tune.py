"""vfiod tune with a real libvirt and QEMU: what it writes starts, and goes away again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .emulator.machine import Lab
from .guest import Guest
from .scene import define, start, stop

NAME = "win10"
HYPERV = "<acpi/><hyperv><relaxed state='on'/></hyperv>"


def definition(lab: Lab) -> str:
    return lab.output("virsh", "dumpxml", "--inactive", NAME)


@pytest.fixture
def guest(lab: Lab) -> Iterator[Guest]:
    """A guest without devices of the host: its start is no handoff."""
    found = Guest(does="stay", hostdevs=(), disk_bus="virtio")
    define(lab, found)
    yield found
    lab.run("virsh", "destroy", NAME, check=False)
    lab.run("virsh", "undefine", NAME)


@pytest.mark.long
def test_a_tuned_guest_starts_and_has_what_was_proposed(lab: Lab, guest: Guest) -> None:
    before = definition(lab)
    told = lab.output("vfiod", "tune", guest.name, "--yes")
    assert "type='qemu'" in told
    assert "the virtio disks do not wait" in told
    assert "iothread='1'" in definition(lab)
    assert start(lab) == (0, "")
    assert "hpet=off" in qemu_command(lab) or "-no-hpet" in qemu_command(lab)
    assert "iothread1" in qemu_command(lab)
    stop(lab)
    lab.run("vfiod", "tune", guest.name, "--revert", "--yes")
    assert definition(lab) == before


@pytest.mark.long
def test_libvirt_and_qemu_know_all_that_is_written_for_windows(lab: Lab, guest: Guest) -> None:
    """With KVM the guest is not started: the lab's own emulator does not survive that."""
    xml = definition(lab).replace("type='qemu'", "type='kvm'")
    lab.run("virsh", "define", "/dev/stdin", stdin=with_hyperv(xml))
    lab.run("vfiod", "tune", NAME, "--yes")
    command = lab.output("virsh", "domxml-to-native", "qemu-argv", "--domain", NAME)
    (cpu,) = (line for line in command.split() if line.startswith("host,"))
    assert {"hv-time=on", "hv-stimer-direct=on", "hv-ipi=on", "host-cache-info=on"} < set(
        cpu.split(",")
    )
    assert "<vcpupin vcpu='0' cpuset='1'/>" in definition(lab)
    assert "<emulatorpin cpuset='0'/>" in definition(lab)
    assert "needs no change" in lab.output("vfiod", "tune", NAME)


@pytest.mark.long
def test_who_is_not_root_sees_it_all_and_changes_nothing(lab: Lab, guest: Guest) -> None:
    before = definition(lab)
    done = lab.run("vfiod", "tune", guest.name, "--yes", user="alice", check=False)
    assert done.returncode == 8
    assert "<iothreads>1</iothreads>" in done.stdout
    assert "sudo vfiod tune win10 --yes" in done.stderr
    assert definition(lab) == before


def with_hyperv(xml: str) -> str:
    assert xml.count("<acpi/>") == 1
    return xml.replace("<acpi/>", HYPERV)


def qemu_command(lab: Lab) -> str:
    pid = lab.output("cat", f"/run/libvirt/qemu/{NAME}.pid")
    return lab.sh(f"tr '\\0' ' ' < /proc/{pid}/cmdline").stdout
