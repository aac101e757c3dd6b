"""Before a person is asked to let the desktop end: may it be begun at all, and whose work ends?"""

import os
import shlex

from vfiod.errors import Busy, Stuck

ENDS = """\
{what}
The desktop ends{whose}. What is not saved in it is lost.
If this terminal goes with the desktop, log in again; what happened, and what to do, says:
  vfiod status
  sudo vfiod log {guest} --last"""
STAYS = "{what}\nThe desktop stays."


def warning(guest: str, what: str) -> str:
    """What is about to happen, for a person who is asked to agree.

    Raises Unreachable, Stuck or Busy if the daemon could not do it now, and Refused, ConfigError
    or UnknownGuest if it would not.
    """
    from vfiod.cli.local import guest_named
    from vfiod.config.file import read_config_file

    guest_named(guest, read_config_file())
    require_idle()
    return describe(guest, what, _whose_work_ends(guest))


def describe(guest: str, what: str, ends: tuple[str, ...] | None) -> str:
    """The words; ``ends`` are those whose work does, None if the desktop stays."""
    if ends is None:
        return STAYS.format(what=what)
    whose = f", and with it the work of {', '.join(ends)}" if ends else ""
    return ENDS.format(what=what, whose=whose, guest=shlex.quote(guest))


def require_idle() -> None:
    """Raises Unreachable, Stuck or Busy."""
    from vfiod.bus.connection import Bus
    from vfiod.cli.client import Client

    facts = Client(Bus()).status()
    if facts["phase"] == "stuck":
        raise Stuck("\n".join(facts["faults"]))
    if facts["guest"] is not None:
        text = f"{facts['guest']} has the devices, or they are on their way"
        raise Busy(text, "see: vfiod status")
    if facts.get("starting"):
        raise Busy(f"{facts['starting']} is being started", "see: vfiod status")


def _whose_work_ends(guest: str) -> tuple[str, ...] | None:
    """None if the desktop stays. Not everything that a start looks at may be read by any user:
    for others than root the daemon alone decides, later.
    """
    from vfiod.cli.local import plan_for

    if os.geteuid() != 0:
        return ()
    decided = plan_for(guest)
    stops = any(step.kind in ("stop-display-manager", "end-sessions") for step in decided.steps)
    return decided.ends if stops or decided.ends else None
