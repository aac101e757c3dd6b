"""What a definition says about a guest in words: its title, and the system in it. Pure."""

from dataclasses import dataclass

from vfiod.guest.document import read_tree

# Where virt-install keeps libosinfo's id (https://libosinfo.org; libvirt: formatdomain, metadata).
_OS = "http://libosinfo.org/xmlns/libvirt/domain/1.0}os"
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Description:
    """``system`` is libosinfo's id, e.g. http://microsoft.com/win/11; both empty if not told."""

    title: str = ""
    system: str = ""


def read(xml: str) -> Description:
    """Read them from domain XML. Raises DomainError."""
    root = read_tree(xml)
    found = next((element for element in root.iter() if element.tag == _OS), None)
    return Description(
        title=_plain(root.findtext("title") or ""),
        system=_plain("" if found is None else found.get("id", "")),
    )


def _plain(text: str) -> str:
    """One line without control characters: it is shown in menus."""
    words = "".join(sign if sign.isprintable() else " " for sign in text).split()
    return " ".join(words)[:_MAX_TEXT]
