"""A proposal in words, for a terminal of any width. Pure."""

from collections.abc import Iterator

from vfiod.tools.init.facts import Proposal
from vfiod.util.wrap import hang, wrap


def as_lines(guest: str, proposal: Proposal, *, width: int | None) -> Iterator[str]:
    """Lines that say what the guest would get and why; ``width`` in columns, None: any."""
    yield f"{guest} would get:"
    for proposed in proposal.devices:
        first = f"  {proposed.device.address}  "
        indent = " " * len(first)
        yield from hang(first, proposed.name, width)
        yield from hang(indent, proposed.reason, width)
        if proposed.device.rom:
            yield from hang(indent, f"its ROM: {proposed.device.rom}", width)
    for remark in proposal.remarks:
        yield ""
        yield from wrap(remark.text, width)
