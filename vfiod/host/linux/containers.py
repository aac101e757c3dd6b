"""Containers, through their engine's own command, which systemd runs outside of our confinement.

podman writes where vfiod.service may not; and a command that hangs is systemd's to end.
"""

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux.units import LinuxUnits
from vfiod.host.processes import short
from vfiod.paths import SEARCH
from vfiod.util.programs import find

# Engines come from other places as well.
_SEARCH = f"/usr/local/sbin:/usr/local/bin:{SEARCH}:/snap/bin"
Arguments = Callable[[str], Sequence[str]]
Which = Callable[[str], str | None]


def _plain(program: str, verb: str, *options: str) -> tuple[str, Arguments]:
    return program, lambda ident: (verb, *options, ident)


def _incus(program: str, verb: str, *options: str) -> tuple[str, Arguments]:
    """The group of a container in a project is PROJECT_NAME; no name has an underscore."""

    def arguments(ident: str) -> Sequence[str]:
        project, _, name = ident.rpartition("_")
        return (verb, name, *options, *(("--project", project) if project else ()))

    return program, arguments


# For each engine what may drive it, the first that is installed.
_WAYS: Mapping[str, Mapping[str, Sequence[tuple[str, Arguments]]]] = {
    **{
        engine: {
            "stop": (_plain(engine, "stop", "-t", "5"),),
            "start": (_plain(engine, "start"),),
        }
        for engine in ("docker", "nerdctl", "podman")
    },
    "lxc": {
        "stop": (
            _incus("incus", "stop", "--timeout", "5"),
            _incus("lxc", "stop", "--timeout", "5"),
            ("lxc-stop", lambda ident: ("--timeout", "5", "--name", ident)),
        ),
        "start": (
            _incus("incus", "start"),
            _incus("lxc", "start"),
            ("lxc-start", lambda ident: ("--name", ident)),
        ),
    },
}


def _which(program: str) -> str | None:
    return find(program, _SEARCH)


class LinuxContainers:
    """Implements vfiod.host.processes.Containers."""

    def __init__(self, units: LinuxUnits, which: Which = _which) -> None:
        self._units = units
        self._which = which

    def stop(self, engine: str, ident: str, *, seconds: float) -> None:
        self._run("stop", engine, ident, seconds)

    def start(self, engine: str, ident: str, *, seconds: float) -> None:
        self._run("start", engine, ident, seconds)

    def to_start(self, engine: str, ident: str) -> str:
        try:
            return shlex.join(("sudo", *self._command("start", engine, ident)))
        except HostError:
            return ""

    def _run(self, verb: str, engine: str, ident: str, seconds: float) -> None:
        argv = self._command(verb, engine, ident)
        try:
            self._units.run(f"vfiod-{os.path.basename(argv[0])}-{verb}", argv, seconds=seconds)
        except HostError as error:
            what = f"{Path(argv[0]).name} {verb} {short(engine, ident)}"
            raise HostError(f"{what} failed: {error.message}") from error

    def _command(self, verb: str, engine: str, ident: str) -> Sequence[str]:
        for program, arguments in _WAYS.get(engine, {}).get(verb, ()):
            if (path := self._which(program)) is not None:
                return (path, *arguments(ident))
        raise HostError(
            f"nothing is installed that could {verb} the {engine} container {short(engine, ident)}"
        )
