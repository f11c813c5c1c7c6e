"""Pages of articles: the newest, what is found, and one with all that is known of it."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from console.web.pages.common import ROWS, Id, Reader, shown
from storage import articles, pages, reading, search
from storage.errors import NotFound, UsageError
from storage.filters import Filter
from storage.query import parse
from storage.records import Access, Article
from storage.search import Snippet
from tasks.diff import Sentence, diff

if TYPE_CHECKING:
    from storage.database import Tx
    from storage.store import Store

_MOST_OFFSET = 2000
Text = Annotated[str, Query(max_length=500)]


def router(store: "Store") -> APIRouter:
    """Everything under /articles."""
    routes = APIRouter(prefix="/articles", include_in_schema=False)

    @routes.get("")
    def index(
        request: Request,
        caller: Reader,
        q: Text = "",
        source: Text = "",
        language: Text = "",
        access: Text = "",
        before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
        offset: Annotated[int, Query(ge=0, le=_MOST_OFFSET)] = 0,
    ) -> Response:
        chosen = {"q": q.strip(), "source": source.strip(), "language": language.strip(), "access": access.strip()}
        with store.reading() as tx:
            values = _found(tx, chosen, before, offset)
        return shown(request, caller, "articles.html", chosen=chosen, kinds=[one.value for one in Access], **values)

    @routes.get("/{article_id}")
    def one(
        request: Request,
        caller: Reader,
        article_id: Id,
        old: Annotated[int | None, Query(alias="from", ge=1)] = None,
        new: Annotated[int | None, Query(alias="to", ge=1)] = None,
    ) -> Response:
        with store.reading() as tx:
            values = _facts(tx, article_id, old, new)
        return shown(request, caller, "article.html", **values)

    return routes


def _found(tx: "Tx", chosen: dict[str, str], before: int | None, offset: int) -> dict[str, Any]:
    if chosen["q"]:
        return _searched(tx, chosen, offset)
    try:
        access = Access(chosen["access"]) if chosen["access"] else None
    except ValueError as error:
        raise UsageError(f"access: there is no {chosen['access']!r}") from error
    having = Filter(source=chosen["source"] or None, language=chosen["language"] or None, access=access)
    found = reading.newest(tx, before=before or 2**53, limit=ROWS, having=having)
    more = {"before": found[-1].id} if len(found) == ROWS else None
    return {"rows": [(one, None) for one in found], "more": more, "behind": 0, "wrong": None}


def _searched(tx: "Tx", chosen: dict[str, str], offset: int) -> dict[str, Any]:
    """The filters become fields of the query: the index knows them, and no table is passed through."""
    fields = [f'{name}:"{chosen[name]}"' for name in ("source", "language", "access") if chosen[name]]
    try:
        asked = parse(" ".join([chosen["q"], *fields]))
    except UsageError as error:
        return {"rows": [], "more": None, "behind": 0, "wrong": str(error)}
    hits = search.search(tx, asked, limit=ROWS, offset=offset)
    known = {one.id: one for one in reading.some(tx, [hit.article_id for hit in hits])}
    rows = [(known[hit.article_id], pieces(search.snippet(known[hit.article_id], asked))) for hit in hits]
    more = {"offset": offset + ROWS} if len(hits) == ROWS and offset + ROWS <= _MOST_OFFSET else None
    return {"rows": rows, "more": more, "behind": search.lag(tx), "wrong": None}


def pieces(snippet: Snippet) -> list[tuple[str, bool]]:
    """A snippet in parts, each with whether it was looked for."""
    parts, at = [], 0
    for start, end in snippet.marks:
        parts += [(snippet.text[at:start], False), (snippet.text[start:end], True)]
        at = end
    return [(text, hit) for text, hit in [*parts, (snippet.text[at:], False)] if text]


def _facts(tx: "Tx", article_id: int, old: int | None, new: int | None) -> dict[str, Any]:
    found = reading.get(tx, article_id)
    versions = reading.versions(tx, article_id)
    told = reading.decision(tx, article_id)
    members = sorted(reading.members(tx, found.cluster_id), key=_published)
    return {
        "article": found,
        "decision": told,
        "versions": versions,
        "compared": _compared(versions, old, new),
        "members": members,
        "page": pages.get(tx, articles.page_of(tx, article_id)),
    }


def _published(one: Article) -> tuple[bool, Any, int]:
    at = one.content.published_at
    return at is None, at or one.first_seen, one.id


def _compared(versions: list[Article], old: int | None, new: int | None) -> dict[str, Any] | None:
    """Two versions side by side: those asked for, or the last two."""
    if len(versions) < 2:
        return None
    known = {one.version: one for one in versions}
    last = versions[-1].version
    pair = (old or versions[-2].version, new or last)
    if not set(pair) <= known.keys():
        raise NotFound(f"the article has no such version; its last is {last}")
    before, after = (known[version] for version in pair)
    pruned = [one.version for one in (before, after) if one.pruned_at]
    return {"from": before, "to": after, "sentences": [] if pruned else _sentences(before, after), "pruned": pruned}


def _sentences(before: Article, after: Article) -> list[Sentence]:
    return diff(*(f"{one.content.title}\n{one.content.text}" for one in (before, after)))
