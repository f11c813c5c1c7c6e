"""What a server's answer means: redirects, waiting times, content types, and one stable code for each failure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from crawler.urls import clean
from storage.records import Exchange, Headers, Record

REDIRECTS = frozenset({301, 302, 303, 307, 308})
HOST_DOWN = {"dns": 2, "refused": 2, "connection": 1, "timeout": 1}
"""Failures that tell of the host rather than of a page, and how sure they are: at 2 the host counts as down."""

_OTHER_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_LONGEST_WAIT = timedelta(days=1)
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_MEDIA = re.compile(
    r"(?:image(?!/svg)|audio|video|font|model)/"
    r"|application/(?:pdf|postscript|epub\+zip|rtf|msword|ogg|mp4|wasm|zip|gzip|x-(?!httpd|xhtml)|vnd\.)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Record):
    """A whole response to one request, its content coding undone."""

    url: str
    status: int
    headers: Headers
    body: bytes
    at: datetime
    request_headers: Headers = ()
    took_s: float = 0.0
    """From the request's start to the first bytes of the answer."""

    def header(self, name: str) -> str | None:
        """The first header line of that name."""
        return next((value for found, value in self.headers if found.lower() == name), None)

    def target(self) -> str | None:
        """Where a redirect leads (RFC 9110 section 10.2.2: relative to the request), without a fragment.

        It is read as a browser reads it: `\\news\\pier` is a path, and `https:///host` names a host. An
        address of another scheme comes back as it is.
        """
        location = (self.header("location") or "").strip() if self.status in REDIRECTS else ""
        if not location:
            return None
        try:
            found = clean(location, self.url)
            urlsplit(found)  # raises where a bracket is left open
            return found.partition("#")[0]
        except ValueError:
            return location if _OTHER_SCHEME.match(location) else None

    def exchange(self) -> Exchange:
        """The answer as the store keeps it."""
        facts = {"headers": self.headers, "request_headers": self.request_headers, "fetched_at": self.at}
        return Exchange(url=self.url, status=self.status, body=self.body, **facts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble(Record):
    """Why there is no answer to work on. `target` is where a redirect out of the site leads."""

    code: str
    detail: str = ""
    status: int | None = None
    until: datetime | None = None
    """When it makes sense to ask again, where that is known."""
    target: str | None = None
    took_s: float = 0.0


def failure(answer: Answer) -> str | None:
    """The code of an answer that is no success: `http_404`; None for a success."""
    if 200 <= answer.status < 300 and answer.status not in (204, 205, 206):
        return None
    return f"http_{answer.status}"


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The time a server asks to be left alone: seconds or a date (RFC 9110 section 10.2.3), a day at most."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=min(int(text), 86_400)), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max(at - now, timedelta(0)), _LONGEST_WAIT)


def protest(answer: Answer) -> timedelta | None:
    """How long the site asks to be left alone: after a 429, or a 503 that names a time. None where it does not.

    Zero stands for a 429 that names no time: how long is ours to choose.
    """
    wait = retry_after(answer.header("retry-after"), answer.at)
    if answer.status == 429 or (answer.status == 503 and wait is not None):
        return wait or timedelta(0)
    return None


def max_age(answer: Answer) -> float | None:
    """Seconds that an answer stays fresh by its Cache-Control, less its Age (RFC 9111 sections 4.2 and 5.2.2.1)."""
    match = _MAX_AGE.search(answer.header("cache-control") or "")
    age = answer.header("age") or "0"
    return max(0.0, float(match[1]) - float(age if age.isascii() and age.isdigit() else 0)) if match else None


def is_media(content_type: str) -> bool:
    """Whether a content type is surely none of a page: pictures, sound, documents of office programs, archives."""
    return bool(_MEDIA.match(content_type.strip().lower()))


def is_text(answer: Answer) -> bool:
    """Whether the body may be a page: marked as text or XML, or unmarked and looking like markup."""
    kind = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    if kind in ("", "application/octet-stream", "unknown/unknown"):
        return answer.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    return kind.startswith("text/") or kind in ("application/xhtml+xml", "application/xml")
