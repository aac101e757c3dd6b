"""Device nodes by their names: what a process that has one open does with it. Pure."""

from vfiod.model import Holder

_CARD = "/dev/dri/card"
_SOUND = "/dev/snd/"


def is_card(holder: Holder) -> bool:
    """A card itself, as display servers have it open; a game or a job has the nodes to draw by."""
    return holder.node.startswith(_CARD)


def is_sound(holder: Holder) -> bool:
    """A sound function, as every user's manager has one open."""
    return holder.node.startswith(_SOUND)
