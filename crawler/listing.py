"""Reading a listing that was fetched, off the event loop."""

import asyncio
import logging

from crawler import apart
from crawler.answers import Answer
from crawler.dates import zone_of
from crawler.discovery import Listing, discover
from crawler.shapes import NOTHING, Shapes
from storage.errors import DiscoveryError
from storage.logs import telling
from storage.records import SourceKind

GZIP = b"\x1f\x8b"
_SMALL, _SMALL_PACKED = 1_000_000, 50_000
"""Bytes of a listing that is not worth a process: of the worst shape that was tried, it takes one second."""

log = logging.getLogger(__name__)


async def read_listing(answer: Answer, expected: SourceKind, shapes: Shapes = NOTHING, zone: str = "UTC") -> Listing:
    """What a listing names; its dates without a zone are of `zone` (IANA name).

    It is read in a thread, a large one in a process of its own, as it takes seconds: none is waited for longer than
    `apart.LIMIT_S` (code `too_slow`). Raises DiscoveryError.
    """
    kind = answer.header("content-type")
    facts = {"url": answer.url, "now": answer.at, "content_type": kind, "expected": expected}
    facts |= {"shapes": shapes, "zone": zone_of(zone)}
    try:
        if _is_large(answer.body):
            return await asyncio.to_thread(apart.discover_apart, answer.body, facts)
        async with asyncio.timeout(apart.LIMIT_S):
            return await asyncio.to_thread(discover, answer.body, **facts)  # type: ignore[arg-type]
    except DiscoveryError:
        raise
    except TimeoutError as error:
        raise apart.too_slow() from error
    except Exception as error:  # whatever one feed holds, its site's other feeds and pages must go on
        log.exception("%s could not be read", answer.url, extra=telling("listing_failed", url=answer.url))
        raise DiscoveryError("internal_error", f"{type(error).__name__}: {error}") from error


def _is_large(body: bytes) -> bool:
    return len(body) > (_SMALL_PACKED if body[:2] == GZIP else _SMALL)
