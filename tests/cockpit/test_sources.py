"""The page's sources: no way for markup, no inline script, and every word in Chinese."""

import json
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "cockpit"
MODULES = [path for path in sorted(PAGE.rglob("*.js")) if not path.name.startswith("po.")]
# Whatever makes elements or code of a text.
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment"
    r"|setHTML|srcdoc|\beval\b|new Function"
)


def spoken() -> set[str]:
    """The words that the modules say."""
    text = "\n".join(path.read_text() for path in MODULES)
    return {json.loads(f'"{word}"') for word in re.findall(r'\bsay\(\s*"((?:[^"\\]|\\.)*)"', text)}


def test_what_the_bus_says_can_only_become_text() -> None:
    assert len(MODULES) > 10
    for path in MODULES:
        assert MARKUP.findall(path.read_text()) == [], path


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    html = (PAGE / "index.html").read_text()
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|https?://", html)
    for path in (*MODULES, PAGE / "vfiod.css"):
        assert not re.search(r"""(from|import|url)\W{1,2}(https?:)?//""", path.read_text()), path


def test_every_module_is_loaded_at_once() -> None:
    html = (PAGE / "index.html").read_text()
    named = set(re.findall(r'(?:href|src)="([\w/]+\.js)"', html))
    assert named == {str(path.relative_to(PAGE)) for path in MODULES} | {"po.js"}


def test_every_word_is_said_in_chinese_and_none_that_nobody_says() -> None:
    text = (PAGE / "po.zh_CN.js").read_text()
    rows = re.findall(r'^    ("[^\n]+"): \[null, ("[^\n]+")\],$', text, re.MULTILINE)
    words = {json.loads(english): json.loads(chinese) for english, chinese in rows}
    assert len(rows) == text.count("[null,")
    assert set(words) == spoken()
    for english, chinese in words.items():
        assert sorted(re.findall(r"\$\d", english)) == sorted(re.findall(r"\$\d", chinese))


def test_the_manifest_asks_for_a_cockpit() -> None:
    manifest = json.loads((PAGE / "manifest.json").read_text())
    assert set(manifest["menu"]) == {"index"}
    assert manifest["menu"]["index"]["label"] in spoken()
    assert "content-security-policy" not in manifest  # Cockpit's own
