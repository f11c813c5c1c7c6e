"""Full-text search: FTS5 on SQLite, tsvector on PostgreSQL, one query syntax, filled from the change feed."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select, text

from storage import changes, consumers, sifting
from storage.database import Tx, plan_anew
from storage.query import Query, Wanted
from storage.reader_tables import consumer
from storage.records import Article
from storage.tables import article, article_version, source
from storage.terms import STEMMERS, fold, terms

READER = "search"
"""The index's own place in the change feed."""
RANKED = 5_000
"""Of so many matching articles, the newest, the best are found."""
_LAST_POSITION = 16_383
"""PostgreSQL manual, section 12.11: positions end here; what stands behind is found, though not as a phrase."""
_MOST_WORDS = 100_000
_WINDOW = 30
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found."""

    article_id: int
    rank: float
    """Higher is better; comparable within one answer only."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of an article's text around what was looked for."""

    text: str
    marks: tuple[tuple[int, int], ...]
    """Where the words stand in it."""


def catch_up(tx: Tx, now: datetime, limit: int = 200) -> int:
    """Bring the index forward by some rows of the change feed; returns how many, 0 at the end.

    Raises StoreBusy when another process does the same at the moment.
    """
    since = _place(tx, now)
    rows = changes.read(tx, since, limit)
    if rows:
        ids = sorted({row.article_id for row in rows})
        remove(tx, ids)
        for row in _current(tx, ids):
            _add(tx, row)
        consumers.advance(tx, READER, since, rows[-1].seq, now)
    return len(rows)


def lag(tx: Tx) -> int:
    """How many rows of the change feed the index has still to take in."""
    seq = tx.execute(select(consumer.c.seq).where(consumer.c.name == READER)).scalar() or 0
    return max(0, changes.last(tx) - seq)


def remove(tx: Tx, ids: Sequence[int]) -> None:
    """Take articles out of the index."""
    key = "rowid" if tx.dialect.name == "sqlite" else "article_id"
    tx.execute(text(f"DELETE FROM article_search WHERE {key} = :id"), [{"id": one} for one in ids])  # noqa: S608


def scrub(tx: Tx) -> None:
    """Leave no trace of removed articles in the index's files: FTS5 keeps their words until it merges them away."""
    if tx.dialect.name == "sqlite":
        tx.execute(text("INSERT INTO article_search (article_search) VALUES ('optimize')"))


def search(tx: Tx, query: Query, *, limit: int = 20, offset: int = 0, newest: bool = False) -> list[Hit]:
    """The articles that match, the best first, or the newest first.

    The newest were filed last; where days are asked for, published last. Of very many that match, only the newest are
    weighed, as to rank a million takes seconds; a phrase of frequent words is on PostgreSQL looked for in about the
    newest `sifting.SIFTED` articles that hold these words.
    """
    lite = tx.dialect.name == "sqlite"
    match = (_fts5 if lite else _tsquery)(query)
    ranked = bool(match) and not newest
    values: dict[str, Any] = {"limit": limit, "offset": offset, "most": RANKED if ranked else limit + offset}
    score = "-bm25(article_search, 8.0, 1.0, 0.0)" if lite else "ts_rank(s.document, CAST(:match AS tsquery), 1)"
    matched = "article_search MATCH :match" if lite else "s.document @@ CAST(:match AS tsquery)"
    values |= {"match": match} if match else {}
    dates = list(_dates(query, values))
    key = "s.rowid" if lite else "s.article_id"
    by_index, recent = (False, []) if lite or not match else _way(tx, query, values)
    place = "v.published_at" if dates else f"{key} + 0" if by_index else key
    conditions = ["a.withdrawn_at IS NULL", *([matched] if match else []), *dates, *recent]
    plan_anew(tx)
    found = tx.execute(
        text(
            f"SELECT id, rank FROM (SELECT a.id, {score if ranked else '0.0'} AS rank, {place} AS place "  # noqa: S608 - made of the constants above
            f"FROM article_search AS s JOIN article AS a ON a.id = {key} "
            "JOIN article_version AS v ON v.article_id = a.id AND v.version = a.version "
            f"WHERE {' AND '.join(conditions)} ORDER BY {place} DESC LIMIT :most) AS f "
            "ORDER BY rank DESC, place DESC, id DESC LIMIT :limit OFFSET :offset"
        ),
        values,
    )
    return [Hit(int(row[0]), float(row[1])) for row in found]


