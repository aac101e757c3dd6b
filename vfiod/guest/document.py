"""The text of domain XML -> its elements. Pure.

It comes from libvirt or from whoever may edit a domain, so it is read with suspicion: no document
type, no entities of its own, bounded size and depth.
"""

from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from vfiod.errors import DomainError

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64

HINT = "see it with: virsh --connect qemu:///system dumpxml GUEST"


def read_tree(xml: str) -> Element:
    """The elements of domain XML, for readers of more of it. Raises DomainError.

    A namespace stands before the name it belongs to, as ``URI}name``.
    """
    try:
        data = xml.encode()
    except UnicodeEncodeError:
        refuse("the domain XML is not valid Unicode")
    if len(data) > MAX_BYTES:
        refuse(f"the domain XML is larger than {MAX_BYTES // 1024**2} MiB")
    try:
        return _Reader().read(data)
    except expat.ExpatError as error:
        where = f"line {error.lineno}, column {error.offset + 1}"
        what = f"the domain XML is not well formed: {expat.ErrorString(error.code)} at {where}"
        raise DomainError(what, hint=HINT) from error


def refuse(what: str) -> NoReturn:
    """Raise DomainError."""
    raise DomainError(what, hint=HINT)


class _Reader:
    """Expat's events into a tree. Expat itself stops at the first exception, ElementTree's
    parser would read on: so a document type is refused before its entities are expanded.
    """

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = 0
        self._expat = expat.ParserCreate("utf-8", "}")
        self._expat.buffer_text = True
        self._expat.StartDoctypeDeclHandler = self._doctype
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._builder.data

    def read(self, xml: bytes) -> Element:
        is_final = True
        self._expat.Parse(xml, is_final)
        return self._builder.close()

    def _doctype(self, *_: object) -> None:
        refuse("the domain XML has a document type (DOCTYPE), which libvirt never writes")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            refuse(f"the domain XML is nested deeper than {MAX_DEPTH} elements")
        self._builder.start(tag, attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._builder.end(tag)
