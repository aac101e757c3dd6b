"""The key reopen: what becomes of the applications that were open when a guest took the screen.

A key of its own, not a third answer beside sessions: terminate and refuse: whether people may be
interrupted, and what is done for them afterwards, are two questions, and any answers go together.
Pure.
"""

from enum import Enum

from vfiod.config.yaml_nodes import Value


class Reopen(Enum):
    """Whether they are opened again at the same user's next login."""

    NEVER = "never"
    ASK = "ask"
    ALWAYS = "always"


def read_reopen(value: Value) -> Reopen | None:
    """The key's value; None if it is wrong."""
    chosen = value.choice([choice.value for choice in Reopen])
    return Reopen(chosen) if chosen else None
