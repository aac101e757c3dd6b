"""Every module comes up by itself: what one needs, no other has to have imported before."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Each in a child of its own, forked from an interpreter with nothing but what Python itself brings.
_EACH = """
import argparse, collections, dataclasses, importlib, json, logging, os, pathlib, re, subprocess
import sys, tempfile, traceback, typing
failed = 0
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, traceback.format_exc(), sep="\\n", flush=True)
            os._exit(1)
        os._exit(0)
    failed |= os.waitpid(child, 0)[1]
sys.exit(failed != 0)
"""


def test_every_module_can_be_imported_first() -> None:
    files = sorted((ROOT / "vfiod").rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    modules = [name.removesuffix(".__init__") for name in names if name != "vfiod.__main__"]
    assert "vfiod.bus.connection" in modules
    done = subprocess.run(
        [sys.executable, "-c", _EACH, *modules],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
