"""Builds the lab's root image with mmdebstrap: an ext4 file with kernel and initrd beside it."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import cache, payload, recipe
from .waiting import LabError

HERE = Path(__file__).parent
FALLBACK_MIRROR = "http://deb.debian.org/debian"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Image:
    """A bootable disk; `disk` is never written to."""

    name: str
    disk: Path
    format: str
    kernel: Path
    initrd: Path
    key: Path
    desktop: str = "lightdm"
    state: Path | None = None  # memory to wake up from, instead of booting


def base(suite: str, desktop: str = "lightdm") -> Image:
    """The image of `suite` with a desktop, built now if the cache does not have it."""
    name = f"base-{suite}-{desktop}-{_key(suite, desktop)}"
    folder = cache.entry(name, lambda work: _build(suite, desktop, work))
    kernel, initrd = folder / "vmlinuz", folder / "initrd"
    return Image(name, folder / "root.img", "raw", kernel, initrd, ssh_key(), desktop)


def ssh_key() -> Path:
    """The private key every lab accepts, made once per cache."""
    path = cache.root() / "id_ed25519"
    with cache.lock("id_ed25519"):
        if not path.exists():
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(path)]
            subprocess.run(command, check=True)
    return path


def mirror() -> str:
    """The Debian mirror this machine's apt uses, so that the lab comes from the same place."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [line.rstrip("/") for line in done.stdout.split() if line.startswith("http")]
    return found[0] if found else FALLBACK_MIRROR


def _key(suite: str, desktop: str) -> str:
    """All that goes in; the place of the tree and the mirror make no difference."""
    script = (HERE / "customise.sh").read_bytes() + _desktop_script(desktop).read_bytes()
    public = ssh_key().with_suffix(".pub").read_bytes()
    packages = recipe.packages(desktop)
    command = " ".join((*packages, *recipe.COMPILER, *recipe.LEFT_OUT, _INITRAMFS))
    files = cache.tree_digest(HERE / "rootfs") + cache.tree_digest(HERE / "driver")
    return cache.key(suite, command, script, public, files, *payload.SCRIPTS.values())


def _desktop_script(desktop: str) -> Path:
    return HERE / "desktops" / f"{desktop}.sh"


def _build(suite: str, desktop: str, work: Path) -> None:
    if os.geteuid() != 0:
        raise LabError("building the image needs root (mmdebstrap writes files of other owners)")
    log.info("building the %s image with %s; about three minutes", suite, desktop)
    disks = work / "disks"
    disks.mkdir()
    payload.write_disks(disks)
    tree = work / "tree"
    with (cache.root() / f"build-{suite}-{desktop}.log").open("w") as output:
        _checked(_mmdebstrap(suite, desktop, tree, disks), output.name)
        _take_kernel(tree, work)
        _checked(_mke2fs(tree, work / "root.img"), output.name)
    shutil.rmtree(tree)
    shutil.rmtree(disks)


def _checked(command: list[str], logfile: str) -> None:
    """Run a long command into the log; its last lines are the error message."""
    with open(logfile, "a") as output:
        done = subprocess.run(command, stdout=output, stderr=output, check=False)
    if done.returncode:
        tail = "\n".join(Path(logfile).read_text(errors="replace").splitlines()[-15:])
        raise LabError(f"{command[0]} failed, see {logfile}:\n{tail}")


def _mmdebstrap(suite: str, desktop: str, tree: Path, disks: Path) -> list[str]:
    public_key = ssh_key().with_suffix(".pub")
    compiler = f"COMPILER={' '.join(recipe.COMPILER)}"
    customise = shlex.join(["env", compiler, "sh", str(HERE / "customise.sh")])
    arguments = shlex.join([str(public_key), str(disks), str(_desktop_script(desktop))])
    packages = (*recipe.packages(desktop), *recipe.COMPILER)
    left_out = [f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.LEFT_OUT]
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        "--format=directory",
        f"--include={','.join(packages)}",
        '--aptopt=Acquire::Check-Valid-Until "false"',  # of a mirror that has stood still
        "--dpkgopt=force-unsafe-io",
        *left_out,
        f"--essential-hook={_INITRAMFS}",
        f'--customize-hook={customise} "$1" {arguments}',
        suite,
        str(tree),
        mirror(),
    ]


# Only what the lab's disk needs: a small initrd saves seconds of every emulated boot.
_INITRAMFS = (
    'mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d" && '
    'echo MODULES=list > "$1/etc/initramfs-tools/conf.d/lab" && '
    "printf '%s\\n' virtio_pci virtio_blk ext4 crc32c_generic "
    '> "$1/usr/share/initramfs-tools/modules.d/lab"'
)


def _take_kernel(tree: Path, work: Path) -> None:
    for name in ("vmlinuz", "initrd"):
        found = sorted((tree / "boot").glob(f"{name}*"))
        if not found:
            raise LabError(f"the image has no /boot/{name}*")
        shutil.copyfile(found[-1], work / name.replace(".img", ""))


def _mke2fs(tree: Path, disk: Path) -> list[str]:
    return ["mke2fs", "-q", "-F", "-t", "ext4", "-L", "lab", "-d", str(tree), str(disk), "8G"]
