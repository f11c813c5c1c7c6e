"""How times, sizes and links are written for people."""

from datetime import UTC, datetime
from urllib.parse import urlsplit


def when(moment: datetime | str | None) -> str:
    """A time in UTC to the minute; a dash for none."""
    if moment is None:
        return "–"
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M}"


def hour(second: int) -> str:
    """An hour, given by the second at which it begins."""
    return f"{datetime.fromtimestamp(second, UTC):%a %H:%M}"


def size(count: int | None) -> str:
    """Bytes in the unit that suits; a dash for none."""
    if count is None:
        return "–"
    for unit, least in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= least:
            return f"{count / least:.1f} {unit}"
    return f"{count} bytes"


def span(seconds: float) -> str:
    """A duration in its largest unit."""
    for unit, least in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= least:
            return f"{seconds / least:.3g} {unit}"
    return f"{seconds:.3g} s"


def is_link(address: object) -> bool:
    """Whether an address may be a link: of the web only, as `javascript:` and its like would run in our page."""
    try:
        parts = urlsplit(str(address))
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
