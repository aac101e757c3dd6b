"""Somebody who types at the emulated PC's keyboard."""

from __future__ import annotations

from .emulator.machine import Lab

_KEYS = {"\n": "ret", " ": "spc", "-": "minus"}


def type_text(lab: Lab, text: str) -> None:
    """Press and let go of a key for each small letter, digit, dash, blank or line's end."""
    for character in text:
        press(lab, _KEYS.get(character, character))


def press(lab: Lab, *keys: str) -> None:
    """Press keys together, as QEMU's QKeyCode has them, and let go of them."""
    lab.qmp("send-key", keys=[{"type": "qcode", "data": key} for key in keys])
