"""Turns a recording into a PC of the corpus, for a person to read through and to complete:

build/venv/bin/python -m tests.corpus machine.yaml > tests/data/corpus/NAME.txt
"""

import sys
import tempfile
from pathlib import Path

from tests.corpus.write import write
from vfiod.tools.recording import format

ABOUT = "Which PC it is, and where that is known from; nobody's name."


def main(file: str) -> None:
    """Print the PC recorded in ``file``."""
    recording = format.load(Path(file).read_text(encoding="utf-8"))
    about = ABOUT if recording.about.startswith("Recorded by") else recording.about
    with tempfile.TemporaryDirectory() as name:
        format.materialise(recording, Path(name))
        sys.stdout.write(write(Path(name), about))


if __name__ == "__main__":
    main(sys.argv[1])
