"""Makes the Celery application: the one file that configures it."""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from celery import Celery
from kombu.entity import Queue

from storage.settings import Settings
from tasks.lifeline import SharedStop

if TYPE_CHECKING:
    from storage.store import Store
    from tasks.extract.recipes import Recipe

CRAWL, PROCESS, MAINTAIN = "crawl", "process", "maintain"
QUEUES = (CRAWL, PROCESS, MAINTAIN)

CRAWL_SITES = "copydesk.crawl_sites"
PROCESS_PAGES = "copydesk.process_pages"
PACK = "copydesk.pack"
PRUNE = "copydesk.prune"
FOLLOW = "copydesk.follow"
WATCH = "copydesk.watch"

SOFT_SHUTDOWN_S = 4.0
"""How long a stopping worker lets its tasks run on before they go back to the queue."""
_TASK_LIMIT_S = 900
_VISIBILITY_S = 3600
"""After this long without an acknowledgement a message is given to another worker: above every task's limit, or one
task would run twice at the same time."""

_REDIS = {
    "visibility_timeout": _VISIBILITY_S,
    # kombu looks for messages of dead workers only every 100 s unless told otherwise
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}
"""RabbitMQ needs none of these: it notices itself that a worker's connection is gone."""


class CopydeskApp(Celery):  # type: ignore[misc]
    """A Celery application that knows the settings it was made from, and opens the store that its tasks work on."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("copydesk", set_as_current=False)
        self.settings = settings
        self.stopping = SharedStop()
        """Set when the worker is told to stop; its pool's processes see it."""
        self._store: tuple[int, Store] | None = None
        self.conf.update(_configuration(settings))

    def store(self) -> "Store":
        """The store of this process, opened when first asked for: connections do not survive a fork."""
        from storage.store import open_store  # noqa: PLC0415 - SQLAlchemy, which a mere sender of messages never needs

        if self._store is None or self._store[0] != os.getpid():
            self._store = os.getpid(), open_store(self.settings, create=False)
        return self._store[1]

    @cached_property
    def recipes(self) -> "Mapping[str, Recipe]":
        """The site recipes that the settings name. Raises SettingsError."""
        from tasks.extract.recipes import load_recipes  # noqa: PLC0415 - as above

        return load_recipes(self.settings.recipes) if self.settings.recipes else {}


def _configuration(settings: Settings) -> dict[str, object]:
    return {
        "broker_url": settings.broker,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # a worker outlives any outage of its broker
        "broker_transport_options": {} if settings.broker.startswith("amqp") else _REDIS,
        "imports": ("tasks.jobs",),
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "result_accept_content": ["json"],
        "task_queues": [Queue(name) for name in QUEUES],  # type: ignore[no-untyped-call]
        "task_default_queue": MAINTAIN,
        "task_create_missing_queues": False,
        "task_routes": {
            CRAWL_SITES: {"queue": CRAWL},
            PROCESS_PAGES: {"queue": PROCESS},
            PACK: {"queue": MAINTAIN},
            PRUNE: {"queue": MAINTAIN},
            FOLLOW: {"queue": MAINTAIN},
            WATCH: {"queue": MAINTAIN},
        },
        "task_ignore_result": True,  # what became of a page stands in its row
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_timeout": True,  # the sweep brings the pages back: at once would be a hot loop
        "task_time_limit": _TASK_LIMIT_S,
        "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
        "worker_prefetch_multiplier": 1,
        "worker_max_tasks_per_child": 200,  # parsers of strangers' pages may leak
        "worker_soft_shutdown_timeout": SOFT_SHUTDOWN_S,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        # Tasks may run on when the broker is gone: what they do stands in the database, and a second run skips it.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_send_task_events": False,
        "enable_utc": True,
        "timezone": "UTC",
    }
