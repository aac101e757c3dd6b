"""Windows of sway and i3, and moving one."""

import json
from typing import Any

import pytest

from vfiod.tools.reopen.opened import Window
from vfiod.tools.reopen.tree import moving, windows


def node(kind: str, number: int, *nodes: Any, floating: tuple[Any, ...] = (), **more: Any) -> Any:
    return {"type": kind, "id": number, "name": None, "nodes": [*nodes],
            "floating_nodes": [*floating], **more}  # fmt: skip


MPV = node("con", 4, app_id="mpv", pid=7)
FOOT = node("floating_con", 7, app_id="foot", pid=70)
TREE = node(
    "root", 1,
    node("output", 2, node("workspace", 3, MPV, name="__i3_scratch"), name="__i3"),
    node("output", 5,
         node("workspace", 6, floating=(FOOT,), name="1"),
         node("workspace", 8,
              node("con", 9,
                   node("con", 10, app_id=None, pid=71, window_properties={"class": "Firefox-esr"}),
                   node("con", 11, app_id="", pid=72)),
              name="2: web"), name="DP-1"),
)  # fmt: skip


def test_each_window_with_its_workspace() -> None:
    """sway's answer; one on the scratchpad has none, one without a name has its process."""
    assert list(windows(json.dumps(TREE))) == [
        (4, Window("mpv", 7, "")),
        (7, Window("foot", 70, "1")),
        (10, Window("Firefox-esr", 71, "2: web")),
        (11, Window("", 72, "2: web")),
    ]


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", "[" * 20000])
def test_anything_else_is_no_tree(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(windows(text))


def test_a_tree_without_end_is_none() -> None:
    deep: Any = node("con", 0)
    for number in range(200):
        deep = node("con", number, deep)
    with pytest.raises(ValueError, match="without an end"):
        list(windows(json.dumps(deep)))


def test_a_window_is_moved() -> None:
    command = moving(10, "2: web")
    assert command is not None
    assert command.startswith("[con_id=10] move ")
    assert command.endswith('container to workspace "2: web"')


@pytest.mark.parametrize("name", ['a"; exec rm', "a;b", "", "a\nb", "$x", "x" * 65, "next\\"])
def test_a_workspace_whose_name_would_be_a_command_is_none(name: str) -> None:
    assert moving(10, name) is None
