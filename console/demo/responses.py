"""HTTP answers as values, and what conditional requests, HEAD and gzip make of them (RFC 9110)."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer before it is put on the wire."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    modified: datetime | None = None
    headers: tuple[tuple[str, str], ...] = ()


def redirect(target: str, status: int = 301) -> Response:
    """An answer that sends the client to another address."""
    return Response(status=status, headers=(("Location", target),))


def etag(body: bytes) -> str:
    """A strong entity tag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:20]}"'


def negotiate(response: Response, request_headers: Mapping[str, str], *, compress: bool) -> Response:
    """Add validators, answer 304 where the client's copy is current, and compress where it may be.

    `request_headers` has names in lower case. Only a 200 carries validators.
    """
    if response.status != HTTPStatus.OK:
        return response
    tag = etag(response.body)
    zipped = compress and "gzip" in request_headers.get("accept-encoding", "")
    # A compressed form is another representation, so its strong tag has to differ (RFC 9110 section 8.8.3.3).
    tag = f'{tag[:-1]}-gz"' if zipped else tag
    headers = (*response.headers, ("ETag", tag), *_freshness(response, compress=compress))
    if _is_current(tag, response.modified, request_headers):
        return replace(response, status=HTTPStatus.NOT_MODIFIED, body=b"", headers=headers)
    if zipped:
        body = gzip.compress(response.body, compresslevel=1, mtime=0)
        return replace(response, body=body, headers=(*headers, ("Content-Encoding", "gzip")))
    return replace(response, headers=headers)


def _freshness(response: Response, *, compress: bool) -> tuple[tuple[str, str], ...]:
    headers = [("Cache-Control", "max-age=0, must-revalidate")]
    if response.modified:
        headers.append(("Last-Modified", format_datetime(response.modified, usegmt=True)))
    if compress:
        headers.append(("Vary", "Accept-Encoding"))
    return tuple(headers)


def _is_current(tag: str, modified: datetime | None, request_headers: Mapping[str, str]) -> bool:
    """If-None-Match wins over If-Modified-Since where both are sent (RFC 9110 section 13.2.2)."""
    known = request_headers.get("if-none-match")
    if known is not None:
        tags = {part.strip().removeprefix("W/") for part in known.split(",")}
        return "*" in tags or tag in tags
    since = request_headers.get("if-modified-since")
    if since is None or modified is None:
        return False
    try:
        return modified <= parsedate_to_datetime(since)
    except (ValueError, TypeError):  # not a date, or a naive one: the header is ignored
        return False
