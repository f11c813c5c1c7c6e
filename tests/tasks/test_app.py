import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from storage import pruning
from storage.errors import UsageError
from storage.locks import store_lock
from storage.settings import Settings, load_settings
from storage.store import open_store
from tasks import jobs
from tasks.app import CRAWL, CRAWL_SITES, FOLLOW, PACK, PROCESS, PROCESS_PAGES, PRUNE, QUEUES, WATCH, CopydeskApp
from tasks.broker import located
from tasks.queue import BrokerDown, CeleryQueue, announce
from tasks.worker import ROLES


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str) -> Settings:
    with redis.Redis.from_url(valkey_url) as client:
        client.flushdb()
    options = {"data": tmp_path, "broker": valkey_url}
    return load_settings(options, environ={}, file=tmp_path / "none.toml")


def test_messages_are_json_and_nothing_else_is_accepted(settings: Settings) -> None:
    conf = CopydeskApp(settings).conf

    assert conf.accept_content == ["json"]
    assert (conf.task_serializer, conf.result_serializer) == ("json", "json")


def test_a_message_is_given_to_another_worker_only_after_the_longest_task(settings: Settings) -> None:
    conf = CopydeskApp(settings).conf
    options = conf.broker_transport_options

    assert options["visibility_timeout"] > 2 * conf.task_time_limit
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 10


def test_no_message_is_lost_with_its_worker(settings: Settings) -> None:
    conf = CopydeskApp(settings).conf

    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert 0 < conf.worker_soft_shutdown_timeout < 10
    assert conf.task_ignore_result


def test_every_task_has_a_queue_and_every_queue_a_worker(settings: Settings) -> None:
    app = CopydeskApp(settings)
    app.loader.import_default_modules()

    own = {name for name in app.tasks if name.startswith("copydesk.")}
    assert own == {CRAWL_SITES, PROCESS_PAGES, PACK, PRUNE, FOLLOW, WATCH} == set(app.conf.task_routes)
    assert {route["queue"] for route in app.conf.task_routes.values()} == set(QUEUES)
    assert set(ROLES["crawl"]) | set(ROLES["process"]) == set(QUEUES) == set(ROLES["all"])
    assert all(task.acks_late and task.ignore_result for name, task in app.tasks.items() if name in own)


def test_an_announcement_is_a_list_of_ids_and_has_no_countdown(settings: Settings, valkey_url: str) -> None:
    queue = CeleryQueue(CopydeskApp(settings))
    announce(queue, [3, 5, 8])

    with redis.Redis.from_url(valkey_url) as client:
        message = json.loads(client.lindex(PROCESS, 0))
    assert message["content-type"] == "application/json"
    assert message["headers"]["argsrepr"] == "([3, 5, 8],)"
    assert message["headers"]["eta"] is None
    assert queue.waiting(PROCESS) == 1
    assert queue.waiting(CRAWL) == 0


def test_a_broker_that_is_away_is_named(tmp_path: Path) -> None:
    away = load_settings({"broker": f"redis+socket://{tmp_path}/none.sock"}, environ={}, file=tmp_path / "none.toml")
    queue = CeleryQueue(CopydeskApp(away))

    with pytest.raises(BrokerDown, match=r"none\.sock"):
        queue.waiting(PROCESS)
    with pytest.raises(BrokerDown, match=r"none\.sock"):
        announce(queue, [1])


def test_without_any_broker_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="copydesk up"):
        located(load_settings({"data": tmp_path}, environ={}, file=tmp_path / "none.toml"))


def test_pages_are_marked_only_when_their_message_is_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    app = CopydeskApp(settings)

    def refuse(queue: CeleryQueue, page_ids: list[int]) -> None:
        raise BrokerDown("broker: refused")

    monkeypatch.setattr(jobs, "announce", refuse)
    monkeypatch.setattr(app, "store", lambda: pytest.fail("marked"))
    jobs._announce(app, [1, 2])


def test_what_a_crawl_commits_is_announced_at_once_in_batches(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[int]] = []
    monkeypatch.setattr(jobs, "_announce", lambda _app, ids: told.append(ids))
    jobs._announce_all(CopydeskApp(replace(settings, batch=2)), [1, 2, 3])
    jobs._announce_all(CopydeskApp(settings), [])
    assert told == [[1, 2], [3]]


def test_the_prune_task_prunes_unless_another_does(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "tasks.jobs")
    open_store(settings).close()
    app = CopydeskApp(settings)
    app.loader.import_default_modules()
    with store_lock(app.store(), "prune"):
        app.tasks[PRUNE]()
    with app.store().reading() as tx:
        assert pruning.due(tx, jobs._now())
    app.tasks[PRUNE]()
    with app.store().reading() as tx:
        assert not pruning.due(tx, jobs._now())
    app.store().close()
    assert caplog.messages == ["0 let go", "0 let go"]


def test_the_scheduler_imports_no_extractor_and_no_crawler() -> None:
    code = (
        "import sys, tasks.schedule; print([m for m in sys.modules if m in ('trafilatura', 'scrapy', 'bs4', 'lxml')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
