"""Entries for journald in its own protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).

Not by sd_journal_sendv(3): that waits for a journald that does not read, for as long as it takes,
and Python's binding of it holds up every other thread meanwhile.
"""

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from socket import AF_UNIX, MSG_DONTWAIT, SCM_RIGHTS, SO_SNDTIMEO, SOCK_DGRAM, SOL_SOCKET

from vfiod.paths import JOURNALD

# What the kernel says of a datagram that is too big for the socket (unix(7), sd_journal_sendv()).
_TOO_BIG = (errno.EMSGSIZE, errno.ENOBUFS)
# Without these journald takes no memory of another's: it could change below its eyes.
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def encode(fields: Mapping[str, str]) -> bytes:
    """An entry. A value of several lines has its length before it."""
    return b"".join(_line(name.encode(), _bytes(value)) for name, value in fields.items())


class Journald:
    """The socket of journald, whose file systemd keeps while journald is started anew."""

    def __init__(self, path: Path = JOURNALD, *, seconds: float = 0.5) -> None:
        self._path, self._seconds = str(path), seconds

    def take(self, entry: bytes, *, wait: bool) -> bool:
        """Whether it took the entry: at once, or with ``wait`` within the seconds."""
        flags = 0 if wait else MSG_DONTWAIT
        try:
            try:
                self._socket.sendmsg([entry], [], flags, self._path)
            except OSError as error:
                if error.errno not in _TOO_BIG:
                    raise
                self._hand_over(entry, flags)
        except OSError:
            return False
        return True

    @cached_property
    def _socket(self) -> socket.socket:
        """Not settimeout(): poll(2) does not see that another's queue is full, sendmsg(2) does."""
        made = socket.socket(AF_UNIX, SOCK_DGRAM)
        whole = int(self._seconds)
        limit = struct.pack("@ll", whole, round((self._seconds - whole) * 1e6))
        made.setsockopt(SOL_SOCKET, SO_SNDTIMEO, limit)
        return made

    def _hand_over(self, entry: bytes, flags: int) -> None:
        """In memory that is sealed, whose descriptor is sent (memfd_create(2))."""
        with open(os.memfd_create("journal-entry", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "w+b",
                  buffering=0) as file:  # fmt: skip
            file.write(entry)
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
            rights = (SOL_SOCKET, SCM_RIGHTS, struct.pack("@i", file.fileno()))
            self._socket.sendmsg([], [rights], flags, self._path)


def _line(name: bytes, value: bytes) -> bytes:
    if b"\n" in value:
        return name + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
    return name + b"=" + value + b"\n"


def _bytes(value: str) -> bytes:
    """Names of files and programs may be no text: nothing that is told may fail for that."""
    return value.encode(errors="backslashreplace")
