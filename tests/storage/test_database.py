"""Opening databases, transactions that commit or leave nothing, errors that are ours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from storage.characters import storable
from storage.database import open_engine, transaction
from storage.errors import SettingsError, StoreBusy, StoreError
from storage.records import Source
from storage.store import Store
from storage.tables import site


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="database: "):
        open_engine(url)


def test_a_connection_holds_as_much_of_a_sqlite_file_as_it_is_given(tmp_path: Path) -> None:
    for wanted, pages in (({}, -65_536), ({"cache_mb": 8}, -8_192)):
        engine = open_engine(f"sqlite:///{tmp_path}/a.db", **wanted)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA cache_size").scalar() == pages
        engine.dispose()


def test_a_failed_transaction_leaves_nothing(store: Store, add_source: Callable[..., Source]) -> None:
    with pytest.raises(ZeroDivisionError), store.writing() as tx:  # noqa: PT012 - the block is what is tested
        add_source(tx)
        _ = 1 / 0
    with store.reading() as tx:
        assert tx.execute(select(site)).all() == []


def test_a_locked_sqlite_is_busy(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/a.db")
    impatient = open_engine(f"sqlite:///{tmp_path}/a.db")
    with impatient.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=10")  # of the pool's one connection
    with (
        transaction(engine, writes=True),
        pytest.raises(StoreBusy, match="locked"),
        transaction(impatient, writes=True),
    ):
        pass


def test_an_unreachable_postgresql_is_busy() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreBusy, match="database: "), transaction(engine, writes=False):
        pass


def test_a_broken_sqlite_file_is_no_passing_fault(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    file.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError) as caught, transaction(open_engine(f"sqlite:///{file}"), writes=True):
        pass
    assert not isinstance(caught.value, StoreBusy)


def test_busy_work_is_done_again(store: Store) -> None:
    tries = []

    def work(tx: object) -> int:
        tries.append(tx)
        if len(tries) < 3:
            raise StoreBusy("database is locked")
        return 7

    assert store.write(work) == 7
    assert len(tries) == 3


def test_busy_work_is_given_up_in_the_end(store: Store) -> None:
    def work(_tx: object) -> None:
        raise StoreBusy("database is locked")

    with pytest.raises(StoreBusy):
        store.write(work, tries=2)


@given(st.text(st.characters(codec=None)))
def test_scrubbed_text_is_utf8_without_nul(value: str) -> None:
    clean = storable(value)
    assert "\x00" not in clean.encode().decode()
    assert storable(clean) == clean


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5))])
def test_times_come_back_in_utc(store: Store, zone: timezone) -> None:
    moment = datetime(2026, 3, 10, 12, 0, 0, 1, tzinfo=zone)
    with store.writing() as tx:
        tx.execute(insert(site).values(key="a", delay_s=0, failures=0, urgent=False, due_at=moment))
        found = tx.execute(select(site.c.due_at)).scalar_one()
    assert found == moment
    assert found.tzinfo is UTC or found.utcoffset() == timedelta(0)


def test_sqlite_keeps_a_log_and_waits(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.connect() as connection:
        pragmas = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys")
        ]
    assert pragmas == ["wal", 30000, 1]


def test_every_connection_to_sqlite_syncs_each_commit(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/a.db")
    opened = [engine.connect() for _ in range(3)]  # of the pool, and beyond it
    assert {one.execute(text("PRAGMA synchronous")).scalar() for one in opened} == {2}, "2 is FULL (sqlite.org/pragma)"
    for one in opened:
        one.close()
    engine.dispose()
