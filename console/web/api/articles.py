"""Articles over HTTP: lists, searches, single ones with their versions, differences and archived pages."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from console import questions
from console.web.tagged import tagged
from storage import reading, search, snapshots
from storage.database import Tx
from storage.errors import NotFound
from storage.filters import Filter
from storage.query import parse
from storage.records import Access, Article
from tasks.diff import diff

if TYPE_CHECKING:
    from storage.store import Store

MOST = 1000
Id = Annotated[int, Path(ge=1, le=2**53)]


def asked_filter(
    source: Annotated[str | None, Query(description="Name of the source that listed it first.")] = None,
    site: Annotated[str | None, Query(description="Registrable domain.")] = None,
    publisher: str | None = None,
    language: Annotated[str | None, Query(description="As `de`; takes in `de-AT`.")] = None,
    section: str | None = None,
    access: Access | None = None,
    cluster: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    published_since: datetime | None = None,
    published_until: Annotated[datetime | None, Query(description="Published before this time.")] = None,
    seen_since: Annotated[datetime | None, Query(description="First seen at this time or later.")] = None,
    primary: Annotated[bool | None, Query(description="Only those that stand for their cluster.")] = None,
) -> Filter:
    """The filter that a request's parameters describe; a time without a zone is UTC."""
    times = {"published_since": published_since, "published_until": published_until, "seen_since": seen_since}
    return Filter(
        source=source,
        site=site,
        publisher=publisher,
        language=language,
        section=section,
        access=access,
        cluster=cluster,
        primary=primary,
        **{name: _utc(value) for name, value in times.items()},
    )


def router(store: "Store") -> APIRouter:
    """Everything under /articles."""
    routes = APIRouter(prefix="/articles", tags=["articles"])
    _add_lists(routes, store)
    _add_single(routes, store)
    return routes


def _add_lists(routes: APIRouter, store: "Store") -> None:
    @routes.get("")
    def list_articles(
        request: Request,
        having: Annotated[Filter, Depends(asked_filter)],
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    ) -> Response:
        """Articles by id; `next` is the `after` of the following page, null at the end."""
        with store.reading() as tx:
            found = reading.listed(tx, after=after, limit=limit, having=having)
        more = found[-1].id if len(found) == limit else None
        return tagged(request, {"articles": [reading.to_json(one) for one in found], "next": more})

    @routes.get("/search")
    def search_articles(
        q: Annotated[str, Query(description='Words, "a phrase", -not, field:value.', max_length=1000)],
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
        newest: bool = False,
    ) -> dict[str, Any]:
        """Articles that match, best first; each with a snippet, whose `marks` say where the words stand in it.

        The index follows the change feed by some seconds: `behind` says by how many rows.
        """
        asked = parse(q)
        with store.reading() as tx:
            hits = search.search(tx, asked, limit=limit, offset=offset, newest=newest)
            known = {one.id: one for one in reading.some(tx, [hit.article_id for hit in hits])}
            behind = search.lag(tx)
        results = [_result(known[hit.article_id], hit, search.snippet(known[hit.article_id], asked)) for hit in hits]
        return {"results": results, "next": offset + limit if len(hits) == limit else None, "behind": behind}


def _add_single(routes: APIRouter, store: "Store") -> None:
    @routes.get("/by-url")
    def get_by_url(request: Request, url: Annotated[str, Query(max_length=4000)]) -> Response:
        """The article that is filed under an address, or that the address led to."""
        with store.reading() as tx:
            found = questions.article_at(tx, url)
        if found is None:
            raise NotFound(f"no article is filed under {url}")
        return tagged(request, reading.to_json(found))

    @routes.get("/{article_id}")
    def get_article(request: Request, article_id: Id) -> Response:
        """One article at its current version."""
        return tagged(request, reading.to_json(_ask(store, lambda tx: reading.get(tx, article_id))))

    @routes.get("/{article_id}/versions")
    def list_versions(request: Request, article_id: Id) -> Response:
        """An article as it was at each of its versions, first to last."""
        found = _ask(store, lambda tx: _versions(tx, article_id))
        return tagged(request, {"versions": [reading.to_json(one) for one in found]})

    @routes.get("/{article_id}/diff")
    def get_diff(
        article_id: Id,
        old: Annotated[int | None, Query(alias="from", ge=1)] = None,
        new: Annotated[int | None, Query(alias="to", ge=1)] = None,
    ) -> dict[str, Any]:
        """What changed between two versions (the last two), by sentence and word; joined, `after` is the new text."""
        found = {one.version: one for one in _ask(store, lambda tx: _versions(tx, article_id))}
        last = max(found)
        chosen = (old if old is not None else max(1, last - 1), new if new is not None else last)
        for version in chosen:
            if version not in found:
                raise NotFound(f"article {article_id} has no version {version}; it has {last}")
        return {"from": chosen[0], "to": chosen[1], "sentences": _difference(found[chosen[0]], found[chosen[1]])}

    @routes.get("/{article_id}/raw", response_class=Response)
    def get_raw(article_id: Id) -> Response:
        """The page's bytes as they were fetched, as a download: a stranger's page is never shown as one of ours."""
        with store.reading() as tx:
            kept = snapshots.get(tx, reading.get(tx, article_id).snapshot_id)
            body = snapshots.body(tx, store.archive, kept)
        headers = {"Content-Disposition": f'attachment; filename="article-{article_id}.html.txt"'}
        return Response(body, media_type="application/octet-stream", headers=headers)


def _ask(store: "Store", question: Callable[[Tx], Any]) -> Any:
    with store.reading() as tx:
        return question(tx)


def _versions(tx: Tx, article_id: int) -> list[Article]:
    reading.get(tx, article_id)
    return reading.versions(tx, article_id)


def _difference(old: Article, new: Article) -> list[dict[str, Any]]:
    texts = [f"{one.content.title}\n{one.content.text}" for one in (old, new)]
    return [
        {
            "kind": one.kind.value,
            "before": one.before,
            "after": one.after,
            "pieces": [_piece(each) for each in one.pieces],
        }
        for one in diff(*texts)
    ]


def _piece(piece: Any) -> dict[str, str]:
    return {"kind": piece.kind.value, "text": piece.text}


def _result(found: Article, hit: search.Hit, shown: search.Snippet) -> dict[str, Any]:
    marks = [list(mark) for mark in shown.marks]
    return {"rank": hit.rank, "snippet": {"text": shown.text, "marks": marks}, "article": reading.to_json(found)}


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
