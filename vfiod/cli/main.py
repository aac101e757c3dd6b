"""The command line: vfiod VERB. Each verb declares and runs itself in vfiod.cli.verbs."""

import argparse
import os
import sys
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any

from vfiod.cli.help import Parser, overview
from vfiod.cli.terminal import say, width
from vfiod.cli.verbs import (
    check_config,
    create,
    daemon,
    doctor,
    groups,
    guests,
    init,
    libvirt,
    log,
    plan,
    rehearse,
    return_devices,
    rom,
    setup,
    shutdown,
    start,
    status,
    trial,
    tune,
    uninstall_check,
)
from vfiod.errors import VfiodError

VERBS = (
    status,
    doctor,
    groups,
    setup,
    init,
    create,
    tune,
    rom,
    plan,
    rehearse,
    guests,
    start,
    trial,
    shutdown,
    return_devices,
    log,
    check_config,
    uninstall_check,
    libvirt,
    daemon,
)
ABOUT = """\
Hand the one graphics card of this PC to a guest when it starts, and take it back when it ends. \
At a start the desktop ends, and with it what is not saved."""
EPILOG = """\
exit status:
   0 done
   1 failed, or you did not agree
   2 wrong usage
   3 the configuration, a definition or a ROM is wrong, or there is no such guest
   4 a start would be refused
   5 busy
   6 the host refused something
   7 stuck
   8 not authorised
   9 the vfiod service does not answer
  10 warnings (doctor), something is missing (tune --check)
  11 something fails (doctor)"""


def parser() -> argparse.ArgumentParser:
    """The parser, from which help, completion and manual are checked."""
    return _parsers()[0]


def _parsers() -> tuple[argparse.ArgumentParser, Any]:
    """The parser and, in it, the action that has those of the verbs."""
    top = Parser(prog="vfiod", description=ABOUT, epilog=EPILOG, add_help=False)
    top.add_argument("-h", "--help", action=_Overview, nargs=0, help="show this and exit")
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    verbs = top.add_subparsers(title="commands", dest="verb", required=True, metavar="COMMAND")
    for verb in VERBS:
        verb.add(verbs)
    return top, verbs


class _Overview(argparse.Action):
    """The commands in groups, the options and what an exit status means."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        show_overview()
        say(f"\n{EPILOG}")
        parser.exit()


class _Version(argparse.Action):
    """The version that is installed."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from vfiod.util.version import own_version

        say(f"vfiod {own_version()}")
        parser.exit()


def show_overview() -> None:
    """What vfiod is, and its commands in groups."""
    columns = width()
    say(ABOUT)
    say()
    say("\n".join(overview(_parsers()[1], columns)))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; errors become a message and an exit status here and nowhere else."""
    top, verbs = _parsers()
    if "_ARGCOMPLETE" in os.environ:
        from vfiod.cli.completion import complete

        complete(top)
    words = list(sys.argv[1:] if argv is None else argv)
    if words in ([], ["help"]):
        show_overview()
        return 0
    _require_verb(words[0], verbs.choices)
    arguments = top.parse_args(words)
    try:
        return int(arguments.run(arguments))
    except VfiodError as error:
        return report_error(error)
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130  # as a shell says of SIGINT


def _require_verb(word: str, known: Collection[str]) -> None:
    """Ends with status 2 for a word that is no command, without a list of all that are."""
    if word.startswith("-") or word in known:
        return
    near = get_close_matches(word, known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    say(f"vfiod: there is no command {word!r}{meant}\n  all commands: vfiod --help", to=sys.stderr)
    sys.exit(2)


def report_error(error: VfiodError) -> int:
    """Tell a person what went wrong, a line for each fault and remedy; give the exit status."""
    heading = f"{error.heading}:\n" if error.heading else ""
    say(f"vfiod: {heading}{error}", to=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
