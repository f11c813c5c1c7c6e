"""Clusters over HTTP: who published one story, and when."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from console.web.api.articles import Id
from storage import clusters, reading
from storage.codec import to_plain
from storage.errors import NotFound
from storage.records import Article

if TYPE_CHECKING:
    from storage.store import Store


def router(store: "Store") -> APIRouter:
    """Everything under /clusters."""
    routes = APIRouter(prefix="/clusters", tags=["clusters"])

    @routes.get("/{cluster_id}")
    def get_cluster(cluster_id: Id) -> dict[str, Any]:
        """A cluster's members, first published first. A cluster that was merged into another tells its successor."""
        with store.reading() as tx:
            present = clusters.current(tx, cluster_id)
            members = reading.members(tx, present)
            if not members:
                raise NotFound(f"there is no cluster {cluster_id}")
            told = reading.decision(tx, members[0].id)
        shown = sorted((_member(one) for one in members), key=lambda one: (one["published_at"] or "9", one["id"]))
        return {
            "id": present,
            "asked": cluster_id,
            "primary": told["primary_article_id"],
            "primary_reason": told["primary_reason"],
            "first": shown[0]["id"],
            "members": shown,
        }

    return routes


def _member(one: Article) -> dict[str, Any]:
    content = one.content
    return {
        "id": one.id,
        "url": content.url,
        "title": content.title,
        "source": one.source,
        "publisher": content.publisher,
        "published_at": to_plain(content.published_at),
        "first_seen": to_plain(one.first_seen),
        "word_count": one.word_count,
        "is_primary": one.is_primary,
        "withdrawn_at": to_plain(one.withdrawn_at),
    }
