"""Output that nobody reads, or that has no place, of the program as it is run."""

import os
import subprocess
import sys

import pytest

# A status that fits into the buffer, as of a service that is in this phase.
PROGRAM = """
import sys
from vfiod.bus import connection
from vfiod.cli import client, main
connection.Bus = object
class Client:
    def __init__(self, bus):
        pass
    def status(self):
        return {"phase": sys.argv[1], "guest": None, "seconds": None, "faults": []}
client.Client = Client
sys.exit(main.main(sys.argv[2:]))
"""


def run(*words: str, stdout: "int | None", phase: str = "host") -> tuple[int, str]:
    """Exit status, and what is said on standard error. None: standard output is closed."""
    command = [sys.executable, "-c", PROGRAM, phase, *words]
    if stdout is None:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    return done.returncode, done.stderr


WORDS = [["--help"], ["--version"], ["help"], ["status", "--help"], ["status", "--json"]]


@pytest.mark.parametrize("words", WORDS)
def test_a_reader_that_has_gone_is_no_fault_to_tell(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert run(*words, stdout=writer) == (1, "")
    os.close(writer)


@pytest.mark.parametrize("words", WORDS)
def test_what_has_no_room_is_told_in_a_line(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        status, said = run(*words, stdout=full.fileno())
    assert (status, said) == (1, "vfiod: its output cannot be written: No space left on device\n")


@pytest.mark.parametrize("words", WORDS)
def test_without_a_standard_output_it_goes_nowhere(words: list[str]) -> None:
    assert run(*words, stdout=None) == (0, "")


def test_what_the_command_has_found_is_not_forgotten_for_that() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert run("status", "--json", stdout=writer, phase="stuck") == (7, "")
    os.close(writer)
