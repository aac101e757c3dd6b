"""Somebody who types at the emulated PC's keyboard."""

from __future__ import annotations

from .emulator.machine import Lab

_KEYS = {"\n": "ret", " ": "spc"}


def type_text(lab: Lab, text: str) -> None:
    """Press and let go of a key for each small letter, blank or line's end of ``text``."""
    for character in text:
        key = {"type": "qcode", "data": _KEYS.get(character, character)}
        lab.qmp("send-key", keys=[key])
