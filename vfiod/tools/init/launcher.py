"""A guest's entry in the applications menu, as the Desktop Entry Specification has it.

It lies in /usr/local, which every desktop looks into and no package of the distribution writes to.
Its file is named after the guest's UUID: a name is whatever somebody typed into libvirt.
"""

from dataclasses import dataclass
from pathlib import Path

from vfiod.errors import HostError
from vfiod.guest import description, domain
from vfiod.paths import APPLICATIONS, PROGRAM, below
from vfiod.tools.init import assign
from vfiod.util.files import remove_file, replace_file
from vfiod.util.textdiff import difference

MARK = "X-Vfiod-Guest="
_MODE = 0o644
_OTHER = ("Virtual machine", "vfiod-guest")
# By the vendor in libosinfo's id, e.g. http://microsoft.com/win/11: a name and an icon.
_SYSTEMS = {
    "microsoft.com": ("Windows", "vfiod-windows"),
    "apple.com": ("macOS", "vfiod-guest"),
    "debian.org": ("Debian", "vfiod-linux"),
    "ubuntu.com": ("Ubuntu", "vfiod-linux"),
    "fedoraproject.org": ("Fedora", "vfiod-linux"),
    "opensuse.org": ("openSUSE", "vfiod-linux"),
    "archlinux.org": ("Arch Linux", "vfiod-linux"),
    "libosinfo.org": ("Linux", "vfiod-linux"),
}
_ENTRY = """\
[Desktop Entry]
Type=Application
Version=1.0
Name={name}
Comment={comment}
TryExec={program}
Exec={program} start --ask -- {argument}
Icon={icon}
Terminal=false
StartupNotify=false
Categories=System;Emulator;
{mark}{guest}
"""


@dataclass(frozen=True, slots=True)
class Launcher:
    """The entry as it is and as it is to be; empty text is no file."""

    path: Path
    before: str
    after: str

    @property
    def difference(self) -> list[str]:
        """A unified diff; empty if nothing changes."""
        return difference(self.before, self.after, name=str(self.path))

    def apply(self) -> None:
        """Write the file, or remove it. Raises HostError."""
        try:
            if not self.after:
                remove_file(self.path)
            elif self.after != self.before:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(self.path, self.after.encode(), mode=_MODE)
        except OSError as error:
            raise HostError(f"cannot write {self.path}: {error.strerror}") from error


def launcher_of(guest: str, xml: str, *, wanted: bool, root: Path) -> Launcher:
    """The entry of a guest with this definition. Raises DomainError, HostError."""
    folder = below(root, APPLICATIONS)
    path = folder / f"vfiod-{domain.parse(xml).uuid}.desktop"
    return Launcher(path, assign.read(path), entry(guest, xml) if wanted else "")


def entry(guest: str, xml: str) -> str:
    """The text of the entry. Raises DomainError."""
    name, icon = name_and_icon(guest, xml)
    return _ENTRY.format(
        name=value(name),
        comment=value(f"Ends your session and gives the screen to {guest}"),
        program=PROGRAM,
        argument=_argument(guest),
        icon=icon,
        mark=MARK,
        guest=value(guest),
    )


def name_and_icon(guest: str, xml: str) -> tuple[str, str]:
    """What a guest is called in menus, and its icon, by the system in it. Raises DomainError."""
    words = description.read(xml)
    kind, icon = _SYSTEMS.get(_vendor(words.system), _OTHER)
    name = words.title or kind if kind is _OTHER[0] else kind
    return f"{name} ({guest})", icon


def _vendor(system: str) -> str:
    return system.partition("://")[2].partition("/")[0].removeprefix("www.")


def value(text: str) -> str:
    """A value: the specification's own escapes, no control characters."""
    escaped = "".join(sign for sign in text if sign.isprintable()).replace("\\", "\\\\")
    return f"\\s{escaped[1:]}" if escaped.startswith(" ") else escaped


def _argument(text: str) -> str:
    """One argument of Exec: quoted, field codes disarmed, and then a value like any other."""
    for sign in ("\\", '"', "`", "$"):
        text = text.replace(sign, f"\\{sign}")
    return value(f'"{text}"').replace("%", "%%")
