"""Whether a guest's emulated screen is drawn by the very card that the guest gets."""

from pathlib import Path

from vfiod.guest import domain
from vfiod.host.facts.nodes import read_behind, read_render_nodes

_NODES = "/dev/dri/"


def draws_on_what_it_gets(xml: str, root: Path = Path("/")) -> bool:
    """True if a start would be refused for that. Raises DomainError."""
    guest = domain.parse(xml)
    given = set(guest.passed)
    nodes = [path for one in guest.opened for path in one.paths if path.startswith(_NODES)]
    if any(given.intersection(way) for way in read_behind(nodes, root).values()):
        return True
    left = [way for way in read_render_nodes(root).values() if not given.intersection(way)]
    return bool(guest.renderer) and not left
