"""The audit proves the balance, and names whatever does not add up."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from storage import snapshots
from storage.audit import audit
from storage.records import Source
from storage.store import Store

HOUR = timedelta(hours=1)


@pytest.fixture
def filled(store: Store, add_source: Callable[..., Source], publish: Callable[..., int], now: datetime) -> Store:
    """A store with three articles, packed."""
    with store.writing() as tx:
        source = add_source(tx)
        for path in "abc":
            publish(tx, source, path, text=path)
    snapshots.pack(store, now + 2 * HOUR, most_bytes=1_000_000, after=HOUR)
    return store


def test_a_sound_store_has_no_faults(filled: Store, now: datetime) -> None:
    report = audit(filled, now)
    assert report.faults == ()
    assert (report.balance.discovered, report.balance.articles, report.bodies_checked) == (3, 3, 3)


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        ("DELETE FROM change WHERE article_id = 2", "changes"),
        ("UPDATE page SET disposition = NULL WHERE id = 1", "state"),
        ("UPDATE page SET disposition = 'quarantined' WHERE id = 1", "quarantine"),
        ("UPDATE page SET article_id = NULL WHERE id = 1", "articles"),
        ("UPDATE article_version SET version = 3 WHERE article_id = 1", "versions"),
        ("UPDATE snapshot SET archive_file = NULL WHERE id = 1", "archive"),
        ("UPDATE site SET lease_owner = 'dead', lease_until = '2026-03-10T01:00:00.000000Z'", "leases"),
    ],
)
def test_harm_is_named(filled: Store, now: datetime, harm: str, check: str) -> None:
    with filled.writing() as tx:
        tx.execute(text(harm))
    assert check in {fault.check for fault in audit(filled, now).faults}


def test_a_damaged_record_is_named_and_the_rest_is_read(filled: Store, now: datetime, tmp_path: Path) -> None:
    [file] = (tmp_path / "archive").rglob("*.warc.gz")
    file.write_bytes(file.read_bytes()[:-600])
    report = audit(filled, now)
    assert [fault.check for fault in report.faults] == ["archive"]
    assert report.bodies_checked == 3
