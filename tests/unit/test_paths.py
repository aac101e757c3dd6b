"""Every path stands in paths.py, and there alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

from vfiod import paths

PRODUCT = Path(paths.__file__).parent
OWN = {str(value) for value in vars(paths).values() if isinstance(value, Path)} | {paths.PROGRAM}


def strings(module: Path) -> Iterator[str]:
    """The texts of a module that are nothing but a path; prose may name one."""
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield f"/{node.value.lstrip('/')}"


def test_no_other_module_has_a_path_of_its_own() -> None:
    others = (path for path in PRODUCT.rglob("*.py") if path.name != "paths.py")
    found = {(str(m.relative_to(PRODUCT)), s) for m in others for s in strings(m) if s in OWN}
    # What a recording takes along is a list of patterns below a root.
    assert {name for name, _ in found} <= {"tools/recording/record.py"}


def test_a_path_below_a_root() -> None:
    assert paths.below(Path("/tree"), paths.JOURNAL) == Path("/tree/run/vfiod/journal.json")
