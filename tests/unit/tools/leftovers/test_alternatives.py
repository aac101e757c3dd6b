"""One driver is enough: which blocks must go, and which are none of a leftover."""

import pytest

from vfiod.tools.leftovers.alternatives import family, favoured, to_free


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("nvidia", "nvidia"), ("nvidia-drm", "nvidia"), ("nvidia_modeset", "nvidia"),
        ("nvidia_current_drm", "nvidia"), ("nvidia_legacy_390xx", "nvidia"),
        ("nvidia_uvm", "nvidia_uvm"), ("nvidiafb", "nvidiafb"), ("nova_core", "nova"),
        ("nvidia_wmi_ec_backlight", "nvidia_wmi_ec_backlight"), ("amdgpu", "amdgpu"),
    ],
)  # fmt: skip
def test_modules_belong_to_a_driver(module: str, name: str) -> None:
    assert family(module) == name


@pytest.mark.parametrize(
    ("modules", "blocked", "freed"),
    [
        ("nvidia nvidia_drm nouveau", "nvidia nvidia_drm nouveau", "nvidia nvidia_drm"),
        ("nvidia nvidia_drm nouveau", "nouveau", ""),
        ("nvidia nvidia_drm nouveau", "nvidia nvidia_drm", ""),
        ("nvidia nvidia_drm nouveau", "nouveau nvidia_drm", "nvidia_drm"),
        ("nvidia nouveau nova_core", "nvidia nouveau nova_core", "nvidia"),
        ("nvidia nouveau", "nvidia nvidia_modeset nouveau", "nvidia nvidia_modeset"),
        ("nouveau nova_core", "nouveau nova_core", "nouveau"),
        ("nouveau nova_core", "nova_core", ""),
        ("amdgpu radeon", "amdgpu radeon", "radeon"),
        ("amdgpu radeon", "amdgpu", ""),
        ("amdgpu", "amdgpu radeon", "amdgpu"),
        ("i915 xe", "i915 xe", "i915"),
        ("", "amdgpu", ""),
    ],
)  # fmt: skip
def test_only_the_smallest_set_that_frees_one_driver(
    modules: str, blocked: str, freed: str
) -> None:
    assert to_free(modules.split(), blocked.split(), "radeon") == frozenset(freed.split())


@pytest.mark.parametrize(
    ("kernel", "words", "name"),
    [
        ((6, 12), [], "radeon"),
        ((6, 19), [], "amdgpu"),
        ((6, 12), ["amdgpu.si_support=1"], "amdgpu"),
        ((6, 12), ["options amdgpu si_support=1 cik_support=1"], "amdgpu"),
        ((6, 12), ["radeon.si_support=1"], "radeon"),
    ],
)
def test_who_takes_the_old_cards_of_amd(
    kernel: tuple[int, int], words: list[str], name: str
) -> None:
    assert favoured(kernel, words) == name
