"""Which application a unit or a slice of a user's manager stands for, by its name. Pure.

systemd.io, DESKTOP_ENVIRONMENTS: ``app[-LAUNCHER]-ID-RANDOM.scope``, ``app[-LAUNCHER]-ID.slice``
and ``app[-LAUNCHER]-ID[@RANDOM].service``, in which a ``-`` of the id is escaped.
"""

import re
from collections.abc import Iterator
from posixpath import basename

_ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")
_SCOPE = re.compile(r"app-(?P<id>.+)-[^-]+\.scope")
_SERVICE = re.compile(r"app-(?P<id>[^@]+)(?:@(?P<instance>[^@]*))?\.service")
_SLICE = re.compile(r"app-(?P<id>.+)\.slice")
# snapd names a scope after snap and program, an entry likewise (snapd: cmd/snap/cmd_run.go).
_SNAP = re.compile(r"snap\.(?P<snap>[a-z0-9-]+)\.(?P<app>[A-Za-z0-9-]+?)[.-][0-9a-f-]{36}\.scope")
# dbus-broker begins what the bus asks for in a unit of its own.
_BUS = re.compile(r"dbus-:[0-9.]+-(?P<id>[A-Za-z0-9_.]+)@\d+\.service")

# Podman's and Docker's without root, with systemd for the control groups.
_CONTAINER = re.compile(r"(?:libpod|docker)-.+\.scope")
# What a key opens to begin an application with, which then stays in the launcher's own unit.
_LAUNCHERS = re.compile(
    r"\.?(?:fuzzel|rofi|wofi|tofi|bemenu|walker|ulauncher|albert|krunner)(?:-d?run)?(?:-wrapped)?"
)
_LONGEST = 255


def candidates(name: str) -> Iterator[str]:
    """Ids of desktop entries that the unit may stand for, the likeliest first; none if it is
    no application, or one that was started at the login by itself.
    """
    if found := _SNAP.fullmatch(name):
        yield f"{found['snap']}_{found['app']}"
    elif found := _BUS.fullmatch(name):
        yield found["id"]
    elif found := _SERVICE.fullmatch(name):
        if found["instance"] != "autostart":
            yield from _without_launcher(found["id"])
    elif found := _SCOPE.fullmatch(name) or _SLICE.fullmatch(name):
        yield from _without_launcher(found["id"])


def starts_by_itself(name: str) -> bool:
    """True for what systemd made of an autostart file (systemd-xdg-autostart-generator(8))."""
    found = _SERVICE.fullmatch(name)
    return found is not None and found["instance"] == "autostart"


def is_begun_by_bus(name: str) -> bool:
    """True for what D-Bus was asked for, which may have no window (org.freedesktop.DBus)."""
    return _BUS.fullmatch(name) is not None


def is_container(name: str) -> bool:
    """True for a scope that a container of the user's runs in (distrobox, toolbox)."""
    return _CONTAINER.fullmatch(name) is not None


def is_launcher(program: str) -> bool:
    """Whether it is a menu: what runs in its unit is not part of it, nor is it anybody's work."""
    return _LAUNCHERS.fullmatch(basename(program)) is not None


def scope_of(ident: str, random: str) -> str:
    """The name of a scope for an application. What is too long for one is cut: systemd takes 255
    signs (UNIT_NAME_MAX), and a letter of another script than ours is escaped by twelve.
    """
    kept = ident
    while len(name := f"app-vfiod-{escape(kept)}-{random}.scope") > _LONGEST:
        kept = kept[:-1]
    return name


def escape(ident: str) -> str:
    """An id as it stands in a unit's name (systemd-escape(1))."""
    kept = "".join(s if s.isascii() and (s.isalnum() or s in ":_.") else _hex(s) for s in ident)
    return f"{_hex('.')}{kept[1:]}" if kept.startswith(".") else kept


def _hex(sign: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in sign.encode())


def _without_launcher(text: str) -> Iterator[str]:
    """The id behind the launcher's name, which may be missing, or an id that nobody escaped."""
    parts = text.split("-")
    for count in range(len(parts)):
        yield _unescape("-".join(parts[count:]))


def _unescape(text: str) -> str:
    raw = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return raw.encode("latin-1", "replace").decode("utf-8", "replace")
