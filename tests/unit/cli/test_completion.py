"""Completion: every verb and option that the parser has, in the shells that people use."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parsers import command_lines, options
from vfiod.cli import main as cli
from vfiod.cli.completion import guest_arguments
from vfiod.model import PciAddress

ROOT = Path(__file__).parents[3]
COMPLETIONS = ROOT / "config" / "completions"
HELP = {"-h", "--help"}
TOP = {*HELP, "--version"}


@pytest.fixture
def path(run_directory: Path) -> str:
    """A PATH with a vfiod whose guests are those of a configuration of the test's own."""
    config = run_directory / "vfiod.yaml"
    config.write_text(
        "guests: {win10: {devices: [0000:01:00.0]}, tux: {devices: [0000:01:00.0]}}\n"
    )
    program = run_directory / "vfiod"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from vfiod.cli.main import parser\nfrom vfiod.cli.completion import complete\n"
        f"complete(parser(), Path({str(config)!r}))\n"
    )
    program.chmod(0o755)
    return f"{run_directory}:/usr/bin:/bin"


def shell(path: str, *command: str, **environment: str) -> set[str]:
    """The lines that a command prints."""
    plain = {"PATH": path, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    done = subprocess.run(
        command, cwd=ROOT, env=plain | environment,
        capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.stderr == ""
    return {line.strip() for line in done.stdout.splitlines() if line.strip()}


def answers(path: str, line: str) -> set[str]:
    """What vfiod answers to a shell, by argcomplete's protocol."""
    environment = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "COMP_TYPE": ""}
    environment |= {"COMP_LINE": line, "COMP_POINT": str(len(line))}
    return shell(path, "sh", "-c", "exec vfiod 8>&1 9>/dev/null", **environment)


def test_every_verb_is_offered(path: str) -> None:
    assert answers(path, "vfiod ") - TOP == {line.split()[1] for line in command_lines()}


@pytest.mark.parametrize(("line", "verb"), command_lines().items(), ids=command_lines())
def test_every_option_is_offered(path: str, line: str, verb: argparse.ArgumentParser) -> None:
    assert answers(path, f"{line} --") - HELP == options(verb)


def test_guests_are_those_of_the_configuration(path: str) -> None:
    assert {"win10", "tux"} <= answers(path, "vfiod plan ")
    assert answers(path, "vfiod plan w") == {"win10"}
    assert {"win10", "tux"} <= answers(path, "vfiod log ")


def test_every_argument_that_is_a_guest_is_found() -> None:
    text = "".join(verb.format_usage() for verb in command_lines().values())
    assert len(list(guest_arguments(cli.parser()))) == text.count("GUEST")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vfiod create ", set()),
        ("vfiod init w", {"win10"}),
        ("vfiod create x --network ", {"user"}),
        ("vfiod create x --os-variant win1", {"win10", "win11"}),
        ("vfiod try win10 --port ", set()),
    ],
)
def test_what_fits_is_offered_and_no_names_of_files(
    path: str, line: str, offered: set[str]
) -> None:
    found = {answer for answer in answers(path, line) if not answer.startswith("-")}
    assert offered <= found
    assert not found & {"README.md", "vfiod/", "tests/"}
    assert found == offered or offered


@pytest.mark.parametrize("line", ["vfiod rom dump ", "vfiod init win10 --device "])
def test_addresses_are_those_of_this_pc(path: str, line: str) -> None:
    found = {answer for answer in answers(path, line) if not answer.startswith("-")}
    assert all(PciAddress.parse(answer) for answer in found)


# In the shells. Each gets the file that is installed for it.


def test_bash(path: str) -> None:
    script = f"""
        source {COMPLETIONS}/vfiod.bash
        complete -p vfiod | grep -q _python_argcomplete || echo "not registered"
        COMP_LINE="vfiod lo" COMP_POINT=8 COMP_TYPE=9 COMP_WORDS=(vfiod lo) COMP_CWORD=1
        _python_argcomplete vfiod lo vfiod 2>/dev/null
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert shell(path, "bash", "--norc", "-c", script) == {"log"}


def test_zsh(path: str) -> None:
    """Its completion system calls the file as a function; _describe is what shows the answers."""
    script = f"""
        fpath=({COMPLETIONS} $fpath)
        autoload -U _vfiod
        _describe() {{ print -l -- ${{(P)2}} }}
        _files() {{ print files }}
        words=(vfiod lo) BUFFER='vfiod lo' CURSOR=8
        _vfiod
    """
    assert {answer.partition(":")[0] for answer in shell(path, "zsh", "-f", "-c", script)} == {
        "log"
    }


def test_fish(path: str, run_directory: Path) -> None:
    script = f"source {COMPLETIONS}/vfiod.fish; complete -C 'vfiod lo'"
    found = shell(path, "fish", "--no-config", "-c", script, HOME=str(run_directory))
    assert {answer.split("\t")[0] for answer in found} == {"log"}


@pytest.mark.parametrize("shell_file", ["vfiod.bash", "vfiod.fish"])
def test_without_argcomplete_a_shell_starts_in_silence(
    shell_file: str, run_directory: Path
) -> None:
    program = shell_file.partition(".")[2]
    (run_directory / program).symlink_to(f"/usr/bin/{program}")
    path, home = str(run_directory), str(run_directory)
    script = f"source {COMPLETIONS / shell_file}; complete -p vfiod 2>/dev/null; true"
    script = script if program == "bash" else f"source {COMPLETIONS / shell_file}"
    assert shell(path, program, "-c", script, HOME=home) == set()


def test_vfiod_itself_never_loads_it(run_directory: Path) -> None:
    code = "import sys; from vfiod.cli.main import main; main(['check-config', sys.argv[1]]); " \
        "print('argcomplete' in sys.modules)"  # fmt: skip
    config = run_directory / "vfiod.yaml"
    config.write_text("")
    printed = shell(os.environ["PATH"], sys.executable, "-c", code, str(config))
    assert "False" in printed
