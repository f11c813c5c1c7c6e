"""How many messages wait at the broker."""

from storage.errors import CopydeskError
from storage.settings import Settings


def lengths(settings: Settings) -> dict[str, int] | None:
    """Messages by queue; None where there is no broker, or it is away."""
    from tasks.app import QUEUES, CopydeskApp
    from tasks.broker import located
    from tasks.queue import CeleryQueue

    try:
        queue = CeleryQueue(CopydeskApp(located(settings)))
        return {name: queue.waiting(name) for name in QUEUES}
    except CopydeskError:
        return None
