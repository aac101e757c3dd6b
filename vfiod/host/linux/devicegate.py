"""The closed gate: device nodes that nobody can open, root included, until it is opened again.

A BPF program of type cgroup device at the root of cgroup v2, attached by a link (kernel:
uapi/linux/bpf.h, kernel/bpf/cgroup.c). It judges by device number, in every mount namespace, and
the rules of systemd's DevicePolicy= go on beside it. What is open stays open. The link ends with
its descriptor: when this process dies, by whatever, everything opens again.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Collection, Sequence
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux.controlgroup import MOUNT, unified
from vfiod.host.linux.devicenodes import DeviceNodes
from vfiod.host.linux.statx import Number
from vfiod.model import PciAddress

_CALLS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "loongarch64": 280, "ppc64le": 361}
_PROG_LOAD, _LINK_CREATE = 5, 28
_CGROUP_DEVICE_PROGRAM, _CGROUP_DEVICE_ATTACH = 15, 6
_CHARACTER_DEVICE, _READ_OR_WRITE = 2, 2 | 4

# Instructions: operation, registers (source << 4 | destination), offset, constant.
_INSTRUCTION = struct.Struct("=BBhi")
_LOAD, _MOVE, _COPY, _AND, _SHIFT = 0x61, 0xB7, 0xBF, 0x57, 0x77
_IF_EQUAL, _IF_DIFFERENT, _EXIT = 0x15, 0x55, 0x95
_CONTEXT = 1  # the register that holds it: access, major, minor, 32 bits each
_ACCESS, _MAJOR, _MINOR, _TYPE = 2, 3, 4, 5
_PROLOGUE = 9
_NOBODY = (0, 0)

_libc = ctypes.CDLL(None, use_errno=True)


class LinuxGate:
    """Implements vfiod.host.processes.Gate."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._cgroups = root / MOUNT
        self._nodes = DeviceNodes(root)
        self._link: int | None = None

    @property
    def is_closed(self) -> bool:
        return self._link is not None

    def can_close(self) -> bool:
        """Loading is tried, attaching not. Who may not do that cannot know."""
        try:
            os.close(_load(program([_NOBODY])))
        except OSError as error:
            return error.errno in (errno.EPERM, errno.EACCES) and os.geteuid() != 0
        return unified(self._cgroups) is not None

    def close(self, addresses: Collection[PciAddress]) -> None:
        self.open()
        if numbers := self._nodes.of(addresses):
            self.close_numbers(numbers)

    def close_numbers(self, numbers: Collection[Number]) -> None:
        """Raises HostError where the kernel has no such thing."""
        groups = unified(self._cgroups)
        if groups is None:
            raise HostError("there is no cgroup v2")
        try:
            self._link = _attach(program(sorted(numbers)), groups)
        except OSError as error:
            reason = f"the kernel attached no BPF program: {error.strerror}"
            raise HostError(reason) from error

    def open(self) -> None:
        if self._link is not None:
            os.close(self._link)
            self._link = None


def program(numbers: Sequence[Number]) -> bytes:
    """Instructions that deny reading and writing these character devices, and allow all else.

    Not their making: devtmpfs makes nodes too, perhaps for a new device with an old number.
    """
    allow = _PROLOGUE + 2 * len(numbers)
    deny = allow + 2
    code = [
        (_LOAD, _CONTEXT << 4 | _ACCESS, 0, 0),
        (_LOAD, _CONTEXT << 4 | _MAJOR, 4, 0),
        (_LOAD, _CONTEXT << 4 | _MINOR, 8, 0),
        (_COPY, _ACCESS << 4 | _TYPE, 0, 0),
        (_AND, _TYPE, 0, 0xFFFF),
        (_IF_DIFFERENT, _TYPE, allow - 6, _CHARACTER_DEVICE),
        (_SHIFT, _ACCESS, 0, 16),
        (_AND, _ACCESS, 0, _READ_OR_WRITE),
        (_IF_EQUAL, _ACCESS, allow - 9, 0),
    ]
    for major, minor in numbers:
        code.append((_IF_DIFFERENT, _MAJOR, 1, major))
        code.append((_IF_EQUAL, _MINOR, deny - len(code) - 1, minor))
    code += [(_MOVE, 0, 0, 1), (_EXIT, 0, 0, 0), (_MOVE, 0, 0, 0), (_EXIT, 0, 0, 0)]
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in code)


def _attach(code: bytes, groups: Path) -> int:
    """A descriptor of the link."""
    loaded = _load(code)
    directory = os.open(groups, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        attributes = struct.pack("=IIII", loaded, directory, _CGROUP_DEVICE_ATTACH, 0)
        return _bpf(_LINK_CREATE, attributes)
    finally:
        os.close(directory)
        os.close(loaded)


def _load(code: bytes) -> int:
    """A descriptor of the program."""
    instructions = ctypes.create_string_buffer(code, len(code))
    license_ = ctypes.create_string_buffer(b"MIT")
    attributes = struct.pack(
        "=IIQQIIQII16sII",
        _CGROUP_DEVICE_PROGRAM, len(code) // _INSTRUCTION.size,
        ctypes.addressof(instructions), ctypes.addressof(license_),
        0, 0, 0, 0, 0, b"vfiod_gate", 0, _CGROUP_DEVICE_ATTACH,
    )  # fmt: skip
    return _bpf(_PROG_LOAD, attributes)


def _bpf(command: int, attributes: bytes) -> int:
    """bpf(2), for which libc has no function. Raises OSError."""
    number = _CALLS.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    call, size = ctypes.c_long, ctypes.c_long(len(attributes))
    found = int(_libc.syscall(call(number), call(command), buffer, size))
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return found
