"""What every command starts from: the options given before it, the settings and the store they name."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from storage import logs
from storage.errors import NotFound
from storage.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.store import Store

R = TypeVar("R")
T = TypeVar("T")


@dataclass(slots=True)
class Desk:
    """One call of the program."""

    options: dict[str, str] = field(default_factory=dict)
    debug: bool = False

    def settings(self) -> Settings:
        """The settings as this call sees them. Raises SettingsError."""
        return load_settings(self.options)

    @contextmanager
    def store(self, *, create: bool = False) -> Iterator["Store"]:
        """The open store. Only a command that brings something in makes a new one; others raise NotFound."""
        from storage.store import open_store

        settings = self.settings()
        logs.set_up(_quiet(settings), settings.log_format)
        if not create:
            _must_exist(settings)
        store = open_store(settings, create=create)
        try:
            yield store
        finally:
            store.close()

    def write_each(self, items: Iterable[T], work: Callable[["Connection", T], object]) -> None:
        """Do `work` for each item, all in one writing transaction on an existing store."""
        chosen = list(items)

        def each(tx: "Connection") -> None:
            for item in chosen:
                work(tx, item)

        with self.store() as store:
            store.write(each)

    def read(self, question: Callable[["Connection"], R]) -> R:
        """The answer to one question, put to an existing store in one reading transaction."""
        with self.store() as store, store.reading() as tx:
            return question(tx)


pass_desk: Callable[..., Any] = click.make_pass_decorator(Desk, ensure=True)


def now() -> datetime:
    """The present instant, in UTC: the one clock of the command line."""
    return datetime.now(UTC)


def _quiet(settings: Settings) -> str:
    """A person sees what a command prints, so its log keeps to trouble unless they ask for more."""
    return settings.log_level if settings.origin.get("log_level", "default") != "default" else "WARNING"


def _must_exist(settings: Settings) -> None:
    # opening an SQLite file makes it: a question asked in the wrong folder would leave an empty store behind
    from sqlalchemy.engine import make_url

    from storage.database import open_engine

    if not settings.database_url.startswith("sqlite"):
        return
    file = make_url(settings.database_url).database
    if file and not _exists(file):
        raise NotFound(
            f"there is no store at {file}; 'copydesk sources add' or 'copydesk ingest' makes one, --data names another"
        )
    if not file:
        open_engine(settings.database_url)  # says what is wrong with the URL


def _exists(file: str) -> bool:
    from pathlib import Path

    return Path(file).exists()
