"""Hosts and guests for the tests of vfiod.tools.tune."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.topologies import materialise
from vfiod.config.performance import Performance
from vfiod.guest import tree
from vfiod.host.facts.cpu import Topology, read_topology
from vfiod.host.facts.performance import Settings
from vfiod.model import PciAddress
from vfiod.tools.tune import change, proposals
from vfiod.tools.tune.facts import Guest, Host, PassedThrough, read_guest

WIN10 = (Path(__file__).parents[3] / "data" / "domains" / "win10.xml").read_text()
LINUX = """\
<domain type='kvm'>
  <name>debian</name>
  <uuid>0d0a6a29-76f8-4b79-9d5a-6f2b5a7e9a11</uuid>
  <memory unit='KiB'>8388608</memory>
  <vcpu placement='static'>6</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
  </os>
  <cpu mode='host-passthrough' check='none' migratable='on'/>
  <clock offset='utc'/>
  <devices>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""
CARD = PciAddress.parse("0000:0a:00.0")
NVIDIA, AMD = 0x10DE, 0x1002


@cache
def topology(name: str) -> Topology:
    """A recorded processor."""
    with tempfile.TemporaryDirectory() as folder:
        return read_topology(materialise(name, Path(folder)))


def host(
    name: str = "ryzen-5-1600",
    *,
    node: int | None = None,
    asked: Performance | None = None,
    **settings: Any,
) -> Host:
    """A recorded host with libvirt 9.0 and QEMU 7.2 of Debian 12, and an NVIDIA card.

    Both sizes of huge pages are mounted, unless it is said otherwise.
    """
    settings = {"mounted": frozenset({2048, 1048576}), **settings}
    card = PassedThrough(CARD, NVIDIA, is_display=True, node=node)
    return Host(topology(name), Settings(**settings), 9_000_000, 7_002_000, (card,), asked)


def with_vcpus(xml: str, count: int) -> str:
    """The definition with so many vCPUs."""
    before, _, rest = xml.partition("<vcpu placement='static'>")
    return f"{before}<vcpu placement='static'>{count}</vcpu>{rest.partition('</vcpu>')[2]}"


def guest(xml: str = WIN10, **changed: Any) -> Guest:
    """The facts of a definition."""
    return replace(read_guest(tree.read(xml)), **changed)


def tuned(xml: str, machine: Host) -> str:
    """The definition with every proposal made."""
    root = tree.read(xml)
    change.apply(root, list(proposals.propose(root, machine)))
    return tree.write(root)
