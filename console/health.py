"""Whether this installation can work: what a container's health check and a load balancer ask."""

from datetime import datetime

from storage.errors import CopydeskError
from storage.settings import Settings

_PATIENCE_S = 30.0
"""Seconds without a tick that mean nothing yet."""


def store_faults(settings: Settings) -> list[str]:
    """Why the database cannot be used; empty when it can."""
    from storage.database import open_engine
    from storage.schema import prepare

    engine = open_engine(settings.database_url)
    try:
        prepare(engine, create=False)
    except CopydeskError as error:
        return [str(error)]
    finally:
        engine.dispose()
    return []


def faults(settings: Settings, now: datetime) -> list[str]:
    """Everything that is wrong; empty when all is well."""
    return store_faults(settings) + scheduler_faults(settings, now)


def scheduler_faults(settings: Settings, now: datetime) -> list[str]:
    """Why nobody hands out what is due: no scheduler on this data folder ticked lately."""
    from tasks.heartbeat import last_beat

    beat = last_beat(settings)
    if beat is None:
        return ["no scheduler has run on this data folder; 'copydesk up' or 'copydesk scheduler' starts one"]
    silent = (now - beat).total_seconds()
    if silent > max(_PATIENCE_S, 4 * settings.tick_s):
        return [f"the scheduler has given no sign of life for {silent:.0f} s; start it again"]
    return []
