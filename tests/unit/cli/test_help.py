"""Help: commands in groups, what each does and ends first, usage errors that are its own."""

import argparse
import subprocess
import sys

import pytest

from tests.parsers import command_lines
from vfiod.cli import main as cli
from vfiod.cli.help import GROUPS

NAMES = [name for names in GROUPS.values() for name in names]
ENDING = ("vfiod rehearse", "vfiod start", "vfiod try")


def test_every_command_but_those_of_the_service_is_in_one_group() -> None:
    verbs = {line.split()[1] for line in command_lines()}
    assert sorted(NAMES) == sorted(verbs - {"daemon", "goodbye", "libvirt", "session"})


def test_a_command_is_declared_by_the_module_that_stands_beside_its_name() -> None:
    assert set(cli._parsers()[1].choices) == set(cli.VERBS)
    assert all(name in cli._parsers([name])[1].choices for name in cli.VERBS)


def test_one_command_does_not_load_the_others() -> None:
    code = "import sys; from vfiod.cli.main import main; main(['check-config', '/nowhere']); " \
        "print(*(name for name in sys.modules if name.startswith('vfiod.cli.verbs.')))"  # fmt: skip
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) <= {
        f"vfiod.cli.verbs.{n}" for n in ("arguments", "check_config")
    }


@pytest.mark.parametrize("words", [[], ["help"]])
def test_alone_it_shows_the_groups(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert all(f"{title}:\n" in said for title in GROUPS)
    assert all(f"\n  {name} " in said for name in NAMES)
    assert "\n  sudo vfiod init win10\n" in said


@pytest.mark.parametrize(("option", "part"), [("--help", " 7 stuck"), ("--version", "vfiod ")])
def test_the_options_of_vfiod_itself(
    option: str, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([option])
    assert ended.value.code == 0
    assert part in capsys.readouterr().out


@pytest.mark.parametrize(("line", "verb"), command_lines().items(), ids=command_lines())
def test_the_help_of_a_command_begins_with_what_it_does(
    line: str, verb: argparse.ArgumentParser
) -> None:
    assert verb.description
    first = " ".join(verb.format_help().partition("\n\n")[0].split())
    assert first == " ".join(verb.description.split())
    assert ("THE DESKTOP ENDS" in first) is (line in ENDING)


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["check-config", "--json"], "usage: vfiod check-config [-h]"),
        (["doctor", "--bogus"], "usage: vfiod doctor [-h]"),
        (["rom", "show", "x", "y"], "usage: vfiod rom show [-h]"),
        (["try"], "usage: vfiod try [-h]"),
    ],
)
def test_wrong_usage_shows_that_of_the_command(
    words: list[str], usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(usage)
    assert said.endswith(f"see: {' '.join(usage.split()[1:-1])} --help\n")


def test_what_is_no_command_is_answered_with_one_that_is_near(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["stats"])
    assert ended.value.code == 2
    assert "no command 'stats'; did you mean 'status'?" in capsys.readouterr().err
