"""What vfiod keeps for one user, below their home (XDG Base Directory Specification)."""

import os
from contextlib import suppress
from pathlib import Path

from vfiod.util.files import replace_file


def read(name: str) -> str:
    """What is kept by this name; empty if nothing is."""
    try:
        return _place(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def write(name: str, text: str) -> None:
    """Keep it, or nothing any more. A home that cannot be written keeps what it has."""
    path = _place(name)
    with suppress(OSError):
        if not text:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, f"{text}\n".encode(), mode=0o644)


def _place(name: str) -> Path:
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if state.startswith("/") else Path.home() / ".local/state"
    return folder / "vfiod" / name
