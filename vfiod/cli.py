"""The command line: vfiod VERB."""

import argparse
import sys
from collections.abc import Sequence

from vfiod import commands
from vfiod.errors import VfiodError

EPILOG = """exit status: 0 done; 1 failed; 2 wrong usage; 3 configuration, domain or ROM wrong;
4 a start would be refused; 5 busy; 6 the host refused something; 7 stuck; 8 not authorised;
9 the vfiod service does not answer"""


def parser() -> argparse.ArgumentParser:
    """The parser, from which help, completion and manual are checked."""
    top = argparse.ArgumentParser(
        prog="vfiod",
        description="Hand the one graphics card to a guest at its start and take it back after.",
        epilog=EPILOG,
    )
    verbs = top.add_subparsers(title="commands", dest="verb", required=True, metavar="COMMAND")

    verb = verbs.add_parser("status", help="who has the devices, and what is under way")
    verb.add_argument("--json", action="store_true", help="print facts as JSON")
    verb.set_defaults(run=commands.show_status)

    verb = verbs.add_parser("plan", help="the steps a start would take now; touches nothing")
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument("--json", action="store_true", help="print the steps as JSON")
    verb.set_defaults(run=commands.show_plan)

    verb = verbs.add_parser("check-config", help="check a configuration and print it in full")
    verb.add_argument("file", metavar="FILE", nargs="?", help="default: /etc/vfiod/vfiod.yaml")
    verb.set_defaults(run=commands.check_config)

    verb = verbs.add_parser("return", help="take the devices back now")
    verb.add_argument("--destroy", action="store_true", help="stop the guest first, hard")
    verb.set_defaults(run=commands.take_back)

    verb = verbs.add_parser("daemon", help="what vfiod.service runs")
    verb.set_defaults(run=commands.run_daemon)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; errors become a message and an exit status here and nowhere else."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except VfiodError as error:
        return commands.report_error(error)
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
