"""Sizes and names as people write them. Pure, and quick to import: the parser needs it."""

import re

_SIZE = re.compile(r"([1-9][0-9]{0,6}) ?(?:([MGT])(?:i?B)?)?", re.ASCII | re.IGNORECASE)
_COUNT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_UNITS = {"M": 2**20, "G": 2**30, "T": 2**40}
# Becomes a file's name; libvirt itself would allow more.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


def parse_size(text: str) -> int:
    """Read ``100G``, ``100GB``, ``8192M``, or ``8`` for 8G, as bytes; 1G is 2^30 in any of them.

    Raises ValueError.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a size: {text!r} (one looks like 100G, or 512M)")
    return int(match[1]) * _UNITS[(match[2] or "G").upper()]


def parse_count(text: str) -> int:
    """Read a number of CPUs. Raises ValueError."""
    if _COUNT.fullmatch(text) is None:
        raise ValueError(f"not a number of CPUs: {text!r} (one looks like 6)")
    return int(text)


def parse_name(text: str) -> str:
    """Check a new guest's name. Raises ValueError."""
    if _NAME.fullmatch(text) is None:
        raise ValueError(
            f"not a name for a new guest: {text!r} (letters, digits and _ . - of ASCII, at most 64)"
        )
    return text


def show_size(count: int) -> str:
    """Bytes as people read them."""
    for unit in ("T", "G"):
        if count >= _UNITS[unit]:
            return f"{count / _UNITS[unit]:.4g} {unit}iB"
    return f"{count / _UNITS['M']:.4g} MiB"
