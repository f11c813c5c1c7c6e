"""Everything the store knows of one address, as JSON: what `copydesk explain` and the page of that name show."""

from typing import TYPE_CHECKING, Any

from console import questions
from console.views import whole
from crawler.urls import origin_of
from storage import changes, doubts, pages, reading, sites, snapshots, sources

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.records import Article, Page


def facts_of(tx: "Connection", url: str) -> dict[str, Any]:
    """Who listed an address, when it was fetched, what became of it and why; empty parts where nothing is known."""

    key = questions.key_of(url)
    page = pages.find(tx, key) or pages.find(tx, url)
    article = questions.article_at(tx, url)
    seen = pages.sightings(tx, page.id) if page else []
    names = {one.source_id: sources.by_id(tx, one.source_id).config.name for one in seen}
    return {
        "address": url,
        "key": key,
        "page": whole(page),
        **_doubts(tx, page),
        "redirects": pages.leads_to(tx, key)[1:],
        "sightings": [{"source": names.get(one.source_id), **whole(one)} for one in seen],
        "snapshots": whole(snapshots.of_page(tx, page.id)) if page else [],
        **_article_facts(tx, article),
        **_site_facts(tx, url, page),
    }


def _doubts(tx: "Connection", page: "Page | None") -> dict[str, Any]:

    return {"gone_since": whole(doubts.gone_since(tx, page.id)) if page else None}


def _article_facts(tx: "Connection", article: "Article | None") -> dict[str, Any]:

    if article is None:
        return {"article": None, "versions": [], "cluster": [], "duplicates": [], "changes": []}
    versions = reading.versions(tx, article.id)
    members = reading.members(tx, article.cluster_id)
    return {
        "article": {
            "id": article.id,
            "url": article.content.url,
            "title": article.content.title,
            "version": article.version,
            "cluster_id": article.cluster_id,
            "is_primary": article.is_primary,
        },
        "versions": [
            {"version": one.version, "class": one.change_class.value, "fetched_at": whole(one.content.fetched_at)}
            for one in versions
        ],
        "cluster": [{"id": one.id, "url": one.content.url} for one in members if one.id != article.id],
        "duplicates": questions.duplicates_of(tx, article.id),
        "changes": whole(changes.of_article(tx, article.id)),
    }


def _site_facts(tx: "Connection", url: str, page: "Page | None") -> dict[str, Any]:

    try:
        origin = origin_of(page.fetch_url if page else url)
    except ValueError:
        return {"site": None, "robots": None}
    robots = sites.robots_of(tx, [origin]).get(origin)
    told = {"origin": origin, "status": robots.status, "bytes": len(robots.body)} if robots else None
    times = {"fetched_at": whole(robots.fetched_at), "expires_at": whole(robots.expires_at)} if robots else {}
    return {"site": whole(sites.get(tx, page.site)) if page else None, "robots": told | times if told else None}
