"""The settings as people see them: value, where it came from, what it means; no passwords."""

from storage.masking import masked
from storage.settings import Settings, describe


def chosen(settings: Settings) -> list[tuple[str, object, str, str]]:
    """Each setting with its value, origin and meaning, in the order in which they are defined."""
    origin = settings.origin
    return [
        (name, _shown(getattr(settings, name)), origin.get(name, "default"), doc) for name, doc in describe().items()
    ]


def _shown(value: object) -> object:
    if isinstance(value, tuple):
        return masked(",".join(value))
    return value if isinstance(value, (int, float)) else masked(str(value))
