"""What is printed at length, at four widths and in a pipe, as people have read and approved it.

To renew it: UPDATE_GOLDEN=1, and read what git diff says.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenes import SCENES
from tests.terminal import run_at_terminal

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/data/printed"
WIDTHS = (40, 60, 80, 120)
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_FOLDER = re.compile(r"/tmp/vfiod-printed-\w+")
_COMMAND = re.compile(r" *(sudo|vfiod|virsh|systemctl|journalctl) ")
_DIFFERENCE = re.compile(r"[-+@]| \S")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def at_terminal(scene: str, columns: int) -> str:
    _, said = run_at_terminal([sys.executable, "-m", "tests.scenes", scene], columns=columns)
    return _FOLDER.sub("/PC", _STYLE.sub("", said))


def in_a_pipe(scene: str) -> str:
    command = [sys.executable, "-m", "tests.scenes", scene]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return _FOLDER.sub("/PC", done.stderr + done.stdout)


@pytest.mark.parametrize("encoding", ["iso8859-1", "iso8859-15", "ascii", "utf-8"])
def test_an_encoding_without_a_character_is_no_reason_to_end(encoding: str) -> None:
    text = "caf\u00e9 \u201cin use\u201d \u2026"
    program = f"""from vfiod.cli import main, terminal
try:
    main.main(["--version"])
except SystemExit:
    terminal.say({text!a})
    terminal.console().print({text!a})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False,
                          env=os.environ | {"PYTHONIOENCODING": encoding})  # fmt: skip
    assert done.stderr == b""
    assert done.stdout.splitlines()[1:] == [text.encode(encoding, "replace")] * 2


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_printed(scene: str) -> None:
    texts = {"a pipe": in_a_pipe(scene)}
    texts |= {f"{columns} columns": at_terminal(scene, columns) for columns in WIDTHS}
    said = "\n".join(f"==== {where}\n{text}" for where, text in texts.items())
    path = GOLDEN / f"{scene}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")
    assert "\x1b" not in texts["a pipe"]
    for columns in WIDTHS:
        wide = [line for line in texts[f"{columns} columns"].splitlines() if len(line) > columns]
        assert not [line for line in wide if not _may_be_wide(line)]


def _may_be_wide(line: str) -> bool:
    """A command, a path, or a line of a difference: broken in two it could not be copied."""
    return bool(_COMMAND.match(line) or _DIFFERENCE.match(line)) or len(line.split()) == 1