def snippet(found: Article, query: Query, window: int = _WINDOW) -> Snippet:
    """The part of an article's text that holds most of the query's words, `window` words long."""
    content, keys = found.content.text, _keys(query)
    words = [(term, term.key in keys) for term in terms(content[:200_000], found.content.language)]
    hits = [place for place, (_, hit) in enumerate(words) if hit]
    best = max(hits, key=lambda at: sum(at <= other < at + window for other in hits), default=0)
    shown = words[max(0, best - window // 5) :][:window]
    if not shown:
        return _on_one_line(content[:200], [])
    start, end = shown[0][0].start, shown[-1][0].end
    marks = [(term.start - start, term.end - start) for term, hit in shown if hit]
    return _on_one_line(content[start:end], marks)


def _on_one_line(piece: str, marks: list[tuple[int, int]]) -> Snippet:
    """The piece with one blank where lines met, and the marks moved with their words."""
    gaps = [(gap.end(), len(gap[0]) - 1) for gap in _BLANKS.finditer(piece)]

    def moved(place: int) -> int:
        return place - sum(less for end, less in gaps if end <= place)

    return Snippet(_BLANKS.sub(" ", piece), tuple((moved(begin), moved(end)) for begin, end in marks))


def _place(tx: Tx, now: datetime) -> int:
    seq = tx.execute(select(consumer.c.seq).where(consumer.c.name == READER).with_for_update()).scalar()
    if seq is None:
        consumers.add(tx, READER, now)
    return int(seq or 0)


def _current(tx: Tx, ids: Sequence[int]) -> Iterable[RowMapping]:
    mine = [
        article_version.c[name] for name in ("title", "text", "language", "publisher", "authors", "section", "access")
    ]
    query = (
        select(article.c.id, article.c.site, source.c.name.label("source"), *mine)
        .join(
            article_version,
            (article_version.c.article_id == article.c.id) & (article_version.c.version == article.c.version),
        )
        .join(source, source.c.id == article.c.source_id)
        .where(article.c.id.in_(ids), article.c.withdrawn_at.is_(None))
    )
    return tx.execute(query).mappings()


def _add(tx: Tx, row: RowMapping) -> None:
    title = [term.key for term in terms(row["title"], row["language"])]
    body = [term.key for _, term in zip(range(_MOST_WORDS), terms(row["text"], row["language"]), strict=False)]
    facets = sorted(_facets(row))
    if tx.dialect.name == "sqlite":
        values = {"id": row["id"], "title": " ".join(title), "body": " ".join(body), "facets": " ".join(facets)}
        into = "INSERT INTO article_search (rowid, title, body, facets) VALUES (:id, :title, :body, :facets)"
    else:
        values = {"id": row["id"], "document": document(title, body, facets)}
        into = "INSERT INTO article_search (article_id, document) VALUES (:id, CAST(:document AS tsvector))"
    tx.execute(text(into), values)


def _facets(row: RowMapping) -> Iterator[str]:
    for name in ("source", "site", "publisher", "section", "access"):
        if row[name]:
            yield facet(name, row[name])
    if row["language"]:
        yield facet("language", row["language"][:2])
    for author in row["authors"]:
        yield facet("author", author)


def facet(name: str, value: str) -> str:
    """A word that stands for a field's value: hashed, as values hold spaces and signs, and no word of a text is so."""
    return f"{name}{hashlib.sha256(fold(value).encode()).hexdigest()[:16]}"


def document(title: list[str], body: list[str], facets: list[str]) -> str:
    """The tsvector in its text form: terms with their positions, those of the title with the weight A."""
    places: dict[str, list[str]] = {one: [] for one in facets}
    for weight, first, keys in (("A", 1, title), ("", len(title) + 10, body)):
        for at, key in enumerate(keys, first):
            held = places.setdefault(key, [])
            if len(held) < 255 and at <= _LAST_POSITION:
                held.append(f"{at}{weight}")
    return " ".join(f"'{key}'" + (":" + ",".join(held) if held else "") for key, held in places.items())


def _dates(query: Query, values: dict[str, Any]) -> Iterator[str]:
    # times are text of fixed width on SQLite, and compare as such with what the column type writes
    for name, sign, moment in (("after", ">=", query.after), ("before", "<", query.before)):
        if moment is not None:
            values[name] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            yield f"v.published_at {sign} :{name}"


def _holds_phrase(query: Query) -> bool:
    """Whether something is wanted that is several terms in a row, as each word of Chinese or Japanese may be."""
    return any(len(form) > 1 for wanted in query.wanted for form in _rows(wanted.text, query.language))


def _way(tx: Tx, query: Query, values: dict[str, Any]) -> tuple[bool, list[str]]:
    """How PostgreSQL should go: whether by its index, and conditions that keep it from reading all that may match.

    It takes a phrase to be as frequent as its words together, and a word that its statistics do not have to be in each
    two hundredth article; for the newest of so many it would walk through all articles from the last one on. An
    expression in the place of the key has it ask its index.
    """
    forms: list[sifting.Forms] = [set(_rows(wanted.text, query.language)) for wanted in query.wanted]
    count = sifting.newest(tx, [*forms, *([(facet(*_folded(pair)),)] for pair in query.having)], sifting.SIFTED)
    phrase = _holds_phrase(query)
    if not count or not phrase:
        return phrase or not count, []
    if query.after is None and query.before is None:
        values["since"] = sifting.since_article(tx, count)
        return True, ["s.article_id > :since"]
    values["since"] = sifting.since_day(tx, count, query.before)
    return True, ["v.published_at >= :since"] if values["since"] else []


def _fts5(query: Query) -> str:
    """SQLite, https://www.sqlite.org/fts5.html, section 3: NOT stands between two, so something must be wanted."""
    words = _Words(query.language, lambda key: f'"{key}"', " + ", lambda key: f'"{key}" *')

    def one(wanted: Wanted) -> str:
        column = "title" if wanted.title else "{title body}"
        return f"{column} : ({' OR '.join(words.forms(wanted)) or _NOTHING})"

    def field(pair: tuple[str, str]) -> str:
        return f'facets : "{facet(*_folded(pair))}"'

    must = [*map(one, query.wanted), *map(field, query.having)]
    must_not = [*map(one, query.unwanted), *map(field, query.lacking)]
    if not must:
        return ""
    return f"({' AND '.join(must)})" + "".join(f" NOT ({each})" for each in must_not)


def _tsquery(query: Query) -> str:
    """PostgreSQL manual, section 8.11.2."""

    def one(wanted: Wanted) -> str:
        weight = "A" if wanted.title else ""
        mark = f":{weight}" if weight else ""
        words = _Words(query.language, lambda key: f"'{key}'{mark}", " <-> ", lambda key: f"'{key}':*{weight}")
        return f"({' | '.join(words.forms(wanted)) or _NOTHING})"

    def field(pair: tuple[str, str]) -> str:
        return f"'{facet(*_folded(pair))}'"

    must = [*map(one, query.wanted), *map(field, query.having)]
    must_not = [*map(one, query.unwanted), *map(field, query.lacking)]
    return " & ".join([*must, *(f"!{each}" for each in must_not)]) if must else ""


_NOTHING = "copydesknothing"
"""What no text holds: a wanted thing without a letter finds nothing."""


@dataclass(frozen=True, slots=True)
class _Words:
    """How a database writes a word, words in a row, and the beginning of a word."""

    language: str | None
    word: Callable[[str], str]
    then: str
    prefix: Callable[[str], str]

    def forms(self, wanted: Wanted) -> list[str]:
        """The ways in which a wanted text may stand in the index."""
        rows = dict.fromkeys(_rows(wanted.text, self.language))
        return [self._written(row) for row in rows if row]

    def _written(self, row: tuple[str, ...]) -> str:
        if len(row) == 1 and len(row[0]) == 1 and ord(row[0]) > 0x0E00:
            return self.prefix(row[0])  # one character of a script that is indexed by pairs
        return "(" + self.then.join(map(self.word, row)) + ")"


def _rows(wanted: str, language: str | None) -> Iterator[tuple[str, ...]]:
    """The wanted text as terms: of its language if that is known, else of each in which its words look different."""
    if language:
        yield tuple(term.key for term in terms(wanted, language))
        return
    for code in (None, *STEMMERS):
        yield tuple(term.key for term in terms(wanted, code))


def _folded(pair: tuple[str, str]) -> tuple[str, str]:
    name, value = pair
    return name, value[:2] if name == "language" else value


def _keys(query: Query) -> set[str]:
    """All forms of the wanted words."""
    found: set[str] = set()
    for wanted in query.wanted:
        for row in _rows(wanted.text, query.language):
            found.update(row)
    return found
