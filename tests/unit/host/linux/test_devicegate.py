"""The BPF program, and on this very kernel what it does to a device that nobody here needs."""

import fcntl
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vfiod.errors import HostError
from vfiod.host.linux.devicegate import LinuxGate, program

FULL, MEMORY = "/dev/full", 1


def runs(numbers: list[tuple[int, int]], access: int, major: int, minor: int) -> int:
    """Interpret the program as the kernel does, as far as it goes: 1 allows, 0 denies."""
    code = list(struct.iter_unpack("=BBhi", program(numbers)))
    registers, context, place = [0] * 11, (access, major, minor), 0
    while True:
        operation, pair, offset, constant = code[place]
        source, target = pair >> 4, pair & 15
        place += 1
        match operation:
            case 0x61:
                registers[target] = context[offset // 4]
            case 0xBF:
                registers[target] = registers[source]
            case 0xB7:
                registers[target] = constant
            case 0x57:
                registers[target] &= constant
            case 0x77:
                registers[target] >>= constant
            case 0x15 if registers[target] == constant:
                place += offset
            case 0x55 if registers[target] != constant:
                place += offset
            case 0x95:
                return registers[0]


BLOCK, CHARACTER, MAKE, READ, WRITE = 1, 2, 1 << 16, 2 << 16, 4 << 16
NODES = [(226, 0), (226, 128), (116, 3)]


@pytest.mark.parametrize("way", [READ, WRITE, READ | WRITE])
def test_each_listed_device_is_denied_and_its_neighbours_are_not(way: int) -> None:
    for node in NODES:
        assert runs(NODES, CHARACTER | way, *node) == 0
    for node in ((226, 1), (116, 0), (116, 128), (1, 3)):
        assert runs(NODES, CHARACTER | way, *node) == 1


def test_a_disk_of_the_same_number_and_the_making_of_a_node_are_allowed() -> None:
    assert runs(NODES, BLOCK | READ, 226, 0) == 1
    assert runs(NODES, CHARACTER | MAKE, 226, 0) == 1


def test_as_many_as_nvidia_has() -> None:
    many = [(195, minor) for minor in range(256)] + [(508, minor) for minor in range(64)]
    assert runs(many, CHARACTER | READ, 508, 63) == 0
    assert runs(many, CHARACTER | READ, 508, 64) == 1


def test_without_cgroup_v2_there_is_none(tmp_path: Path) -> None:
    gate = LinuxGate(tmp_path)
    assert not gate.can_close()
    with pytest.raises(HostError, match="there is no cgroup v2"):
        gate.close_numbers([(0, 0)])
    assert not gate.is_closed


# For real


@pytest.fixture
def gate() -> Iterator[LinuxGate]:
    gate = LinuxGate()
    if os.geteuid() != 0 or not gate.can_close():
        pytest.skip("needs root, cgroup v2 and a kernel with CONFIG_CGROUP_BPF")
    # Of two tests at once each would see the other's gate.
    with open(__file__, "rb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield gate
        gate.open()


def opens(path: str = FULL) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except PermissionError:
        return False
    return True


def number() -> tuple[int, int]:
    device = os.stat(FULL).st_rdev
    return os.major(device), os.minor(device)


def test_nobody_opens_what_is_closed_by_whatever_name(gate: LinuxGate, tmp_path: Path) -> None:
    own = str(tmp_path / "gpu")
    os.mknod(own, 0o20666, os.makedev(*number()))
    gate.close_numbers([number()])
    assert gate.is_closed
    assert not opens()
    assert not opens(own)
    assert opens("/dev/null")
    os.mknod(str(tmp_path / "another"), 0o20666, os.makedev(*number()))
    gate.open()
    assert not gate.is_closed
    assert opens()


def test_what_is_open_stays_open(gate: LinuxGate) -> None:
    with open(FULL, "rb", buffering=0) as file:
        gate.close_numbers([number()])
        assert file.read(2) == b"\0\0"


def test_it_opens_when_its_process_is_killed(gate: LinuxGate) -> None:
    text = (
        "from vfiod.host.linux.devicegate import LinuxGate; gate = LinuxGate();"
        f"gate.close_numbers([{number()}]); print('closed', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"closed\n"
        assert not opens()
        process.kill()
        process.wait(20)
        assert opens()
