"""Modules that an initramfs is told to load, in the configuration of those that build it.

dracut.conf(5) and mkinitcpio.conf(5) are shell: an array or a list of words, often over several
lines. booster's is YAML, with names between commas (https://github.com/anatol/booster). rpm-ostree
keeps a list of arguments for dracut.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from vfiod.host.facts.drivers import plain
from vfiod.host.facts.textfiles import Line, joined_assignments, read_lines
from vfiod.tools.leftovers.classify import Classifier, Effect, Verdict

SHELL = (
    "etc/dracut.conf",
    "etc/dracut.conf.d/*.conf",
    "etc/mkinitcpio.conf",
    "etc/mkinitcpio.conf.d/*.conf",
    "etc/mkinitcpio.d/*.preset",
)
BOOSTER = "etc/booster.yaml"
# What rpm-ostree(1), initramfs --arg=…, was told for each deployment.
ORIGINS = "ostree/deploy/*/deploy/*.origin"
FILES = (*SHELL, BOOSTER, ORIGINS)
_EARLY = Verdict(Effect.ASSISTS, "puts vfio-pci into the initramfs and loads it early")


def read(root: Path, classifier: Classifier) -> Iterator[tuple[Line, Verdict]]:
    """Lines that load vfio-pci, and kernel options that dracut builds in."""
    for line in joined_assignments(read_lines(root, *SHELL)):
        verdict = _shell(line.text, classifier)
        if verdict:
            yield line, verdict
    for line in read_lines(root, BOOSTER, ORIGINS):
        if "vfio_pci" in map(plain, re.split(r"[\s,;:=\"'\[\]]+", line.text)):
            yield line, _EARLY


def _shell(text: str, classifier: Classifier) -> Verdict | None:
    name, _, value = text.partition("=")
    words = value.replace("(", " ").replace(")", " ").replace('"', " ").replace("'", " ").split()
    if name.rstrip("+") == "kernel_cmdline":
        verdicts = filter(None, map(classifier.option, words))
        return next((v for v in verdicts if v.effect is not Effect.HARMLESS), None)
    return _EARLY if "vfio_pci" in map(plain, words) else None
