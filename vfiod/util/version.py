"""Which vfiod this is."""

from importlib import metadata


def own_version() -> str:
    """The version of the package; a source tree that was never installed has none."""
    try:
        return metadata.version("vfiod")
    except metadata.PackageNotFoundError:
        return "not installed as a package"
