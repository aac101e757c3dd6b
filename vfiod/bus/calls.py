"""Answers to calls that came by the bus, and values with a type of their own."""

from types import FunctionType
from typing import Any

from gi.repository import Gio, GLib


def answer(invocation: Any, signature: str = "", *values: Any) -> None:
    """Answer a call."""
    invocation.return_value(GLib.Variant(f"({signature})", values))


def refuse(invocation: Any, name: str, message: str) -> None:
    """Answer a call with an error."""
    invocation.return_dbus_error(name, message)


def variant(signature: str, value: Any) -> Any:
    """A typed value, for properties and a{sv}."""
    return GLib.Variant(signature, value)


def balance(invocation: Any) -> None:
    """PyGObject before 3.46 keeps a reference of every call for good (LEW21/pydbus issue 83)."""
    has_closures2 = hasattr(Gio.DBusConnection, "register_object_with_closures2")
    # Later ones have an override in Python, which lets go of it.
    is_overridden = isinstance(Gio.DBusConnection.register_object, FunctionType)
    if not has_closures2 and not is_overridden:
        invocation._unref()
