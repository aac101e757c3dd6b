"""The Nix flake and NixOS module: evaluated over a stub of nixpkgs, and installed as they say.

What the package gives to make is given to make here, with a folder in the place of the store's.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STUB = Path(__file__).with_name("nixpkgs.nix")
STORE = "/nix/store/vfiod"


def evaluate(*options: str) -> str:
    """What Nix makes of the stub; it needs neither a network nor a store for that."""
    done = subprocess.run(
        ["nix-instantiate", *options, STUB],
        env={"PATH": "/usr/bin:/bin", "NIX_REMOTE": "dummy://", "HOME": "/nonexistent"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def nix() -> Any:
    return json.loads(evaluate("--eval", "--strict", "--json"))


@pytest.fixture(scope="module")
def out(nix: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the package's derivation installs, with this interpreter for NixOS's."""
    top = tmp_path_factory.mktemp("store") / "vfiod"
    flags = [flag.replace(nix["out"], str(top)) for flag in nix["makeFlags"]]
    flags = [flag for flag in flags if not flag.startswith("PYTHON=")]
    make(*nix["installTargets"], *flags, f"PYTHON={sys.executable}")
    return top


def make(*words: str) -> None:
    done = subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def names(top: Path) -> list[str]:
    return sorted(path.name for path in top.rglob("*") if path.is_file() and path.suffix != ".pyc")


def stored(value: Any) -> set[str]:
    """All files of vfiod's package that a machine's configuration names."""
    return set(re.findall(rf"{STORE}/([^\s\"]+)", json.dumps(value)))


def test_all_of_it_goes_below_the_package(out: Path, tmp_path: Path) -> None:
    """The list of files is the Makefile's, as for every other package."""
    make("install", f"DESTDIR={tmp_path}", "prefix=/usr")
    assert names(out) == names(tmp_path)


def test_the_version_is_that_of_the_release(nix: Any) -> None:
    assert f'version = "{nix["version"]}"' in (ROOT / "pyproject.toml").read_text()


def test_the_command_starts(out: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [out / "bin/vfiod", "--help"], cwd="/", env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_what_names_a_place_names_nixos_s(out: Path) -> None:
    unit = (out / "lib/systemd/system/vfiod.service").read_text()
    assert f"ExecStart={out}/bin/vfiod daemon" in unit
    assert "ReadWritePaths=-/var/lib/libvirt " in unit
    hook = (out / "share/vfiod/hooks/qemu").read_text()
    assert f"vfiod={out}/bin/vfiod" in hook
    paths = (out / "lib/vfiod/vfiod/paths.py").read_text()
    assert 'LIBVIRT = Path("/var/lib/libvirt")' in paths
    assert f'PROGRAM = "{out}/bin/vfiod"' in paths
    assert f'HOOK_SOURCE = Path("{out}/share/vfiod/hooks/qemu")' in paths


def test_the_typelibs_of_gio_are_found(nix: Any) -> None:
    assert re.match(r"wrapProgram \$out/bin/vfiod --prefix GI_TYPELIB_PATH : /", nix["postInstall"])


def test_nothing_is_there_until_it_is_enabled(nix: Any) -> None:
    assert nix["plain"] == {}


def test_enabled_it_is_all_there(nix: Any) -> None:
    enabled = nix["enabled"]
    assert STORE in enabled["environment"]["systemPackages"]
    assert enabled["services"]["dbus"]["packages"] == [STORE]
    assert enabled["security"]["polkit"]["enable"]
    assert enabled["systemd"]["packages"] == [STORE]
    assert enabled["systemd"]["services"] == {"vfiod": {"wantedBy": ["multi-user.target"]}}
    hooks = enabled["virtualisation"]["libvirtd"]["hooks"]["qemu"]
    assert hooks == {"50-vfiod": f"{STORE}/share/vfiod/hooks/qemu"}


@pytest.mark.parametrize("machine", ["enabled", "declared"])
def test_what_a_machine_takes_from_the_package_is_in_it(nix: Any, out: Path, machine: str) -> None:
    taken = stored(nix[machine])
    assert taken
    assert not [file for file in taken if not (out / file).is_file()]


@pytest.mark.parametrize(
    "file",
    [
        "lib/systemd/system/vfiod.service",
        "share/dbus-1/system.d/org.vfiod1.conf",
        "share/dbus-1/system-services/org.vfiod1.service",
        "share/polkit-1/actions/org.vfiod1.policy",
        "share/man/man1/vfiod.1",
        "share/man/man5/vfiod.yaml.5",
        "share/man/man8/vfiod.service.8",
        "share/bash-completion/completions/vfiod.bash",
        "share/zsh/site-functions/_vfiod",
        "share/fish/vendor_completions.d/vfiod.fish",
    ],
)
def test_what_nixos_looks_for_in_a_package_is_where_it_looks(out: Path, file: str) -> None:
    assert (out / file).is_file()


def test_the_configuration_is_made_once_or_declared(nix: Any) -> None:
    rules = nix["enabled"]["systemd"]["tmpfiles"]["rules"]
    template = f"{STORE}/share/vfiod/vfiod.yaml"
    assert f"C /etc/vfiod/vfiod.yaml 0644 root root - {template}" in rules
    declared = nix["declared"]
    assert declared["systemd"]["tmpfiles"]["rules"] == []
    assert declared["environment"]["etc"]["vfiod/vfiod.yaml"]["source"] == "/somewhere/vfiod.yaml"


def test_it_asks_for_libvirt(nix: Any) -> None:
    assert all(one["assertion"] for one in nix["enabled"]["assertions"])
    (refused,) = [one for one in nix["alone"]["assertions"] if not one["assertion"]]
    assert "virtualisation.libvirtd.enable" in refused["message"]
