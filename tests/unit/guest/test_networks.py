"""What a guest's network interfaces need of the host."""

import pytest

from tests.fakes import pcs
from vfiod.guest import domain
from vfiod.guest.opened import Opened


def read(inside: str) -> list[Opened]:
    """What is opened besides the disk that each definition of the model has."""
    xml = pcs.xml(()).replace("</devices>", f"{inside}</devices>")
    return list(domain.parse(xml).opened[1:])


def test_a_network_is_up_or_starts_by_itself() -> None:
    (found,) = read("<interface type='network'><source network='nat'/></interface>")
    assert found.paths == (
        "/etc/libvirt/qemu/networks/autostart/nat.xml",
        "/run/libvirt/network/nat.xml",
    )
    assert (found.name, found.lack) == ("nat", "is not active")
    assert "sudo virsh --connect qemu:///system net-start nat\n" in found.remedy
    assert "sudo virsh --connect qemu:///system net-autostart nat\n" in found.remedy


def test_what_libvirt_adds_to_a_network_of_a_guest_that_runs() -> None:
    source = "<source network='nat' portid='0d0a6a29' bridge='virbr0' portgroup='lan'/>"
    (found,) = read(f"<interface type='network'>{source}</interface>")
    assert found.name == "nat"


@pytest.mark.parametrize(
    ("inside", "path"),
    [
        ("<interface type='bridge'><source bridge='br0'/></interface>", "/sys/class/net/br0"),
        ("<interface type='direct'><source dev='enp5s0' mode='bridge'/></interface>",
         "/sys/class/net/enp5s0"),
        ("<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>",
         "/dev/vhost-vdpa-0"),
    ],
)  # fmt: skip
def test_interfaces_of_the_host(inside: str, path: str) -> None:
    (found,) = read(inside)
    assert found.paths[-1] == path
    assert not found.lack


def test_a_bridge_may_be_made_by_somebody_s_hook_at_the_start() -> None:
    (found,) = read("<interface type='bridge'><source bridge='br0'/></interface>")
    assert found.paths == ("/etc/libvirt/hooks/qemu", "/sys/class/net/br0")


@pytest.mark.parametrize(
    "inside",
    [
        "<interface type='user'/>",
        "<interface type='bridge'><source bridge='ovs'/><virtualport type='openvswitch'/>"
        "</interface>",
        "<interface type='bridge'><virtualport type='midonet'/></interface>",
        "<interface type='network'><source network='../../../etc/passwd'/></interface>",
        "<interface type='vdpa'><source dev='vdpa'/></interface>",
        "<interface type='vhostuser'><source type='unix' path='/run/x' mode='client'/></interface>",
        "<interface type='bridge'/>",
        "<interface/>",
    ],
)
def test_what_is_not_looked_for(inside: str) -> None:
    assert read(inside) == []
