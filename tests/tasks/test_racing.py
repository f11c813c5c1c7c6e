"""Two workers that hold copies of one story at the same moment end with one cluster, whoever is first."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import func, select

from storage import changes, pages, reading
from storage.records import ChangeKind, Disposition
from storage.settings import Settings
from storage.store import Store
from storage.tables import article, cluster

ROUNDS = int(os.environ.get("COPYDESK_TEST_RACES", "200"))
"""A longer race: COPYDESK_TEST_RACES=1000 .venv/bin/pytest --timeout 0 tests/tasks/test_racing.py"""
THINGS = (
    "tide",
    "ferry",
    "council",
    "harbour",
    "bridge",
    "yard",
    "market",
    "storm",
    "winter",
    "ticket",
    "river",
    "school",
)
WORKER = """
import sys
from datetime import UTC, datetime
from storage.settings import load_settings
from storage.store import open_store
from tasks.process import process_page
settings = load_settings({"data": sys.argv[1], "database": sys.argv[2]}, environ={})
store = open_store(settings)
print("ready", flush=True)
for line in sys.stdin:
    outcome = process_page(store, int(line), now=datetime.now(UTC), recipes={}, settings=settings)
    print(outcome.kind, flush=True)
store.close()
"""


def story(number: int) -> list[str]:
    """A story unlike those of other numbers."""

    def thing(at: int) -> str:
        return f"{THINGS[at % len(THINGS)]}{at}"

    return [
        f"The {thing(number + part)} of Norrby{number} met the {thing(3 * number + part)} on day {7 * number + part}. "
        f"The {thing(5 * number + part)} of Velden{part * number} said that {number + 3 * part} people had come, and "
        f"that the {thing(number + 7 * part)} would cost {11 * number + part} crowns more than Lind{number} thought."
        for part in range(6)
    ]


def html(title: str, parts: list[str]) -> str:
    text = "".join(f"<p>{part}</p>" for part in parts)
    head = f"<head><title>{title}</title></head>"
    return f"<html lang=en>{head}<body><article><h1>{title}</h1>{text}</article></body></html>"


@contextmanager
def worker(settings: Settings) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", WORKER, str(settings.data), settings.database]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin
        process.stdin.close()
        assert process.wait(30) == 0


def tell(process: "subprocess.Popen[str]", page_id: int) -> None:
    assert process.stdin
    process.stdin.write(f"{page_id}\n")
    process.stdin.flush()


def answer(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.mark.timeout(180)
def test_copies_that_come_at_once_end_in_one_cluster(
    store: Store, settings: Settings, fetched: Callable[..., int]
) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(settings)) for _ in range(2)]
        for number in range(ROUNDS):
            parts = story(number)
            copy = [*parts[:-1], "This report was shortened by our desk."]
            pair = [
                fetched(f"https://one.example/{number}", html(f"Day {number} in Norrby", parts)),
                fetched(f"https://two.example/{number}", html(f"News of day {number}", copy)),
            ]
            for process, page_id in zip(workers, pair if number % 2 else pair[::-1], strict=True):
                tell(process, page_id)
            assert [answer(process) for process in workers] == ["new", "new"]
    with store.reading() as tx:
        groups = tx.execute(select(func.count()).select_from(article).group_by(article.c.cluster_id)).scalars().all()
        assert groups == [2] * ROUNDS
        assert tx.execute(select(func.count()).select_from(cluster)).scalar_one() == ROUNDS
        assert [row.seq for row in changes.read(tx, 0) if row.kind is ChangeKind.CREATED]
        assert all(
            page.disposition is Disposition.ARTICLE for page in (pages.get(tx, n + 1) for n in range(2 * ROUNDS))
        )
        assert sum(one.is_primary for one in reading.listed(tx, limit=2 * ROUNDS)) == ROUNDS
