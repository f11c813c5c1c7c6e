"""How far back PostgreSQL looks for a phrase: its index knows words, and what holds them all is then read."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import text

from storage.database import Tx

SIFTED = 5_000
"""About so many articles that hold a phrase's words are read for it, the newest."""
Forms = Collection[Sequence[str]]
"""The ways in which one wanted thing may stand in the index, each a word or several in a row."""


def newest(tx: Tx, wanted: Sequence[Forms], most: int) -> int:
    """Of how many of the newest articles about `most` hold all that is wanted; 0: of all articles hardly more do.

    By the planner's statistics (PostgreSQL manual, pg_stats): a word that is not among its most common is in a few
    articles of a hundred at most. Nothing holds all words more often than the rarest of them.
    """
    words = sorted({word for forms in wanted for form in forms for word in form})
    rows = tx.execute(
        text(
            "SELECT e.word, e.share FROM pg_stats AS s, unnest(s.most_common_elems\\:\\:text\\:\\:text[], "
            "s.most_common_elem_freqs) AS e (word, share) WHERE s.schemaname = ANY(current_schemas(false)) "
            "AND s.tablename = 'article_search' AND s.attname = 'document' AND e.word = ANY(:words)"
        ),
        {"words": words},
    )
    shares = {row.word: float(row.share) for row in rows}
    rarest = min((_share(forms, shares) for forms in wanted), default=0.0)
    return int(most / rarest) if rarest else 0


def since_article(tx: Tx, count: int) -> int:
    """The id after which about so many articles were filed."""
    last = tx.execute(text("SELECT max(article_id) FROM article_search")).scalar() or 0
    return max(0, int(last) - count)


def since_day(tx: Tx, count: int, before: datetime | None) -> datetime | None:
    """The time from which on so many articles were published, up to `before`; None where there are not so many."""
    until = "WHERE published_at < :before" if before else "WHERE published_at IS NOT NULL"
    found = tx.execute(
        text(f"SELECT published_at FROM article_version {until} ORDER BY published_at DESC OFFSET :count LIMIT 1"),  # noqa: S608 - one of the two above
        {"count": count} | ({"before": before} if before else {}),
    )
    return found.scalar()


def _share(forms: Forms, shares: dict[str, float]) -> float:
    """The share of the articles that hold one of the forms, at most."""
    return min(1.0, sum(min((shares.get(word, 0.0) for word in form), default=0.0) for form in forms))
