"""All errors that Copydesk raises on purpose.

    CopydeskError
    ├── UsageError            the call, the settings or the input are wrong (exit 2)
    │   ├── SettingsError
    │   ├── SourceError
    │   └── InputError
    ├── NotFound              no such source, page, article or file
    │   └── BodyPruned        a stored body is gone because its time was over
    ├── StoreError            the database refused
    │   ├── StoreBusy         locked or unreachable for now: try again
    │   │   └── StoreFull     its disk has no room, or fails: try again when that is mended
    │   └── SchemaError       the database's schema is older or newer than this code
    ├── ArchiveError
    │   └── ArchiveDamaged    a record is not what its pointer says
    ├── ExportError           a file for others could not be written
    └── DiscoveryError        a listing could not be read; `code` says why

Each says in one line what is wrong, where, and what to do. All of them pickle.
"""


class CopydeskError(Exception):
    """Root of the tree."""


class UsageError(CopydeskError):
    """What was asked for makes no sense as asked."""


class SettingsError(UsageError):
    """A setting is unknown or has a wrong value."""


class SourceError(UsageError):
    """A source's entry is wrong, or its name is taken."""


class InputError(UsageError):
    """A file or record to be ingested cannot be read."""


class NotFound(CopydeskError):
    """The thing asked for does not exist."""


class BodyPruned(NotFound):
    """A stored body was deleted by the rules of retention."""


class StoreError(CopydeskError):
    """The database refused an operation."""


class StoreBusy(StoreError):
    """The database is locked or unreachable for now; the same call may work later."""


class StoreFull(StoreBusy):
    """The disk under the database has no room left, or fails; nothing that was committed is lost."""


class SchemaError(StoreError):
    """The database's schema is not the one that this code needs."""


class ArchiveError(CopydeskError):
    """The archive of raw exchanges could not be read or written."""


class ArchiveDamaged(ArchiveError):
    """An archived record is not what its pointer says."""


class ExportError(CopydeskError):
    """A file of a dataset, a feed or a backup could not be written; what stood there before still does."""


class DiscoveryError(CopydeskError):
    """A listing could not be read. `code` is stable and snake_case: `not_a_feed`, `xml_entities`, `too_large`, …"""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
