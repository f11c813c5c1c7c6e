"""Transactions that a database breaks off: done again, with a bound, and nothing is ever half written."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, text

from storage import sources
from storage.database import Tx, transaction
from storage.errors import StoreBusy, StoreError
from storage.records import Source
from storage.settings import load_settings
from storage.store import Store, open_store
from storage.tables import site, source

ROOT = Path(__file__).parents[2]
AddSource = Callable[..., Source]


@pytest.fixture
def postgres(postgres_database: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store on PostgreSQL."""
    settings = load_settings({"data": tmp_path, "database": postgres_database}, environ={}, file=tmp_path / "none.toml")
    opened = open_store(settings)
    yield opened
    opened.close()


def _names(store: Store) -> list[str]:
    with store.reading() as tx:
        return sorted(one.config.name for one in sources.listed(tx))


def _cut(store: Store, tx: Tx) -> None:
    """Have the server end the connection of this transaction, as an administrator or a failing network would."""
    own = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with transaction(store.engine, writes=False) as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})


def test_a_connection_that_is_cut_in_the_middle_costs_one_more_try(postgres: Store, add_source: AddSource) -> None:
    tries = []

    def work(tx: Tx) -> None:
        tries.append(tx)
        add_source(tx, "first")
        if len(tries) == 1:
            _cut(postgres, tx)
        add_source(tx, "second")

    postgres.write(work)
    assert (len(tries), _names(postgres)) == (2, ["first", "second"])


def test_one_that_is_cut_before_the_commit_has_written_nothing(postgres: Store, add_source: AddSource) -> None:
    tries = []

    def work(tx: Tx) -> None:
        tries.append(tx)
        add_source(tx, f"try {len(tries)}")
        if len(tries) == 1:
            _cut(postgres, tx)

    postgres.write(work)
    assert _names(postgres) == ["try 2"]


def test_cuts_without_end_are_borne_so_often_and_no_more(postgres: Store, add_source: AddSource) -> None:
    tries = []

    def work(tx: Tx) -> None:
        tries.append(tx)
        add_source(tx, "half")
        _cut(postgres, tx)
        add_source(tx, "other half")

    with pytest.raises(StoreBusy, match=r"^database: "):
        postgres.write(work, tries=3)
    assert (len(tries), _names(postgres)) == (3, [])


def test_a_serialization_failure_is_tried_again(postgres: Store, add_source: AddSource) -> None:
    postgres.write(add_source)
    tries = []

    def work(tx: Tx) -> None:
        tries.append(tx)
        tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        seen = tx.execute(select(source.c.interval_s)).scalar_one()
        if len(tries) == 1:
            postgres.write(lambda other: other.execute(source.update().values(interval_s=1_000)))
        tx.execute(source.update().values(interval_s=seen + 1))

    postgres.write(work)
    with postgres.reading() as tx:
        assert (len(tries), tx.execute(select(source.c.interval_s)).scalar_one()) == (2, 1_001)


def test_a_lock_that_does_not_come_in_time_is_asked_for_again(postgres: Store, add_source: AddSource) -> None:
    postgres.write(add_source)
    tries: list[Tx] = []
    with postgres.engine.connect() as holder:
        holder.begin()
        holder.execute(select(site).with_for_update())

        def work(tx: Tx) -> None:
            tries.append(tx)
            if len(tries) == 2:
                holder.rollback()
            tx.execute(text("SET LOCAL lock_timeout = '50ms'"))
            tx.execute(site.update().values(failures=7))

        postgres.write(work)
    with postgres.reading() as tx:
        assert (len(tries), tx.execute(select(site.c.failures)).scalar_one()) == (2, 7)


def test_of_two_that_wait_for_each_other_both_come_through(postgres: Store, add_source: AddSource) -> None:
    with postgres.writing() as tx:
        add_source(tx, "a", "a.example")
        add_source(tx, "b", "b.example")
    both = threading.Barrier(2)
    problems: list[BaseException] = []

    def go(*keys: str) -> None:
        tries = []

        def work(tx: Tx) -> None:
            tries.append(tx)
            tx.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            for turn, key in enumerate(keys):
                tx.execute(site.update().where(site.c.key == key).values(failures=site.c.failures + 1))
                if turn == 0 and len(tries) == 1:
                    both.wait(timeout=20)

        try:
            postgres.write(work)
        except StoreError as error:
            problems.append(error)

    threads = [
        threading.Thread(target=go, args=keys) for keys in (("a.example", "b.example"), ("b.example", "a.example"))
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    assert problems == []
    with postgres.reading() as tx:
        assert tx.execute(select(site.c.failures).order_by(site.c.key)).scalars().all() == [2, 2]


_WRITER = """
import sys
from datetime import UTC, datetime
from storage import sites
from storage.settings import load_settings
from storage.store import open_store

store = open_store(load_settings())
with store.engine.connect() as connection:  # of the pool's only connection: whoever comes second is refused at once
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    pair = [f"{sys.argv[1]}-{number}-{half}.example" for half in "ab"]
    store.write(lambda tx: [sites.ensure(tx, [key]) for key in pair], tries=40)
"""


def test_two_processes_that_write_to_one_sqlite_wait_for_each_other(tmp_path: Path) -> None:
    settings = load_settings({"data": tmp_path}, environ={}, file=tmp_path / "none.toml")
    store = open_store(settings)
    environment = os.environ | settings.environment() | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _WRITER]
    started = [
        subprocess.Popen([*command, name], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        one.communicate("go\n", timeout=60)
    assert [one.returncode for one in started] == [0, 0]
    with store.reading() as tx:
        assert _halves(tx) == (120, 120)
    store.close()


def _halves(tx: Connection) -> tuple[int, ...]:
    ends = (select(func.count()).where(site.c.key.endswith(f"-{half}.example")) for half in "ab")
    return tuple(tx.execute(query).scalar_one() for query in ends)
