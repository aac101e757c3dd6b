"""Asking the kernel's SELinux a question, on a file that answers what follows the question."""

import os
from pathlib import Path

import pytest

from vfiod.host.facts import selinux

QUESTION = b"system_u:system_r:virtqemud_t:s0 system_u:object_r:virt_hook_t:s0 6"


def kernel(root: Path, answer: bytes) -> Path:
    """selinuxfs with the class file as number 6 and its permission execute as the 14th."""
    place = root / "sys/fs/selinux"
    (place / "class/file/perms").mkdir(parents=True)
    (place / "class/file/index").write_text("6")
    (place / "class/file/perms/execute").write_text("14")
    (place / "access").write_bytes(b"?" * len(QUESTION) + answer)
    return root


@pytest.mark.parametrize(
    ("allowed", "wanted"),
    [("2000", True), ("ffffffff", True), ("0", False), ("1fff", False), ("4000", False)],
)
def test_the_bit_of_execute_is_the_answer(tmp_path: Path, allowed: str, wanted: bool) -> None:  # noqa: FBT001
    answer = f"{allowed} ffffffff 0 ffffffff 12 0".encode()
    root = kernel(tmp_path, answer)
    assert selinux.may_run_hooks(root) is wanted
    assert (root / "sys/fs/selinux/access").read_bytes() == QUESTION + answer


@pytest.mark.parametrize("answer", [b"", b" ", b"no"])
def test_what_is_no_answer_tells_nothing(tmp_path: Path, answer: bytes) -> None:
    assert selinux.may_run_hooks(kernel(tmp_path, answer)) is None


def test_a_kernel_without_selinux_tells_nothing(tmp_path: Path) -> None:
    assert selinux.may_run_hooks(tmp_path) is None


def test_a_question_that_is_refused_tells_nothing(tmp_path: Path) -> None:
    """The kernel says EINVAL to a type that the policy does not know."""
    root = kernel(tmp_path, b"")
    (root / "sys/fs/selinux/access").unlink()
    (root / "sys/fs/selinux/access").mkdir()
    assert selinux.may_run_hooks(root) is None


# Labels


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        (b"system_u:object_r:virt_etc_t:s0\0", "virt_etc_t"),
        (b"system_u:object_r:virt_hook_t:s0:c0,c5", "virt_hook_t"),
        (b"system_u:object_r:virt_hook_t", "virt_hook_t"),
        (b"_", ""),
    ],
)
def test_the_type_in_a_label(monkeypatch: pytest.MonkeyPatch, label: bytes, wanted: str) -> None:
    monkeypatch.setattr(os, "getxattr", lambda _file, name: {"security.selinux": label}[name])
    assert selinux.type_of(Path("/hook")) == wanted


def test_a_file_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert selinux.type_of(tmp_path / "absent") == ""
