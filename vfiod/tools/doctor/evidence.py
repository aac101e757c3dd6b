"""Reads what a bug report needs beside the findings. What cannot be had is left out."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vfiod import paths
from vfiod.errors import VfiodError
from vfiod.host.facts.boot import read_distribution
from vfiod.host.facts.kernel import read_kernel
from vfiod.tools.doctor.read import Sources
from vfiod.tools.recording.format import dump
from vfiod.tools.recording.record import record
from vfiod.util.version import own_version

JOURNAL = (
    "journalctl", "--quiet", "--identifier=vfiod", "--boot", "--lines=2000", "--no-pager",
    "--output=short-precise",
)  # fmt: skip
PROGRAMS = (("virsh", "--version"), ("qemu-system-x86_64", "--version"))
_LIMIT = 1024 * 1024


def read_evidence(sources: Sources, guest: str | None, root: Path = Path("/")) -> dict[str, str]:
    """The texts by their names in the archive."""
    texts = dict(_texts(sources, guest, root))
    return {name: text for name, text in texts.items() if text.strip()}


def _texts(sources: Sources, guest: str | None, root: Path) -> Iterator[tuple[str, str]]:
    yield "machine.yaml", dump(record(root))
    with suppress(OSError):
        data = paths.below(root, paths.CONFIG).read_bytes()[:_LIMIT]
        yield "vfiod.yaml", data.decode(errors="replace")
    if guest is not None:
        with suppress(VfiodError):
            yield "guest.xml", sources.domain_xml(guest)
    yield "journal.txt", _output(sources, JOURNAL)[-_LIMIT:]
    yield "versions.txt", "".join(f"{name}: {text}\n" for name, text in _versions(sources, root))


def _versions(sources: Sources, root: Path) -> Iterator[tuple[str, str]]:
    yield "vfiod", own_version()
    yield "system", read_distribution(root).name
    yield "kernel", read_kernel(root).release
    for argv in PROGRAMS:
        if text := _output(sources, argv).partition("\n")[0]:
            yield argv[0], text


def _output(sources: Sources, argv: tuple[str, ...]) -> str:
    try:
        return sources.run(argv)
    except VfiodError:
        return ""
