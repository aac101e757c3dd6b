"""What libvirt and QEMU can do for guests on this host. Pure.

Source: https://libvirt.org/formatdomaincaps.html
"""

from vfiod.guest import document


def read_hyperv(xml: str) -> frozenset[str] | None:
    """The Hyper-V features that this host offers, by libvirt's names for them.

    None if domain capabilities do not tell, as libvirt's before 9.0. Raises DomainError.
    """
    element = document.read_tree(xml).find("features/hyperv")
    if element is None:
        return None
    if element.get("supported") != "yes":
        return frozenset()
    values = element.iterfind("enum[@name='features']/value")
    return frozenset(value.text for value in values if value.text)
