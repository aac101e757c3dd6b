"""What login screens propose next: a desktop again, where they now propose a guest's entry.

Each keeps the last choice in its own way; all of them name the entry's file, and that is replaced:
AccountsService for GDM and, if it is installed, LightDM; ~/.dmrc and the copy of it that LightDM
makes for its greeter (src/dmrc.c); lightdm-gtk-greeter, SDDM (src/common/Configuration.h), Plasma's
own display manager and tuigreet (src/info.rs) in files of theirs.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.errors import HostError
from vfiod.host.facts.loginscreen import Offered
from vfiod.model import ENTRY
from vfiod.util.files import read_regular, replace_file

_NAMED = re.compile(
    rf"(?P<folder>/[^\s=]*/)?{ENTRY}-[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"
    r"(?P<suffix>\.desktop)?"
)
_OF_ALL = (
    "var/lib/sddm/state.conf",
    "var/lib/plasmalogin/state.conf",
    "var/lib/lightdm/.cache/lightdm-gtk-greeter/state",
    "var/cache/tuigreet/lastsession",
    "var/cache/tuigreet/lastsession-path",
)
_OF_ONE = (
    "var/cache/lightdm/dmrc/{user}.dmrc",
    "var/cache/tuigreet/lastsession-{user}",
    "var/cache/tuigreet/lastsession-path-{user}",
)
_OWN = ".dmrc"
_LIMIT = 2**16
_ACCOUNTS = "org.freedesktop.Accounts"
_USER = f"{_ACCOUNTS}.User"


def replaced(text: str, wanted: Offered | None) -> str:
    """The text with a desktop wherever a guest's entry was; with nothing there for None."""

    def instead(match: re.Match[str]) -> str:
        if wanted is None:
            return ""
        folder = f"{wanted.folder}/" if match["folder"] else ""
        return f"{folder}{wanted.name}{match['suffix'] or ''}"

    return _NAMED.sub(instead, text)


def in_home(wanted: Offered | None, home: Path) -> None:
    """What a user may change: their own file."""
    _change(home / _OWN, wanted)


def in_files(user: str, wanted: Offered | None, root: Path = Path("/")) -> None:
    """What display managers keep, as root: for this user, or for whoever was the last one."""
    name = user if "/" not in user and user.isprintable() else ""
    for path in (*_OF_ALL, *(each.format(user=name) for each in _OF_ONE if name)):
        _change(root / path, wanted)


def in_accounts(bus: Bus, uid: int, wanted: Offered | None) -> None:
    """What AccountsService keeps, as root. Where it is not installed there is nothing to do."""
    with suppress(BusError):
        path = bus.call(
            _ACCOUNTS, "/org/freedesktop/Accounts", f"{_ACCOUNTS}.FindUserById", "x", uid
        )[0]
        for name in ("Session", "XSession"):
            before = str(bus.get(_ACCOUNTS, path, f"{_USER}.{name}"))
            after = replaced(before, wanted)
            if after == before:
                continue
            bus.call(_ACCOUNTS, path, f"{_USER}.Set{name}", "s", after)
            if wanted is not None and name == "Session":
                bus.call(_ACCOUNTS, path, f"{_USER}.SetSessionType", "s", wanted.kind)


def _change(path: Path, wanted: Offered | None) -> None:
    """As the file's owner: whose folder it is could have put a link anywhere in its place."""
    with suppress(OSError, HostError), _as_owner(path):
        data, status = read_regular(path, _LIMIT)
        before = data.decode("utf-8", "surrogateescape")
        after = replaced(before, wanted)
        if after != before:
            text = after.encode("utf-8", "surrogateescape")
            replace_file(path, text, mode=status.st_mode & 0o777)


@contextmanager
def _as_owner(path: Path) -> Iterator[None]:
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "a link is somebody's own arrangement", path)
    if os.geteuid() != 0 or status.st_uid == 0:
        yield
        return
    os.setegid(status.st_gid)
    os.seteuid(status.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
