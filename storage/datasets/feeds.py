"""The newest articles as a feed: RSS 2.0 and Atom (RFC 4287)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from xml.etree import ElementTree as ET

from storage.characters import in_xml
from storage.records import Article

Feed = Callable[..., bytes]
_ATOM, _DC = "http://www.w3.org/2005/Atom", "http://purl.org/dc/elements/1.1/"


def rss(articles: Sequence[Article], *, title: str, link: str, now: datetime) -> bytes:
    """An RSS 2.0 feed; descriptions are plain text, never a stranger's markup."""
    root = ET.Element("rss", {"version": "2.0"})
    channel = ET.SubElement(root, "channel")
    for name, text in (("title", title), ("link", link), ("description", title), ("lastBuildDate", _rfc822(now))):
        _add(channel, name, text)
    for one in articles:
        _item(ET.SubElement(channel, "item"), one)
    return _bytes(root)


def atom(articles: Sequence[Article], *, title: str, link: str, now: datetime) -> bytes:
    """An Atom feed."""
    root = ET.Element(f"{{{_ATOM}}}feed")
    for name, text in (("title", title), ("id", link), ("updated", _rfc3339(now))):
        _add(root, f"{{{_ATOM}}}{name}", text)
    for one in articles:
        _entry(ET.SubElement(root, f"{{{_ATOM}}}entry"), one)
    return _bytes(root)


FEEDS: dict[str, Feed] = {"rss": rss, "atom": atom}


def _item(item: ET.Element, one: Article) -> None:
    content = one.content
    _add(item, "title", content.title)
    _add(item, "link", content.url)
    _add(item, "guid", content.url)
    if content.published_at:
        _add(item, "pubDate", _rfc822(content.published_at))
    for author in content.authors:
        _add(item, f"{{{_DC}}}creator", author)
    for word in content.keywords:
        _add(item, "category", word)
    _add(item, "description", escape(_summary(one), quote=False))  # readers take it for HTML


def _entry(entry: ET.Element, one: Article) -> None:
    content = one.content
    changed = content.modified_at or content.published_at or one.first_seen
    for name, text in (("title", content.title), ("id", content.url), ("updated", _rfc3339(changed))):
        _add(entry, f"{{{_ATOM}}}{name}", text)
    ET.SubElement(entry, f"{{{_ATOM}}}link", {"href": in_xml(content.url)})
    if content.published_at:
        _add(entry, f"{{{_ATOM}}}published", _rfc3339(content.published_at))
    for author in content.authors or (one.source,):
        _add(ET.SubElement(entry, f"{{{_ATOM}}}author"), f"{{{_ATOM}}}name", author)
    _add(entry, f"{{{_ATOM}}}summary", _summary(one))


def _summary(one: Article) -> str:
    return one.content.description or one.content.text[:500]


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = in_xml(text)


def _bytes(root: ET.Element) -> bytes:
    ET.register_namespace("dc", _DC)
    ET.register_namespace("", _ATOM)
    ET.indent(root)
    text = ET.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
