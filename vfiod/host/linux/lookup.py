"""Whether files are there, without waiting for a server that never answers.

stat(2) on a dead NFS server or a FUSE file system whose program hangs does not return. So each
path is looked at by a process of its own (vfiod.host.linux.kernelcall_server), all at once; one
that does not answer in time is left behind, and until it has ended nobody else is sent after it.
"""

import errno
import os
import socket
import time
from collections.abc import Collection, Iterator, Mapping

from vfiod.host.linux.kernelcall import read_to_end
from vfiod.host.linux.kernelcall_client import CallClient
from vfiod.host.linux.kernelcall_server import LOOK
from vfiod.host.linux.late import LinuxLate
from vfiod.model import LateCall

ABSENT = "does not exist"
SILENT = "does not answer: is its server or disk there?"
# Only what is known not to be there: QEMU runs as another user, root itself may not look
# everywhere (FUSE, NFS), and a server that is away may be back when QEMU looks.
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)
_INTERFACES = "/sys/class/net/"


class Lookup:
    """Owner: the doors of files, for as long as they are used. For any thread."""

    def __init__(self, client: CallClient | None = None) -> None:
        self._client = client or CallClient()
        # Its own: a file of a guest's that does not answer is no device that is stuck.
        self._late = LinuxLate()

    def missing(self, paths: Collection[str], *, seconds: float) -> Mapping[str, str]:
        """Those of the paths that nobody could open now, each with why, in words."""
        busy = {call.subject for call in self._late.calls()}
        asked = {p: self._client.ask(LOOK, [p]) for p in dict.fromkeys(paths) if p not in busy}
        try:
            found = dict(self._answers(asked, time.monotonic() + seconds))
        finally:
            for pipe in asked.values():
                os.close(pipe)
        said = found | dict.fromkeys(busy.intersection(paths), SILENT)
        return {path: said[path] for path in dict.fromkeys(paths) if said.get(path)}

    def _answers(self, asked: Mapping[str, int], deadline: float) -> Iterator[tuple[str, str]]:
        for path, pipe in asked.items():
            said, ended = read_to_end(pipe, max(0.0, deadline - time.monotonic()))
            pid, _, answer = said.partition(b"\n")
            if pid and not ended:
                self._late.abandon(LateCall(path, int(pid), f"a look at {path}"))
                yield path, SILENT
            elif answer.startswith(b"="):
                is_absent = int(answer[1:]) in _NOT_THERE and not _is_interface(path)
                yield path, ABSENT if is_absent else ""


def _is_interface(path: str) -> bool:
    """Whether it is one by an alternative name, which /sys does not have (ip-link(8), altname)."""
    name = path.removeprefix(_INTERFACES)
    try:
        return name != path and socket.if_nametoindex(name) > 0
    except OSError:
        return False
