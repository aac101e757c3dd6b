"""What is proposed on each recorded processor, reasons included, against files read by a person.

After a change on purpose: python -m tests.unit.tools.tune.test_findings, and read the difference.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.topologies import FOLDER, NAMES
from tests.unit.tools.tune.tuned import WIN10, host, with_vcpus
from vfiod.tools.tune.findings import as_lines, examine
from vfiod.tools.tune.hyperv import KNOWN
from vfiod.tools.tune.placement import Unplaced, place
from vfiod.util import cpulist

SIZES = (2, 4, 5, 6, 8, 12, 16, 20, 24, 30, 32)
WHOLE = 8
CARD_NODE = 1


def golden(name: str) -> Path:
    return FOLDER / f"{name}.golden"


def proposed(name: str) -> str:
    """Cores for guests of all sizes, then everything for one of them."""
    machine = host(name, node=CARD_NODE)
    lines = [line for size in SIZES for line in placed(name, size)]
    whole = as_lines(examine(with_vcpus(WIN10, WHOLE), machine))
    return "\n".join([*lines, f"\nWindows with {WHOLE} vCPUs", *whole]) + "\n"


def placed(name: str, vcpus: int) -> Iterator[str]:
    found = place(host(name).topology, vcpus, CARD_NODE)
    if isinstance(found, Unplaced):
        yield f"{vcpus}: {found.reason}; {found.remedy}"
        return
    pins = " ".join(cpulist.write(pin) for pin in found.pins)
    node = "" if found.node is None else f", memory of node {found.node}"
    yield f"{vcpus}: {found.why}"
    yield f"    pins {pins}; host {cpulist.write(found.host)}{node}"
    yield f"    seen as {found.dies} x {found.cores} cores x {found.threads} threads"


@pytest.mark.parametrize("name", NAMES)
def test_proposals(name: str) -> None:
    assert proposed(name).splitlines() == golden(name).read_text().splitlines()


def test_hyperv_features_are_those_that_this_host_has() -> None:
    offered = frozenset({"spinlocks", "vendor_id"})
    found = examine(WIN10, replace(host(), hyperv=offered))
    assert "hyperv" not in {change.name for change in found.changes}  # it has spinlocks
    assert "hypervclock" not in str([c.edits for c in found.changes])
    everything = frozenset(known.name for known in KNOWN)
    assert examine(WIN10, replace(host(), hyperv=everything)) == examine(WIN10, host())


def test_a_feature_that_this_host_has_not_is_told_and_left() -> None:
    xml = WIN10.replace("</hyperv>", "<vpindex state='on'/></hyperv>")
    found = examine(xml, replace(host(), hyperv=frozenset({"spinlocks"})))
    (told,) = [a for a in found.advice if a.name == "hyperv"]
    assert told.fact.endswith("relaxed, vapic, vpindex")
    assert "edit win10" in told.remedy
    assert not [a for a in examine(xml, host()).advice if a.name == "hyperv"]


def test_in_short_the_features_of_hyperv_are_one_line() -> None:
    found = examine(WIN10, host())
    short = list(as_lines(found, details=False))
    (line,) = [line for line in short if line.startswith("  hyperv ")]
    assert "vpindex, runtime, synic, stimer" in line
    assert "stimer direct (see --details)" in line
    others = [line for line in as_lines(found) if not line.startswith("  hyperv ")]
    assert [text for text in short if text != line] == others


if __name__ == "__main__":
    for each in NAMES:
        golden(each).write_text(proposed(each))
