"""Which file system a path is on."""

from pathlib import Path

import pytest

from tests.fakes.tree import grow
from vfiod.host.facts.mounts import read_mounts
from vfiod.model import Mount

TABLE = r"""22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:40 /@home /home rw,relatime shared:5 - btrfs /dev/vda2 rw,subvol=/@home
90 30 0:60 / /home/alice rw,nosuid shared:9 master:1 - ecryptfs /home/.ecryptfs/alice rw
91 30 0:61 / /home/al rw - fuse.gocryptfs /home/al.cipher rw,user_id=1001,allow_other
92 22 0:62 / /mnt/two\040words\134 rw - fuse.sshfs server:/ rw
96 22 0:65 / /mnt/pool rw - fuse.mergerfs a:b rw,user_id=0,group_id=0,allow_other
97 22 0:66 / /mnt/key rw - fuseblk /dev/sdb1 rw,user_id=1000
98 22 0:67 / /mnt/odd rw - fuse.odd x rw,nouser_id=1,user_id=,user_id=x
93 22 8:1 / /srv rw - ext4 /dev/sda1 rw
94 93 0:63 / /srv rw - nfs4 server:/srv rw
nonsense
95 22
"""


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/", Mount("/", "ext4")),
        ("/var/lib/libvirt/images/win10.qcow2", Mount("/", "ext4")),
        ("/home/bob/win10.qcow2", Mount("/home", "btrfs")),
        ("/home/alice/win10.qcow2", Mount("/home/alice", "ecryptfs")),
        ("/home/alice", Mount("/home/alice", "ecryptfs")),
        ("/home/bob/../alice/win10.qcow2", Mount("/home/alice", "ecryptfs")),
        ("/home/al/win10.qcow2", Mount("/home/al", "fuse.gocryptfs", served_by=1001)),
        ("/mnt/pool/x", Mount("/mnt/pool", "fuse.mergerfs", served_by=0)),
        ("/mnt/key/x", Mount("/mnt/key", "fuseblk", served_by=1000)),
        ("/mnt/odd/x", Mount("/mnt/odd", "fuse.odd")),
        ("/mnt/two words\\/x", Mount("/mnt/two words\\", "fuse.sshfs")),
        ("/srv/x", Mount("/srv", "nfs4")),
    ],
)
def test_the_nearest_mount_is_the_one(path: str, mount: Mount, tmp_path: Path) -> None:
    grow(tmp_path, {"proc/self/mountinfo": TABLE})
    assert read_mounts([path], tmp_path) == {path: mount}


def test_without_a_table_nothing_is_known(tmp_path: Path) -> None:
    assert read_mounts(["/x"], tmp_path) == {}
