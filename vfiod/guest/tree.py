"""Domain XML as a tree that can be edited: what is not touched is written as it was read.

Comments, order, unknown elements and namespaces stay; only the declaration of a namespace moves
to the front of its tag, where it means the same. Text that vfiod.guest.domain refuses is not read.
"""

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from lxml import etree

from vfiod.guest import domain

_INDENT = "  "  # as libvirt writes it
# A comment, CDATA section, processing instruction or tag: only in a tag are there attributes.
_MARKUP = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<[^!?][^>]*>", re.DOTALL)
_ATTRIBUTE = re.compile(r'="([^"]*)"')


def read(xml: str) -> Any:
    """The root element of domain XML. Raises DomainError as vfiod.guest.domain.parse does.

    That reader comes first, with its bounds on size and depth, and no document type gets past
    it: so this one meets no entities. It opens no file and no connection all the same.
    """
    domain.parse(xml)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, strip_cdata=False
    )
    return etree.fromstring(xml.encode(), parser)


def write(root: Any) -> str:
    """The document as text, with attributes in single quotes as libvirt writes them."""
    text = etree.tostring(root.getroottree(), encoding="unicode")
    return _MARKUP.sub(_in_single_quotes, text) + "\n"


def tidy(xml: str) -> str:
    """The same document as ``write`` gives it, so that a difference shows edits and no style."""
    return write(read(xml))


def insert(parent: Any, child: Any, *, after: Any = None) -> None:
    """Put a new child behind another one, or last, on lines of its own."""
    level = sum(1 for _ in parent.iterancestors()) + 1
    etree.indent(child, space=_INDENT, level=level)
    before = after if after is not None else (parent[-1] if len(parent) else None)
    if before is None:
        parent.text, child.tail = _line(level), _line(level - 1)
        parent.append(child)
    else:
        # Not addnext(): what becomes of the tail there depends on lxml's version.
        child.tail, before.tail = before.tail, _line(level)
        parent.insert(parent.index(before) + 1, child)


def insert_first(parent: Any, child: Any) -> None:
    """Put a new child before all others, on lines of its own."""
    if not len(parent):
        insert(parent, child)
        return
    etree.indent(child, space=_INDENT, level=sum(1 for _ in parent.iterancestors()) + 1)
    child.tail = parent.text
    parent.insert(0, child)


def remove(child: Any) -> None:
    """Take an element out together with its line."""
    parent, before = child.getparent(), child.getprevious()
    is_last = child.getnext() is None
    if is_last and before is not None:
        before.tail = child.tail
    elif is_last:
        parent.text = None
    parent.remove(child)


def exchange(parent: Any, old: Sequence[Any], new: Sequence[Any]) -> list[Any]:
    """Put copies of ``new`` where the first of ``old``, children of the parent, was; give them."""
    place = old[0].getprevious() if old else None
    for child in old:
        remove(child)
    copies = [deepcopy(child) for child in new]
    for copy in copies:
        insert(parent, copy, after=place)
        place = copy
    return copies


def form(root: Any) -> list[tuple[Any, ...]]:
    """All that is in a tree but comments and the spaces between its elements."""
    return [(e.tag, dict(e.attrib), (e.text or "").strip()) for e in root.iter("*")]


def _line(level: int) -> str:
    return "\n" + _INDENT * level


def _in_single_quotes(match: re.Match[str]) -> str:
    markup = match[0]
    return markup if markup.startswith(("<!", "<?")) else _ATTRIBUTE.sub(_requote, markup)


def _requote(match: re.Match[str]) -> str:
    value = match[1].replace("'", "&apos;").replace("&quot;", '"')
    return f"='{value}'"
