"""The floor: record types, errors, settings, the database, the raw archive and the change feed.

`open_store` and `load_settings` are here for programs that read the store; docs/python.md shows how.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.settings import load_settings
    from storage.store import Store, open_store

__all__ = ["Store", "load_settings", "open_store"]

_HOMES = {"Store": "storage.store", "load_settings": "storage.settings", "open_store": "storage.store"}


def __getattr__(name: str) -> Any:
    # imported when first asked for (PEP 562): who needs a record type or an error should not wait for SQLAlchemy
    if name not in _HOMES:
        raise AttributeError(f"module 'storage' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
