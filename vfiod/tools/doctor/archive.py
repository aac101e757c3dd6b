"""An archive for a bug report: what doctor saw, redacted, in one file that is shown first."""

import gzip
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from vfiod.errors import HostError
from vfiod.tools.recording.redact import Redactor

FOLDER = "vfiod-report"
ABOUT = """What vfiod doctor saw on a PC, for a bug report.

Serial numbers, MAC and IP addresses, UUIDs, passwords, the names of people and of the PC were
replaced: user1, serial-1, 192.0.2.1 and so on. The same thing is replaced by the same in all files.
"""
# File of the archive -> what it holds, in words for the person who is to send it.
CONTENTS: Mapping[str, str] = {
    "doctor.txt": "what vfiod doctor prints",
    "doctor.json": "the same for programs",
    "machine.yaml": "PCI devices, drivers, kernel options and the like, as the kernel shows them",
    "vfiod.yaml": "your configuration of vfiod",
    "guest.xml": "the guest's definition",
    "journal.txt": "what vfiod has logged since the PC started",
    "versions.txt": "versions of kernel, system, libvirt and QEMU",
}


def pack(texts: Mapping[str, str], redactor: Redactor) -> bytes:
    """The redacted archive as bytes: the same texts give the same bytes."""
    redacted = {name: redactor.text(text) for name, text in texts.items()}
    files = {"README": ABOUT} | redacted
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for name, text in files.items():
            data = text.encode(errors="replace")
            entry = tarfile.TarInfo(f"{FOLDER}/{name}")
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def write_new(path: Path, data: bytes, *, owner: int | None = None) -> None:
    """Write a file that did not exist, for its ``owner`` alone (a user id; None: who asks).

    Raises HostError if it does exist, or cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            if owner is not None:
                os.fchown(file.fileno(), owner, -1)
            file.write(data)
    except FileExistsError as error:
        raise HostError(f"{path} exists already", "give another name: --report FILE") from error
    except OSError as error:
        raise HostError(f"cannot write {path}: {error.strerror}") from error


def inside(texts: Mapping[str, str], path: Path, size: int) -> str:
    """What to tell the person: what was written, and how to look into it before sending it."""
    rows = [f"  {name:14} {CONTENTS[name]}" for name in texts]
    return "\n".join(
        [
            f"Wrote {path} ({size / 1024:.0f} KiB). In it:",
            *rows,
            "Serial numbers, MAC and IP addresses, UUIDs, and the names of people and of this PC",
            "were replaced. Look through it before you send it to anybody:",
            f"  tar -xzOf {path} | less",
        ]
    )
