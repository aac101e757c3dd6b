"""A guest's entry in the login screen, beside the desktops: choosing it starts the guest.

Its command has no quotes and no name in it: Debian's Xsession and SDDM's scripts have a shell split
it at blanks and nothing else, so the guest is named by its UUID.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from vfiod.guest import domain
from vfiod.host.facts import loginscreen
from vfiod.model import ENTRY
from vfiod.paths import GREETD_ENVIRONMENTS, PROGRAM, below
from vfiod.tools.init import assign
from vfiod.tools.init.launcher import MARK, Launcher, name_and_icon, value

_TEXT = """\
[Desktop Entry]
Type=Application
Version=1.0
Name={name}
Comment={comment}
TryExec={program}
Exec={command}
Icon={icon}
DesktopNames={entry}
{mark}{guest}
"""


def login_entries(guest: str, xml: str, *, wanted: bool, root: Path) -> Sequence[Launcher]:
    """Every file that is about it, as it is and is to be; none where no login screen is.

    One that an earlier display manager read goes. Raises DomainError, HostError.
    """
    uuid = domain.parse(xml).uuid
    here = loginscreen.folder_for_entries(root) if wanted else None
    text = entry(guest, xml)
    folders = [folder for both in loginscreen.FOLDERS.values() for folder in both]
    found = []
    for folder in folders:
        path = below(root, folder) / f"{ENTRY}-{uuid}.desktop"
        found.append(Launcher(path, assign.read(path), text if folder == here else ""))
    found += _greetd(uuid, wanted=here is not None, root=root)
    return [one for one in found if one.before or one.after]


def entry(guest: str, xml: str) -> str:
    """The text of the entry. Raises DomainError."""
    name, icon = name_and_icon(guest, xml)
    return _TEXT.format(
        name=value(name),
        comment=value(f"Gives the screen to {guest}; the login screen comes back after it"),
        program=PROGRAM,
        command=_command(domain.parse(xml).uuid),
        icon=icon,
        entry=ENTRY,
        mark=MARK,
        guest=value(guest),
    )


def _greetd(uuid: str, *, wanted: bool, root: Path) -> Iterator[Launcher]:
    """gtkgreet has a list of commands instead, if its file is there (greetd-gtkgreet(1))."""
    path = below(root, GREETD_ENVIRONMENTS)
    before = assign.read(path)
    lines = before.splitlines()
    if not before or wanted == (_command(uuid) in lines):
        return
    lines = [*lines, _command(uuid)] if wanted else [s for s in lines if s != _command(uuid)]
    yield Launcher(path, before, "".join(f"{line}\n" for line in lines))


def _command(uuid: str) -> str:
    return f"{PROGRAM} session {uuid}"
