"""Completion in the shell: argcomplete asks the parser itself, so that nothing can be forgotten.

config/completions has what the shells load. Without argcomplete there is no completion, and vfiod
is not a bit slower for it: this module is imported only when a shell asks.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any


def complete(parser: argparse.ArgumentParser, config: Path | None = None) -> None:
    """Answer the shell and end the process (argcomplete's protocol, in the environment).

    Arguments: ``config`` is the file that names the guests, by default the one in /etc.
    """
    try:
        import argcomplete
    except ImportError:
        sys.exit(1)
    for action in guest_arguments(parser):
        action.completer = lambda **_: guest_names(config)
    argcomplete.autocomplete(parser)


def guest_arguments(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """Every argument that is a guest, of all verbs: those with GUEST as their word in the help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from guest_arguments(verb)
        elif action.metavar == "GUEST":
            yield action


def guest_names(config: Path | None) -> list[str]:
    """The guests that the configuration names; none if it cannot be read."""
    with suppress(Exception):
        from vfiod.config.file import read_config_file

        return list((read_config_file(config) if config else read_config_file()).guests)
    return []
