"""The command line: vfiod VERB. Each verb declares and runs itself in vfiod.cli.verbs."""

import argparse
import os
import sys
from collections.abc import Sequence

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
from vfiod.errors import Refused, VfiodError

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
EPILOG = """exit status: 0 done; 1 failed; 2 wrong usage; 3 configuration, domain or ROM wrong;
4 a start would be refused; 5 busy; 6 the host refused something; 7 stuck; 8 not authorised;
9 the vfiod service does not answer; of doctor: 10 warnings; 11 something fails"""


def parser() -> argparse.ArgumentParser:
    """The parser, from which help, completion and manual are checked."""
    top = argparse.ArgumentParser(
        prog="vfiod",
        description="Hand the one graphics card to a guest at its start and take it back after.",
        epilog=EPILOG,
    )
    verbs = top.add_subparsers(title="commands", dest="verb", required=True, metavar="COMMAND")
    for verb in VERBS:
        verb.add(verbs)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; errors become a message and an exit status here and nowhere else."""
    top = parser()
    if "_ARGCOMPLETE" in os.environ:
        from vfiod.cli.completion import complete

        complete(top)
    arguments = top.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except VfiodError as error:
        return report_error(error)
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130  # as a shell says of SIGINT


def report_error(error: VfiodError) -> int:
    """Tell a person what went wrong, one line each, and give the exit status."""
    reasons = error.reasons if isinstance(error, Refused) else (error,)
    if isinstance(error, Refused):
        print(f"vfiod: {error.heading}:", file=sys.stderr)
    for reason in reasons:
        print(f"vfiod: {reason.message}", file=sys.stderr)
        if reason.hint:
            print(f"       {reason.hint}", file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
