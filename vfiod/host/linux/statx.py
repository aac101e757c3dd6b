"""Device numbers behind links of /proc, without asking a server for them (statx(2)).

By hand, as os.stat() has no AT_STATX_DONT_SYNC before Python 3.15: a process with a file of a
dead NFS server open would make whoever looks at its descriptors wait for ever.
"""

import ctypes
import os
import stat
import struct

_DONT_SYNC = 0x4000  # AT_STATX_DONT_SYNC
_TYPE = 0x1  # STATX_TYPE; the numbers are always there
_SIZE = 256  # struct statx
_MODE = struct.Struct("=H")
_NUMBERS = struct.Struct("=II")
_MODE_OFFSET, _RDEV_OFFSET = 28, 128

Number = tuple[int, int]

_libc = ctypes.CDLL(None, use_errno=True)


class DeviceNumbers:
    """Looks up character devices. Not to be shared between threads: it has one buffer."""

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(_SIZE)

    def behind(self, name: str, directory: int) -> Number | None:
        """Major and minor of the character device that a name in an open directory leads to.

        None if it leads to something else. Raises OSError if it cannot be followed.
        """
        if _libc.statx(directory, name.encode(), _DONT_SYNC, _TYPE, self._buffer) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), name)
        (mode,) = _MODE.unpack_from(self._buffer, _MODE_OFFSET)
        if not stat.S_ISCHR(mode):
            return None
        major, minor = _NUMBERS.unpack_from(self._buffer, _RDEV_OFFSET)
        return major, minor
