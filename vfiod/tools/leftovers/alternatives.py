"""Drivers that stand in for one another, and which of them is to be freed. Pure.

One driver is enough for a display. Where NVIDIA's own is installed, its rivals are kept away on
purpose; where two drivers of the kernel know the card, one of them may be kept away just as well.
"""

import re
from collections.abc import Collection, Mapping

from vfiod.host.facts.drivers import plain

# Debian's modules are nvidia_current, nvidia_current_drm, nvidia_legacy_390xx … and so on. CUDA's
# nvidia_uvm lights no display.
_NVIDIA = re.compile(r"nvidia(_(current|legacy|tesla|\d)\w*?)?(_drm|_modeset)?")
_NOVA = re.compile(r"nova(_core|_drm)?")
# The first that is there is the one that this host works with: NVIDIA's own was installed for it.
# nova is an experiment of the kernel's.
_FIRST, _USUAL, _LAST = range(3)
_AMDGPU_TAKES_ALL = (6, 19)


def family(module: str) -> str:
    """The driver that a module belongs to: what is of one family works together."""
    name = plain(module)
    for known, pattern in (("nvidia", _NVIDIA), ("nova", _NOVA)):
        if pattern.fullmatch(name):
            return known
    return name


def families(modules: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The alternatives among ``modules``, each with its modules."""
    names = {family(module) for module in modules}
    return {name: frozenset(m for m in modules if family(m) == name) for name in names}


def to_free(
    modules: Collection[str], blocked: Collection[str], favoured: str = ""
) -> frozenset[str]:
    """The smallest set of ``blocked`` modules without which one alternative could load.

    Empty if one can as it is. ``modules`` are those that know the device, ``favoured`` is the
    alternative that this kernel gives it to where several do.
    """
    held = {
        name: frozenset(b for b in blocked if b in members or family(b) == name == "nvidia")
        for name, members in families(modules).items()
    }
    if not all(held.values()):
        return frozenset()
    chosen = min(held, key=lambda n: (_rank(n, favoured), len(held[n]), n), default="")
    return held.get(chosen, frozenset())


def favoured(kernel: tuple[int, int], words: Collection[str]) -> str:
    """Which of amdgpu and radeon takes the old cards (GCN 1 and 2) that both know.

    amdgpu does since Linux 6.19 (commit "drm/amdgpu: Use amdgpu by default on SI/CIK dedicated
    GPUs"), before only if it is told so. ``words`` are all options and lines of modprobe.d.
    """
    asked = any("amdgpu" in text and re.search(r"\b(si|cik)_support=1", text) for text in words)
    return "amdgpu" if asked or kernel >= _AMDGPU_TAKES_ALL else "radeon"


def _rank(name: str, favoured: str) -> int:
    if name in ("nvidia", favoured):
        return _FIRST
    return _LAST if name == "nova" else _USUAL
