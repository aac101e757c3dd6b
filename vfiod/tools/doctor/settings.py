"""Findings about vfiod's own configuration. Pure."""

import shlex

from vfiod.errors import ConfigError
from vfiod.paths import CONFIG
from vfiod.tools.doctor.facts import Facts
from vfiod.util.finding import Findings, fail, ok, warn


def configuration(facts: Facts) -> Findings:
    """Every fault of the file is a finding of its own."""
    check, settings = "configuration", facts.settings
    for fault in ConfigError(settings.faults).parts:
        yield fail(
            check,
            fault.message,
            why="While the configuration is wrong, no guest that it might name is started.",
            remedy=_sentence(fault.hint) if fault.hint else "Correct the file.",
            command=f"sudoedit {CONFIG}",
        )
    guests = settings.config.guests
    if guests:
        yield ok(check, f"{CONFIG} names {', '.join(guests)}")
    elif not settings.faults:
        yield warn(
            check,
            f"{CONFIG} names no guest yet",
            why="vfiod hands devices only to the guests that are named there.",
            remedy="Let vfiod propose it from the guest and this PC.",
            command=f"sudo vfiod init {shlex.quote(facts.guest.name) if facts.guest else 'GUEST'}",
        )


def _sentence(words: str) -> str:
    """With a capital and a full stop, unless it is a question."""
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('?') else '.'}"


CHECKS = (configuration,)
