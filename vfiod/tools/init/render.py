"""A proposal in words, for a terminal of any width. Pure."""

import textwrap
from collections.abc import Iterator

from vfiod.tools.init.facts import Proposal

_PLAIN = 10_000  # nothing is wrapped for a program that reads


def as_lines(guest: str, proposal: Proposal, *, width: int | None) -> Iterator[str]:
    """Lines that say what the guest would get and why; ``width`` in columns, None: any."""
    columns = width or _PLAIN
    yield f"{guest} would get:"
    for proposed in proposal.devices:
        address = str(proposed.device.address)
        indent = " " * (len(address) + 4)
        first = f"  {address}  {proposed.name}"
        yield from _wrapped(first, columns, indent)
        yield from _wrapped(indent + proposed.reason, columns, indent)
        if proposed.device.rom:
            yield from _wrapped(f"{indent}its ROM: {proposed.device.rom}", columns, indent)
    for remark in proposal.remarks:
        yield ""
        yield from _wrapped(remark.text, columns, "")


def _wrapped(text: str, columns: int, indent: str) -> list[str]:
    """Addresses and options stay whole."""
    return textwrap.wrap(text, columns, subsequent_indent=indent, break_on_hyphens=False)
