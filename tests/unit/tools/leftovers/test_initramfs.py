"""Lists of an initramfs, over however many lines."""

from pathlib import Path

import pytest

from tests.unit.tools.leftovers.test_find import found
from vfiod.tools.leftovers.classify import Effect
from vfiod.tools.leftovers.find import Kind


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("mkinitcpio.conf", "HOOKS=(base)\nMODULES=(\n  # mine\n  vfio_pci\n  amdgpu\n)\n", 2),
        ("mkinitcpio.conf.d/v.conf", "MODULES+=(vfio vfio-pci)\n", 1),
        ("dracut.conf.d/v.conf", 'compress="zstd"\nadd_drivers+="\n vfio\n vfio-pci\n "\n', 2),
        ("booster.yaml", "universal: true\nmodules_force_load: vfio_pci,vfio\n", 2),
    ],
)  # fmt: skip
def test_lists_that_load_vfio_pci_early(tmp_path: Path, file: str, text: str, place: int) -> None:
    (leftover,) = found(tmp_path, {f"etc/{file}": text})
    assert (leftover.place, leftover.kind) == (f"/etc/{file}:{place}", Kind.OTHER)
    assert leftover.effect is Effect.ASSISTS


def test_options_that_dracut_builds_in(tmp_path: Path) -> None:
    text = 'kernel_cmdline="quiet\n  vfio-pci.ids=1002:67df"\n'
    (leftover,) = found(tmp_path, {"etc/dracut.conf.d/v.conf": text})
    assert (leftover.effect, leftover.span) == (Effect.DEFEATS, 2)


@pytest.mark.parametrize("text", ["MODULES=(\n vfio_pci", "MODULES=(amdgpu)\n# vfio_pci\n", "=(\n"])
def test_other_text_is_no_list(tmp_path: Path, text: str) -> None:
    assert not found(tmp_path, {"etc/mkinitcpio.conf": text})
