"""vfiod check-config: read a configuration and print it in full, or all that is wrong with it."""

import argparse
from pathlib import Path
from typing import Any


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "check-config",
        help="all that is wrong with a configuration, each with its line",
        description="Read a configuration and print it with all defaults filled in, or every fault "
        "of it with file, line and column. Changes nothing.",
    )
    verb.add_argument("file", metavar="FILE", nargs="?", help="default: /etc/vfiod/vfiod.yaml")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises ConfigError with every fault."""
    from vfiod.config.file import read_config_file
    from vfiod.config.writer import normalised
    from vfiod.paths import CONFIG

    print(normalised(read_config_file(Path(arguments.file or CONFIG))), end="")
    return 0
