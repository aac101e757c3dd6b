"""The reader of the boot configuration, on small trees as each distribution has them."""

from pathlib import Path

import pytest

from vfiod.host.facts import boot
from vfiod.host.facts.boot import Vendor
from vfiod.host.facts.loaders import Loader


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("ident", "vendor"),
    [("GenuineIntel", Vendor.INTEL), ("AuthenticAMD", Vendor.AMD),
     ("HygonGenuine", Vendor.AMD), ("CentaurHauls", Vendor.OTHER)],
)  # fmt: skip
def test_the_processor(tmp_path: Path, ident: str, vendor: Vendor) -> None:
    tree(tmp_path, {"proc/cpuinfo": f"processor\t: 0\nvendor_id\t: {ident}\n"})
    assert boot.read_vendor(tmp_path) is vendor


def test_the_distribution(tmp_path: Path) -> None:
    text = 'PRETTY_NAME="Linux Mint 22"\nID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n'
    found = boot.read_distribution(tree(tmp_path, {"usr/lib/os-release": text}))
    assert found == boot.Distribution("linuxmint", ("ubuntu", "debian"), "22", "Linux Mint 22")


def test_an_empty_tree_is_read_without_complaint(tmp_path: Path) -> None:
    found = boot.read(tmp_path)
    assert (found.loader, found.running, found.configured) == (Loader.UNKNOWN, (), ())
    assert found.distribution == boot.Distribution()


def test_this_machine_is_read() -> None:
    assert boot.read().kernel
