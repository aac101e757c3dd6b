"""The parser's verbs and options, from which completion, manual and READMEs are checked."""

import argparse

from vfiod.cli import main as cli


def command_lines() -> dict[str, argparse.ArgumentParser]:
    """Every line after which arguments may come, with its parser; a verb may have its own verbs."""
    found: dict[str, argparse.ArgumentParser] = {}
    todo = [("vfiod", cli.parser())]
    while todo:
        line, parser = todo.pop()
        inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        for action in inner:
            todo += [(f"{line} {name}", verb) for name, verb in action.choices.items()]
        if not inner:
            found[line] = parser
    return dict(sorted(found.items()))


def options(parser: argparse.ArgumentParser) -> set[str]:
    """Its long options, without --help, which all have."""
    named = {name for action in parser._actions for name in action.option_strings}
    return {name for name in named if name.startswith("--")} - {"--help"}


def words(parser: argparse.ArgumentParser) -> set[str]:
    """What stands for a value of the user's in its usage, such as GUEST."""
    takers = [a for a in parser._actions if a.nargs != 0 and (a.choices is None or a.metavar)]
    named = [str(action.metavar or action.dest) for action in takers]
    return {word for name in named for word in name.split("|")}
