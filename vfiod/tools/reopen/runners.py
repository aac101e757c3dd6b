"""Programs that run others, which alone say nothing of what somebody has open. Pure."""

import re
from posixpath import basename

# Their names, with a version or not: python3.13, ruby3.1, gjs-console. Shotwell and luanti
# only begin like one.
_INTERPRETERS = re.compile(
    r"\.?(?:python|perl|ruby|gjs|gjs-console|bash|dash|sh|zsh|ksh|mksh|fish|node|nodejs|lua|luajit"
    r"|tclsh|wish)[\d.]*(?:-wrapped)?"
)

_OTHERS = re.compile(
    r"java|mono|dotnet|wine(?:64)?|electron\d*|env|flatpak|snap|sudo|pkexec|systemd-run|gio|gtk-launch"
    r"|xdg-open|distrobox-enter|toolbox|podman|docker"
)


def is_interpreter(program: str) -> bool:
    """Whether it runs the script that it is given, by its name or its path."""
    return _INTERPRETERS.fullmatch(basename(program)) is not None


def runs_others(program: str) -> bool:
    """Whether it is nobody's application without what it is given, as an interpreter or java."""
    return is_interpreter(program) or _OTHERS.fullmatch(basename(program)) is not None
