"""What is filed comes back as it was, whatever characters it is made of, from both databases."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import articles, pages, reading, snapshots
from storage.characters import storable
from storage.records import Block, BlockKind, Filing, Hints, Lead, Page, Source
from storage.store import Store

_times = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_text = st.text(max_size=60) | st.sampled_from(
    ["\x00", "\ud800x", "\ufffe", "\\N\t\\.", "'; DROP TABLE page; --", "\u2028"]
)
_some = st.none() | _text
_numbers: Iterator[int] = count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    title=_text,
    text=_text,
    subtitle=_some,
    authors=st.tuples(_text, _text),
    published_at=st.none() | _times,
    body=st.binary(),
)
def test_an_article_comes_back_as_it_was_filed(
    store: Store,
    lead: Callable[..., Lead],
    fetch: Callable[..., Page],
    filing: Callable[..., Filing],
    harbour: Source,
    now: datetime,
    title: str,
    text: str,
    subtitle: str | None,
    authors: tuple[str, str],
    published_at: datetime | None,
    body: bytes,
) -> None:
    with store.writing() as tx:
        wanted = lead(f"story-{next(_numbers)}", title=title, published_at=published_at, summary=subtitle)
        page_id = pages.discover(tx, harbour.id, [wanted], now).new[0]
        page = fetch(tx, page_id, body=body)
        filed = filing(page, text=text, published_at=published_at)
        blocks = (Block(kind=BlockKind.QUOTE, text=text),)
        clean = replace(filed.clean, title=title, subtitle=subtitle, authors=authors, blocks=blocks)
        article_id = articles.file(tx, replace(filed, clean=clean, content_hash="1:of-the-test"), now)
    with store.reading() as tx:
        back = reading.get(tx, article_id).content
        [sighting] = pages.sightings(tx, page_id)
        [snapshot] = snapshots.of_page(tx, page_id)
        assert snapshots.body(tx, store.archive, snapshot) == body
    assert (back.title, back.text) == (storable(title), storable(text))
    assert back.subtitle == (None if subtitle is None else storable(subtitle))
    assert back.authors == tuple(map(storable, authors))
    assert back.published_at == published_at
    assert [block.text for block in back.blocks] == [storable(text)]
    summary = None if subtitle is None else storable(subtitle)
    assert sighting.hints == Hints(title=storable(title), published_at=published_at, summary=summary)


@pytest.fixture
def harbour(store: Store, add_source: Callable[..., Source]) -> Source:
    with store.writing() as tx:
        return add_source(tx)
