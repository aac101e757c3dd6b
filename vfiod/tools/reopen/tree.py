"""The windows of sway and i3: where they are, and what puts one there again (i3: IPC). Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vfiod.tools.reopen.opened import Window

# Names that the command language takes as they stand, quoted (sway(5), i3's user guide).
_WORKSPACE = re.compile(r"[\w :.,+-]{1,64}")
_SCRATCHPAD = "__i3_scratch"
_DEEPEST = 100


def windows(text: str) -> Iterator[tuple[int, Window]]:
    """Each window and its number, from what get_tree answers. Raises ValueError for anything else.

    Wayland's have an app_id, those on X11 a class.
    """
    try:
        yield from _below(json.loads(text), "", 0)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a tree of windows: {error!r}") from error


def _below(node: Mapping[str, Any], workspace: str, depth: int) -> Iterator[tuple[int, Window]]:
    if depth > _DEEPEST:
        raise ValueError("a tree without an end")
    if node["type"] == "workspace":
        workspace = "" if node["name"] == _SCRATCHPAD else str(node["name"])
    app = node.get("app_id") or (node.get("window_properties") or {}).get("class") or ""
    if app or (node.get("pid") and node["type"] in ("con", "floating_con")):
        yield int(node["id"]), Window(str(app), int(node.get("pid") or 0), workspace)
    for child in (*node.get("nodes", ()), *node.get("floating_nodes", ())):
        yield from _below(child, workspace, depth + 1)


def moving(number: int, workspace: str) -> str | None:
    """The command that moves a window; None for a workspace whose name it cannot have in it."""
    if not _WORKSPACE.fullmatch(workspace):
        return None
    return f'[con_id={number}] move --no-auto-back-and-forth container to workspace "{workspace}"'
