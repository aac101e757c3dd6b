"""The command line: vfiod VERB. Each verb declares and runs itself in vfiod.cli.verbs."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any

from vfiod.cli.help import Parser, overview
from vfiod.cli.output import written
from vfiod.cli.terminal import say, width
from vfiod.errors import VfiodError

# The command and the module that declares it; only what was asked for is imported.
VERBS = {
    "status": "status",
    "doctor": "doctor",
    "groups": "groups",
    "setup": "setup",
    "init": "init",
    "create": "create",
    "tune": "tune",
    "rom": "rom",
    "plan": "plan",
    "rehearse": "rehearse",
    "guests": "guests",
    "start": "start",
    "try": "trial",
    "keep": "trial",
    "shutdown": "shutdown",
    "return": "return_devices",
    "log": "log",
    "reopen": "reopen",
    "check-config": "check_config",
    "uninstall-check": "uninstall_check",
    "session": "session",
    "libvirt": "libvirt",
    "goodbye": "goodbye",
    "daemon": "daemon",
}
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


def _parsers(asked: Iterable[str] = VERBS) -> tuple[argparse.ArgumentParser, Any]:
    """The parser and, in it, the action that has those of the verbs ``asked`` for."""
    top = Parser(prog="vfiod", description=ABOUT, epilog=EPILOG, add_help=False)
    top.add_argument("-h", "--help", action=_Overview, nargs=0, help="show this and exit")
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    verbs = top.add_subparsers(title="commands", dest="verb", required=True, metavar="COMMAND")
    for module in dict.fromkeys(VERBS[verb] for verb in asked):
        import_module(f"vfiod.cli.verbs.{module}").add(verbs)
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
    if "_ARGCOMPLETE" in os.environ:
        from vfiod.cli.completion import complete

        complete(parser())
    _print_what_there_is()
    words = list(sys.argv[1:] if argv is None else argv)
    return written(lambda: _run(words))


def _run(words: Sequence[str]) -> int:
    if words in ([], ["help"]):
        show_overview()
        return 0
    _require_verb(words[0])
    arguments = _parsers(words[:1] if words[0] in VERBS else VERBS)[0].parse_args(words)
    try:
        return int(arguments.run(arguments))
    except VfiodError as error:
        return report_error(error)
    except KeyboardInterrupt:
        return 130  # as a shell says of SIGINT


def _print_what_there_is() -> None:
    """A character that the terminal's encoding has not becomes a ?, and is no reason to end."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _require_verb(word: str) -> None:
    """Ends with status 2 for a word that is no command, without a list of all that are."""
    if word.startswith("-") or word in VERBS:
        return
    from difflib import get_close_matches

    near = get_close_matches(word, VERBS, n=1)
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
