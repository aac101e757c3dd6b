"""Homes and folders that go when their users log out, and what the guest opens there. Pure.

QEMU would find out only after the desktop is gone. systemd-homed unmounts a home with its user's
last session (pam_systemd_home(8)), as do pam_ecryptfs(8) and pam_mount(8), which mounts what FUSE
brings as a rule (gocryptfs, EncFS). A home on a partition of its own, or below one, stays.

What a user mounted by FUSE, wherever it is, ends with its program, and that with the session. One
that a service of the system runs as that user would stay, and is not told apart.
"""

from collections.abc import Iterator, Mapping
from posixpath import normpath

from vfiod.errors import HostError
from vfiod.guest.opened import Opened
from vfiod.handoff.accounts import is_homed
from vfiod.handoff.decision import ending
from vfiod.handoff.decision.request import Request
from vfiod.model import Mount
from vfiod.util.typed import TO_CHANGE, virsh

_ECRYPTFS = "ecryptfs"
_FUSE = "fuse."


def in_question(request: Request) -> list[int]:
    """Users whose homes have to be known: the system asks a directory for that, if there is one."""
    is_any = any(map(_may_go, request.state.mounts.values()))
    return sorted(uid for uid in _leaving(request) if is_any or is_homed(uid))


def find_faults(request: Request) -> Iterator[HostError]:
    """Files of the guest's in one. A ROM of vfiod.yaml is put elsewhere before."""
    for uid, user in sorted(_leaving(request).items()):
        home = request.state.homes.get(uid, "")
        for opened in request.domain.opened:
            missing = request.state.missing.keys() & set(opened.paths)
            gone = [p for p in opened.paths if home and _goes(p, home, uid, request)]
            served = [p for p in opened.paths if _is_served(p, uid, request)]
            if gone and not missing:
                yield _fault(request, opened, gone[0], user)
            elif served and not missing:
                yield _served(request, opened, served[0], user)


def _leaving(request: Request) -> Mapping[int, str]:
    """Users of whom no session stays."""
    ended = ending.sessions(request)
    return {s.uid: s.user for s in ended if not ending.outlives(request, s.uid)}


def _goes(path: str, home: str, uid: int, request: Request) -> bool:
    """ecryptfs may have a folder of the home alone; one that root has by FUSE may stay for good."""
    whole = Mount(normpath(home), "")
    mount = request.state.mounts.get(path)
    if mount is None or not whole.holds(normpath(path)):
        return False
    if mount.kind == _ECRYPTFS:
        return whole.holds(mount.point)
    return is_homed(uid) or (_may_go(mount) and mount.point == whole.point)


def _is_served(path: str, uid: int, request: Request) -> bool:
    """By a program of the user's: what root or /etc/fstab mounts is root's."""
    mount = request.state.mounts.get(path)
    return mount is not None and mount.served_by == uid


def _may_go(mount: Mount) -> bool:
    return mount.kind == _ECRYPTFS or mount.kind.startswith(_FUSE)


def _fault(request: Request, opened: Opened, path: str, user: str) -> HostError:
    return HostError(
        f"the guest's {opened.element} {path} is in the home of {user}, which is unmounted when "
        f"{user}'s session ends",
        "move it out of there, a disk to /var/lib/libvirt/images\n"
        f"{TO_CHANGE}{virsh('edit', request.guest.name)}",
    )


def _served(request: Request, opened: Opened, path: str, user: str) -> HostError:
    mount = request.state.mounts[path]
    return HostError(
        f"the guest's {opened.element} {path} is on a file system ({mount.kind}, at {mount.point}) "
        f"that is served by a program of {user}'s, which ends with the session",
        "move it out of there, a disk to /var/lib/libvirt/images, or have the file system mounted "
        f"by root, as by /etc/fstab\n{TO_CHANGE}{virsh('edit', request.guest.name)}",
    )
