"""An evil neighbour on the broker: what it puts there is never unpickled, and stops nobody's work."""

import base64
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from celery import Celery

from storage import pages
from storage.records import PageState
from storage.store import Store
from tasks.app import PROCESS, PROCESS_PAGES, CopydeskApp
from tasks.queue import CeleryQueue, announce

STORY = "<!doctype html><title>Ferry</title><article><h1>Ferry</h1><p>" + "The ferry ran again after the storm. " * 9


class Evil:
    """Runs a command where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_pickled_message_is_refused_and_work_goes_on(
    store: Store, fetched: Callable[..., int], worker: CopydeskApp, tmp_path: Path
) -> None:
    mark = tmp_path / "unpickled"
    neighbour = Celery(broker=worker.settings.broker, set_as_current=False)
    neighbour.send_task(PROCESS_PAGES, args=[Evil(mark)], queue=PROCESS, serializer="pickle")
    with redis.Redis.from_url(worker.settings.broker) as client:
        disguised = json.loads(client.lindex(PROCESS, 0))
        assert b"touch" in base64.b64decode(disguised["body"]), "the message is not what it should be"
        disguised["content-type"] = "application/json"
        client.rpush(PROCESS, json.dumps(disguised))
        neighbour.send_task("os.system", args=[f"touch {mark}"], queue=PROCESS, serializer="json")
        neighbour.send_task(PROCESS_PAGES, args=[["1; DROP TABLE page", None, {"a": 1}]], queue=PROCESS)
        page_id = fetched("https://harbour.example/ferry", STORY)
        announce(CeleryQueue(worker), [page_id])
        end = time.monotonic() + 30
        while _state(store, page_id) is not PageState.DONE and time.monotonic() < end:
            client.blpop(["nothing"], timeout=0.2)
    assert _state(store, page_id) is PageState.DONE
    assert not mark.exists()


def _state(store: Store, page_id: int) -> PageState:
    with store.reading() as tx:
        return pages.get(tx, page_id).state
