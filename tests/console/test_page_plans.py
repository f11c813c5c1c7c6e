"""How the databases find what the pages show: no page passes through a big table from end to end."""

import json
import re
from typing import Any

import pytest
from sqlalchemy import event, text

BIG = ("article", "article_version", "cluster", "page", "change", "poll", "sighting", "snapshot")


@pytest.mark.parametrize("browser", [None, "postgres_database"], indirect=True, ids=["sqlite", "postgresql"])
def test_no_page_passes_through_a_big_table(desk: Any) -> None:
    paths, statements = desk.paths(), []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    engine = desk.store.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        for path in paths:
            desk.read(path)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    asked = [one for one in statements if one[0].lstrip().startswith(("SELECT", "WITH"))]
    with desk.store.reading() as tx:
        scans = {(found, statement) for statement, values in asked for found in _scans(tx, statement, values)}
    assert scans == set()
    assert len(asked) > 50


def test_the_plan_test_knows_a_scan(desk: Any) -> None:
    with desk.store.reading() as tx:
        assert _scans(tx, "SELECT * FROM page WHERE redirect_to = 'x'", ()) == {"page"}


@pytest.mark.parametrize("browser", ["postgres_database"], indirect=True)
def test_the_plan_test_knows_a_scan_of_postgresql(desk: Any) -> None:
    with desk.store.reading() as tx:
        assert _scans(tx, "SELECT * FROM page WHERE redirect_to = 'x'", ()) == {"page"}


def _scans(tx: Any, statement: str, values: Any) -> set[str]:
    """The big tables that a statement reads from their first row to their last."""
    if tx.dialect.name == "sqlite":
        lines = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
        found = (re.fullmatch(r"SCAN (\w+)(?: AS \w+)?", line) for line in lines)
        return {one[1] for one in found if one} & set(BIG)
    # few rows are always read from end to end; where there is no other way, it is done even if it is forbidden
    tx.execute(text("SET LOCAL enable_seqscan = off"))
    plan = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
    return set(_sequential(json.loads(plan) if isinstance(plan, str) else plan)) & set(BIG)


def _sequential(plan: Any) -> list[str]:
    if isinstance(plan, list):
        return [name for part in plan for name in _sequential(part)]
    if not isinstance(plan, dict):
        return []
    mine = [plan["Relation Name"]] if plan.get("Node Type") == "Seq Scan" else []
    return mine + [name for part in plan.values() for name in _sequential(part)]
