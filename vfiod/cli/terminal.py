"""Talking to the person at a terminal: consent, differences, tables that respect its width.

Without a terminal nothing is asked. Colour follows the terminal and NO_COLOR (no-color.org).
"""

import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

from rich.console import Console
from rich.text import Text

Value = TypeVar("Value")

STYLES = {"+": "green", "-": "red", "@": "cyan"}


def console() -> Console:
    """Standard output as a terminal of its own width, or plain text when it is piped."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def consents(question: str, *, yes: bool) -> bool:
    """True if the person agrees: by ``--yes``, or by typing y at a terminal."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("Nothing was changed: without a terminal to ask at, add --yes.", file=sys.stderr)
        return False
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def answer(question: str, parse: Callable[[str], Value], proposal: Value) -> Value:
    """What the person types at a terminal, asked again until ``parse`` takes it (ValueError).

    Nothing typed means ``proposal``, as does no terminal to ask at.
    """
    while sys.stdin.isatty() and sys.stdout.isatty():
        try:
            typed = input(question).strip()
            return parse(typed) if typed else proposal
        except EOFError:
            break
        except ValueError as error:
            print(error)
    return proposal


def show_difference(lines: Iterable[str]) -> None:
    """Print a unified diff, coloured on a terminal."""
    out = console()
    for line in lines:
        out.print(Text(line, style=STYLES.get(line[:1], "")))
