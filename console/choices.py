"""The settings as people see them: value, where it came from, what it means; no passwords."""

from urllib.parse import urlsplit

from storage.settings import Settings, describe


def chosen(settings: Settings) -> list[tuple[str, object, str, str]]:
    """Each setting with its value, origin and meaning, in the order in which they are defined."""
    origin = settings.origin
    return [
        (name, _shown(name, getattr(settings, name)), origin.get(name, "default"), doc)
        for name, doc in describe().items()
    ]


def _shown(name: str, value: object) -> object:
    if name in ("database", "broker") and isinstance(value, str):
        return _without_password(value)
    if isinstance(value, tuple):
        return ",".join(value)
    return value if isinstance(value, (int, float)) else str(value)


def _without_password(url: str) -> str:
    try:
        password = urlsplit(url).password
    except ValueError:
        return url
    return url.replace(f":{password}@", ":***@") if password else url
