"""A guest that the configuration does not name. Pure."""

import shlex

from vfiod.errors import UnknownGuest

_LONGEST = 60  # of a name from outside


def unknown_guest(name: str, known: str, where: str = "the configuration") -> UnknownGuest:
    """``known``: the guests that ``where`` names, separated by commas."""
    text = f"{where} names no guest {name[:_LONGEST]!r} (it names: {known or 'none'})"
    hint = f"let vfiod propose its devices: sudo vfiod init {shlex.quote(name)}"
    return UnknownGuest(text, hint if len(name) <= _LONGEST else "")
