"""Asking libosinfo what is on a CD image (https://libosinfo.org)."""

from pathlib import Path

from vfiod.errors import HostError
from vfiod.tools.create.system import UNKNOWN, System, by_name, is_microsoft_s


def detect(installer: Path) -> System:
    """The system by the image's name, else by what libosinfo knows of it, else some Linux.

    Raises HostError for a Windows of which neither tells which it is.
    """
    return by_name(installer.name) or System(_on(installer) or UNKNOWN)


def short_names() -> list[str]:
    """All systems that libosinfo knows, as virt-install names them. Raises what libosinfo does."""
    import gi

    gi.require_version("Libosinfo", "1.0")
    from gi.repository import Libosinfo

    loader = Libosinfo.Loader()
    loader.process_default_path()
    return sorted(str(os.get_short_id()) for os in loader.get_db().get_os_list().get_elements())


def _on(installer: Path) -> str | None:
    try:
        import gi

        gi.require_version("Libosinfo", "1.0")
        from gi.repository import GLib, Libosinfo
    except (ImportError, ValueError):  # comes with virt-install, which says so if it is missing
        return None
    loader = Libosinfo.Loader()
    try:
        loader.process_default_path()
        media = Libosinfo.Media.create_from_location(str(installer), None)
    except GLib.Error:  # not bootable, as libosinfo sees it
        return None
    if loader.get_db().identify_media(media):
        return str(media.get_os().get_short_id())
    if is_microsoft_s(media.get_publisher_id() or "", media.get_volume_id() or ""):
        raise HostError(
            f"{installer.name} is a Windows, and neither its name nor libosinfo tells which",
            "say which: add --os-variant win11, or win10, or another name that this lists: "
            "virt-install --osinfo list",
        )
    return None
