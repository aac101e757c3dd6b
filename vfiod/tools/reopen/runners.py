"""Programs that run others, which alone say nothing of what somebody has open. Pure."""

import re
from posixpath import basename

# Their names, with a version or not: python3.13, ruby3.1, gjs-console. Shotwell and luanti
# only begin like one.
_INTERPRETERS = re.compile(
    r"\.?(?:python|perl|ruby|gjs|gjs-console|bash|dash|sh|zsh|ksh|mksh|fish|node|nodejs|lua|luajit"
    r"|tclsh|wish)[\d.]*(?:-wrapped)?"
)


def is_interpreter(program: str) -> bool:
    """Whether it runs the script that it is given, by its name or its path."""
    return _INTERPRETERS.fullmatch(basename(program)) is not None
