"""Lines of the configuration files of other programs, with their place, read with suspicion."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LIMIT = 2**20


@dataclass(frozen=True, slots=True)
class Line:
    """A line that says something: ``number`` counts from 1, ``span`` lines of the file make it.

    ``file`` is the path as the machine knows it, whatever root it was read under.
    """

    file: str
    number: int
    text: str
    span: int = 1


def read_bytes(path: Path) -> bytes | None:
    """Contents of a regular file of at most 1 MiB; None if it is not there or may not be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(LIMIT + 1)
    except OSError:
        return None
    finally:
        os.close(fd)
    return data if len(data) <= LIMIT else None


def unreadable(root: Path, *patterns: str) -> tuple[str, ...]:
    """Files that match ``patterns`` and that this user may not read, as the machine knows them."""
    found = (path for pattern in patterns for path in sorted(root.glob(pattern)))
    return tuple(f"/{path.relative_to(root)}" for path in found if not os.access(path, os.R_OK))


def closed_folders(root: Path, *patterns: str) -> tuple[str, ...]:
    """Folders on the way to ``patterns`` that this user may not look into.

    The boot partition often is one: what would match below it does not even show.
    """
    found = dict.fromkeys(
        folder for pattern in patterns if (folder := _closed(root, Path(pattern).parts))
    )
    return tuple(f"/{folder}" for folder in found)


def _closed(root: Path, parts: Sequence[str]) -> str:
    for count in range(1, len(parts)):
        folder = root.joinpath(*parts[:count])
        if not os.path.isdir(folder):
            return ""
        if not os.access(folder, os.R_OK | os.X_OK):
            return "/".join(parts[:count])
    return ""


def read_lines(root: Path, *patterns: str) -> Iterator[Line]:
    """Lines of the files that match ``patterns`` (relative to ``root``), file by file.

    Empty lines and those that begin with # are left out; a line that ends in a backslash goes on
    in the next, as in modprobe.d(5) and the shell. A file that is there under two names, as
    Debian's /etc/modules is, is read once, under the first.
    """
    for path, data in read_files(root, *patterns).items():
        yield from lines_of(path, data)


def read_files(root: Path, *patterns: str) -> Mapping[str, bytes]:
    """Contents of the files that match ``patterns``, by their paths on the machine.

    What is not there or may not be read is left out, and a second name of a file is as well.
    """
    files: dict[Path, Path] = {}
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            files.setdefault(path.resolve(), path)
    return {f"/{path.relative_to(root)}": data for path in files.values()
            if (data := read_bytes(path)) is not None}  # fmt: skip


def lines_of(file: str, data: bytes) -> Iterator[Line]:
    """Lines of one file's contents (see ``read_lines``)."""
    begun: list[str] = []
    for number, raw in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        goes_on = raw.endswith("\\")
        begun.append(raw.removesuffix("\\"))
        if goes_on:
            continue
        text = " ".join(" ".join(begun).split())
        if text and not text.startswith("#"):
            yield Line(file, number - len(begun) + 1, text, len(begun))
        begun = []


def joined_assignments(lines: Iterable[Line]) -> Iterator[Line]:
    """The same lines, with shell assignments that go over several of them in one.

    An array goes on to its closing parenthesis and a quoted text to its closing quote; one that
    never ends stays as it is.
    """
    rest = list(lines)
    while rest:
        part = rest[: _whole(rest)]
        first, last = part[0], part[-1]
        text = " ".join(line.text for line in part)
        yield Line(first.file, first.number, text, last.number + last.span - first.number)
        rest = rest[len(part) :]


def _whole(lines: Sequence[Line]) -> int:
    """How many of the first lines make one assignment."""
    text = ""
    for count, line in enumerate(lines, 1):
        text = f"{text} {line.text}"
        if line.file != lines[0].file:
            break
        if _is_whole(text):
            return count
    return 1


def _is_whole(text: str) -> bool:
    """True if nothing is open in this piece of shell: no quote, no array."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    return not re.search(r"['\"]", bare) and not ("=(" in bare and ")" not in bare)
