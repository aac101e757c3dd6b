"""Small Debian systems with what vfiod and its tests need; built once, then never written to."""

from __future__ import annotations

import datetime
import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab.emulator import cache
from tests.lab.emulator.image import mirror

ENTER = Path(__file__).with_name("enter")
ROOT = Path(__file__).parents[2]
ROLLING = "sid"
SUITES = ("bookworm", "trixie", ROLLING)
# What pytest needs there; the rest of the list is the Makefile's.
TOOLS = ("python3-pytest", "python3-pytest-xdist", "python3-hypothesis", "make")
LEFT_OUT = ("/usr/share/locale/*", "/usr/share/doc/*")
# A mirror that has stood still for a while is signed all the same.
_AGELESS = ('--aptopt=Acquire::Check-Valid-Until "false"',)
log = logging.getLogger(__name__)


class ChrootError(Exception):
    """A chroot could not be built; the message is the end of mmdebstrap's log."""


def built(suite: str, packages: Sequence[str]) -> Path:
    """The root directory of this suite with these packages. Raises ChrootError."""
    wanted = sorted({*packages, *TOOLS})
    name = f"distro-{suite}-{cache.key(*wanted, *LEFT_OUT, _age(suite))}"
    return cache.entry(name, lambda work: _build(suite, wanted, work / "root")) / "root"


def run(root: Path, command: Sequence[str]) -> int:
    """Run a command in a copy of this checkout in there; its exit status."""
    apart = ("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child")
    return subprocess.run([*apart, ENTER, root, ROOT, *command], check=False).returncode


def _age(suite: str) -> str:
    """A rolling suite is built anew each month: a name only says what it was then."""
    return f"{datetime.date.today():%Y-%m}" if suite == ROLLING else ""


def _build(suite: str, packages: Sequence[str], root: Path) -> None:
    log.info("building a chroot of %s; about two minutes", suite)
    command = [
        "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
        f"--include={','.join(packages)}", "--dpkgopt=force-unsafe-io",
        *(_AGELESS if suite == ROLLING else ()),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        suite, str(root), mirror(),
    ]  # fmt: skip
    output = cache.root() / f"distro-{suite}.log"
    with output.open("w") as stream:
        done = subprocess.run(command, stdout=stream, stderr=stream, check=False)
    if done.returncode:
        last = output.read_text(errors="replace").splitlines()[-15:]
        raise ChrootError("\n".join((f"mmdebstrap {suite} failed, see {output}:", *last)))
