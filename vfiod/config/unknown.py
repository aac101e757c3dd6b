"""A guest that the configuration does not name. Pure."""

import shlex

from vfiod.errors import UnknownGuest

_LONGEST = 60  # of a name from outside


def unknown_guest(name: str, known: str, where: str = "the configuration") -> UnknownGuest:
    """``known``: the guests that ``where`` names, separated by commas."""
    shown = name[:_LONGEST]
    text = f"{where} names no guest {shown!r} (it names: {known or 'none'})"
    return UnknownGuest(
        text, f"let vfiod propose its devices: sudo vfiod init {shlex.quote(shown)}"
    )
