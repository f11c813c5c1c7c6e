"""The scheduler's sign of life: a small file in the data folder that each tick renews."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from storage.codec import rfc3339
from storage.settings import Settings


def beat(settings: Settings, now: datetime) -> None:
    """Write down that the scheduler is alive at that time."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps({"at": rfc3339(now), "pid": os.getpid()}), encoding="utf-8")
    part.replace(path)


def last_beat(settings: Settings) -> datetime | None:
    """When a scheduler on this data folder last gave a sign of life, if one ever did."""
    try:
        told = json.loads(_path(settings).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return datetime.fromisoformat(told["at"]).astimezone(UTC)


def _path(settings: Settings) -> Path:
    return settings.data / "run" / "scheduler.json"
