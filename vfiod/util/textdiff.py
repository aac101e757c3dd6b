"""Differences of texts, as people read them."""

import difflib


def difference(before: str, after: str, *, name: str) -> list[str]:
    """A unified diff of a text, without trailing newlines; empty if they are the same."""
    old, new = before.splitlines(), after.splitlines()
    return list(difflib.unified_diff(old, new, name, name, lineterm=""))
