"""Writing small files of /sys and /proc whose store function waits for nobody.

What may hang in the kernel (binding, unbinding) goes through kernelcall instead.
"""

import os
from pathlib import Path

from vfiod.errors import HostError


def write(path: Path, text: str) -> None:
    """Write an attribute that is there. Raises HostError with the kernel's reason."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    except OSError as error:
        raise HostError(f"the kernel refused {text!r} for {path}: {error.strerror}") from error
