"""Help for a person: what a command does and ends comes first, commands stand in groups."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from vfiod.util.wrap import hang, wrap

GROUPS = {
    "First use, in this order": (
        *("doctor", "setup", "groups", "create", "rom"),
        *("init", "tune", "plan", "rehearse", "try", "keep"),
    ),
    "Every day": ("start", "shutdown", "guests", "status", "log", "reopen"),
    "When something is wrong": ("return", "check-config", "uninstall-check"),
}
EXAMPLES = """\
Examples:
  vfiod doctor
  sudo vfiod init win10
  sudo vfiod rehearse win10
  vfiod start win10
  sudo vfiod return --destroy"""
_NAME_COLUMNS = 17  # the longest name and two blanks


class Formatter(argparse.HelpFormatter):
    """Options and commands stay whole at the end of a line."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(" ".join(text.split()), width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in wrap(text, width))


class Parser(argparse.ArgumentParser):
    """A parser whose help begins with its description, and whose usage errors are its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=Formatter, **options)
        self.set_defaults(parser=self)

    def format_help(self) -> str:
        """Description, usage, arguments, epilog."""
        out = self._get_formatter()
        out.add_text(self.description)
        out.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        for group in self._action_groups:
            out.start_section(group.title)
            out.add_text(group.description)
            out.add_arguments(group._group_actions)
            out.end_section()
        out.add_text(self.epilog)
        return out.format_help()

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does; what is left over is an error of the command that it was given to."""
        found, extra = self.parse_known_args(args, namespace)
        if extra:
            found.parser.error(f"unrecognized arguments: {' '.join(extra)}")
        return found

    def error(self, message: str) -> NoReturn:
        """Usage and what is wrong on standard error; exit status 2."""
        self.exit(
            2, f"{self.format_usage()}{self.prog}: error: {message}\n  see: {self.prog} --help\n"
        )


def overview(verbs: Any, width: int | None) -> Iterator[str]:
    """The commands in groups; ``verbs`` is the action that has their parsers."""
    told: Mapping[str, str] = {a.dest: a.help for a in verbs._choices_actions}
    for title, names in GROUPS.items():
        yield f"{title}:"
        for name in names:
            yield from hang(f"  {name:{_NAME_COLUMNS}}", told[name], width)
        yield ""
    yield EXAMPLES
    yield ""
    yield "More of a command: vfiod COMMAND --help. The manual: man vfiod"
