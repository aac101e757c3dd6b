"""The one printer, and the person at the terminal: text that fits its width, differences, consent.

Without a terminal nothing is broken into lines and nothing is asked. Colour follows the terminal
and NO_COLOR (no-color.org).
"""

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TextIO, TypeVar

from vfiod.util.wrap import wrap

if TYPE_CHECKING:
    from rich.console import Console

Value = TypeVar("Value")

STYLES = {"+": "green", "-": "red", "@": "cyan"}
_USUAL = 80


def width(stream: TextIO | None = None) -> int | None:
    """Columns of the terminal that a stream (standard output) goes to; None if it is none."""
    stream = stream or sys.stdout
    if not stream.isatty():
        return None
    asked = os.environ.get("COLUMNS", "")
    return (
        int(asked) if asked.isdecimal() else os.get_terminal_size(stream.fileno()).columns or _USUAL
    )


def say(text: str = "", *, to: TextIO | None = None) -> None:
    """Print lines for a person on standard output, or ``to`` another stream."""
    stream = to or sys.stdout
    print("\n".join(wrap(text, width(stream))), file=stream, flush=True)


def console() -> "Console":
    """Standard output for what has styles; in a pipe plain text with lines as they are."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def consents(question: str, *, yes: bool) -> bool:
    """True if the person agrees: by ``--yes``, or by typing y at a terminal."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        say("Nothing was changed: without a terminal to ask at, add --yes.", to=sys.stderr)
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
    """Print a unified diff, coloured on a terminal; its lines stay whole, to be copied."""
    from rich.text import Text

    out = console()
    for line in lines:
        out.print(Text(line, style=STYLES.get(line[:1], "")), soft_wrap=True)


def show_report(lines: Iterable[str]) -> None:
    """Print lines for a person with differences among them: from ``---`` to an empty line."""
    is_difference = False
    for line in lines:
        is_difference = line != "" and (is_difference or line.startswith("---"))
        if is_difference:
            show_difference([line])
        else:
            say(line)
