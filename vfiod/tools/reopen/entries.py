"""The desktop entries of one user, from the folders that the user's environment names."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from vfiod.errors import HostError
from vfiod.tools.reopen.entry import Entry, may_start_guest, parse
from vfiod.tools.reopen.scripts import read_scripts
from vfiod.util.files import read_regular

_LARGEST = 2**18
_ENDING = ".desktop"


def read_entries(environment: Mapping[str, str]) -> Mapping[str, Entry]:
    """All applications, by id. The first folder that has an id has it for good."""
    folders = [folder / "applications" for folder in data_folders(environment)]
    return _read(folders, environment)


def read_autostart(environment: Mapping[str, str]) -> Sequence[Entry]:
    """What starts at a login by itself on this desktop (Desktop Application Autostart)."""
    found = _read([folder / "autostart" for folder in _config_folders(environment)], environment)
    return [entry for entry in found.values() if entry.starts_at_login]


def data_folders(environment: Mapping[str, str]) -> list[Path]:
    """XDG Base Directory Specification; flatpak and snap are in it where they are installed."""
    home = environment.get("HOME", "/")
    own = environment.get("XDG_DATA_HOME") or f"{home}/.local/share"
    others = environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    more = (f"{own}/flatpak/exports/share", "/var/lib/flatpak/exports/share",
            "/var/lib/snapd/desktop")  # fmt: skip
    return _absolute([own, *others.split(":"), *more])


def _config_folders(environment: Mapping[str, str]) -> list[Path]:
    own = environment.get("XDG_CONFIG_HOME") or f"{environment.get('HOME', '/')}/.config"
    others = environment.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    return _absolute([own, *others.split(":")])


def _absolute(names: Sequence[str]) -> list[Path]:
    return [Path(name) for name in dict.fromkeys(names) if name.startswith("/")]


def _read(folders: Sequence[Path], environment: Mapping[str, str]) -> Mapping[str, Entry]:
    desktops = environment.get("XDG_CURRENT_DESKTOP", "").split(":")
    search = environment.get("PATH") or os.defpath
    resolve = _Resolver(search)
    found: dict[str, Entry | None] = {}
    for folder in folders:
        for ident, path in _files(folder):
            if ident in found:
                continue
            try:
                text = read_regular(path, _LARGEST)[0].decode("utf-8", "replace")
            except HostError:
                continue
            found[ident] = parse(ident, str(path), text, desktops, resolve)
    home = environment.get("HOME", "/")
    return {i: _with_scripts(entry, home, resolve) for i, entry in found.items() if entry}


def _with_scripts(entry: Entry, home: str, resolve: Callable[[str], str]) -> Entry:
    """What it is found to do once the scripts are read that it runs."""
    starts = entry.starts_guest or any(map(may_start_guest, read_scripts(entry, home, resolve)))
    return replace(entry, starts_guest=starts)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each entry and its id: a subfolder's name and a - come before it. Of a folder that may not be
    looked into, or whose disk is gone, there are none.
    """
    found: list[Path] = []
    with suppress(OSError):
        found.extend(folder.rglob(f"*{_ENDING}"))
    for path in sorted(found):
        yield "-".join(path.relative_to(folder).parts).removesuffix(_ENDING), path


class _Resolver:
    """Where a program is that an entry names, all links resolved; empty if it is nowhere."""

    def __init__(self, search: str) -> None:
        self._search = search

    def __call__(self, program: str) -> str:
        found = shutil.which(program, path=self._search)
        return os.path.realpath(found) if found else ""
