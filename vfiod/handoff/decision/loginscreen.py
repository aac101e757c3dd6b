"""Whether the login screen opens the card that leaves: one of text never does. Pure.

Where it never does, nothing is missing while nobody has the card open.
"""

from vfiod.handoff.accounts import is_manager, is_persons, owner_of
from vfiod.handoff.decision.ending import may_show_a_desktop
from vfiod.handoff.decision.request import Request
from vfiod.handoff.nodes import is_card, is_sound
from vfiod.model import Holder

# Their login screens are pictures. Of greetd's and others nobody knows once somebody has logged in:
# the greeter is gone then.
_OF_PICTURES = frozenset({"gdm", "gdm3", "lightdm", "lxdm", "plasmalogin", "sddm", "slim", "xdm"})


def draws(request: Request) -> bool:
    """True if a login screen has the card open, or is known to where somebody's desktop has."""
    name = request.state.display_manager.ident.removesuffix(".service")
    holders = [h for h in request.state.holders if _may_show(h)]
    is_used = any(may_show_a_desktop(h, request) for h in holders)
    return (name in _OF_PICTURES and is_used) or any(_greets(h, request) for h in holders)


def _may_show(holder: Holder) -> bool:
    """Of what is in a user's manager only who has the card itself, as the step will look for."""
    return is_card(holder) if is_manager(holder.unit) else not is_sound(holder)


def _greets(holder: Holder, request: Request) -> bool:
    """Of a greeter's session or its user's manager; of the display manager's own service only if
    nobody has logged in, whose X server may be in there as well.
    """
    sessions = request.state.sessions
    if holder.unit == request.state.display_manager.ident:
        return not any(s.is_person and s.seat for s in sessions)
    is_nobodys = is_manager(holder.unit) and not is_persons(owner_of(holder))
    return is_nobodys or holder.unit in {s.unit for s in sessions if s.kind == "greeter"}
