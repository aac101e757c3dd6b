"""The archive: complete, redacted, and never over an existing file."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from vfiod.errors import HostError
from vfiod.tools.doctor.archive import CONTENTS, FOLDER, inside, pack, write_new
from vfiod.tools.recording.redact import Redactor

TEXTS = {"doctor.txt": "alice's PC", "journal.txt": "alice logged in"}


def members(data: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        files = [(member.name, archive.extractfile(member)) for member in archive.getmembers()]
        return {name: file.read().decode() for name, file in files if file is not None}


def test_the_archive_is_redacted() -> None:
    found = members(pack(TEXTS, Redactor(users=["alice"])))
    assert found[f"{FOLDER}/doctor.txt"] == "user1's PC"
    assert found[f"{FOLDER}/journal.txt"] == "user1 logged in"
    assert "replaced" in found[f"{FOLDER}/README"]


def test_the_same_texts_give_the_same_bytes() -> None:
    assert pack(TEXTS, Redactor()) == pack(TEXTS, Redactor())


def test_the_person_is_told_what_is_inside(tmp_path: Path) -> None:
    told = inside(TEXTS, tmp_path / "report.tar.gz", 2048)
    assert f"Wrote {tmp_path}/report.tar.gz (2 KiB)" in told
    assert all(name in told and CONTENTS[name] in told for name in TEXTS)
    assert "guest.xml" not in told


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    write_new(tmp_path / "new", b"x", owner=os.geteuid())
    assert (tmp_path / "new").read_bytes() == b"x"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("precious")
    with pytest.raises(HostError, match="exists already"):
        write_new(tmp_path / "old", b"x")
    assert (tmp_path / "old").read_text() == "precious"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(HostError, match="exists already"):
        write_new(tmp_path / "link", b"x")
    assert not (tmp_path / "target").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No such file or directory"):
        write_new(tmp_path / "nowhere/x", b"x")
