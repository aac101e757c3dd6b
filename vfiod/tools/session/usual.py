"""Which desktop a person usually logs in to, so that a guest's entry does not take its place.

A display manager proposes what was chosen last and forgets what was chosen before. So it is written
down at each login to a desktop, by what runs there anyway: `vfiod log --notify`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from vfiod.host.facts.loginscreen import WAYLAND, Offered
from vfiod.model import ENTRY
from vfiod.util import userstate

_KEPT = "session"
# What the service takes (ProposeSession).
_NAME = re.compile(r"[\w.+@() -]{1,120}", re.ASCII)
_KIND = re.compile(r"[a-z0-9]{0,20}")


@dataclass(frozen=True, slots=True)
class Usual:
    """A session as the display manager names it, and its type, as logind does."""

    name: str
    kind: str = ""


def of_environment(environment: Mapping[str, str]) -> Usual | None:
    """The session that a program runs in; None outside a desktop and in a guest's entry.

    GDM and LightDM set DESKTOP_SESSION to the name of the session's file, SDDM before 0.20 to its
    whole path.
    """
    name = PurePath(environment.get("DESKTOP_SESSION", "")).name.removesuffix(".desktop")
    kind = environment.get("XDG_SESSION_TYPE", "")
    is_plain = _NAME.fullmatch(name) and _KIND.fullmatch(kind)
    return Usual(name, kind) if is_plain and not name.startswith(ENTRY) else None


def remember(environment: Mapping[str, str]) -> None:
    """Write down the session of a program that runs at each login."""
    usual = of_environment(environment)
    if usual is not None and usual != recall():
        userstate.write(_KEPT, f"{usual.name}\n{usual.kind}")


def recall() -> Usual | None:
    """What was written down last."""
    name, _, kind = userstate.read(_KEPT).partition("\n")
    return Usual(name, kind) if name else None


def choose(usual: Usual | None, offered: Sequence[Offered]) -> Offered | None:
    """Among what can be chosen now: that one, or else the plainest; None if there is none.

    A guess, but not nothing: lightdm-gtk-greeter would take the first by its title, maybe the
    guest. Variants have longer names: gnome and gnome-classic, plasma and plasmax11.
    """
    named = [one for one in offered if usual is not None and one.name == usual.name]
    alike = [one for one in named if usual is not None and one.kind == usual.kind]
    plain = sorted(offered, key=lambda one: (len(one.name), one.name, one.kind != WAYLAND))
    return next(iter([*alike, *named, *plain]), None)
