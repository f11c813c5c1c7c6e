"""The libraries that people take for near-duplicates, each used as its own manual shows, where they are installed."""

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from tasks.words import tokens

Peer = Callable[[Iterable[tuple[str, str, str]]], list[int]]
_THRESHOLD = 0.5
_PERMUTATIONS = 128
_DISTANCE = 8


def installed() -> Iterator[tuple[str, Peer | None]]:
    """Each peer's name, and how to run it, or None."""
    for name, run in (("datasketch", _datasketch), ("rensa", _rensa), ("simhash", _simhash)):
        yield name, run if find_spec(name) else None


def _shingles(text: str) -> list[str]:
    words = tokens(text)
    return [" ".join(words[at : at + 3]) for at in range(max(len(words) - 2, 1))]


def _grouped(links: Iterable[Iterable[int]]) -> list[int]:
    """Each article goes to the cluster of the earliest that it is linked to."""
    found: list[int] = []
    for at, earlier in enumerate(links):
        found.append(min((found[other] for other in earlier), default=at))
    return found


def _datasketch(articles: Iterable[tuple[str, str, str]]) -> list[int]:
    import datasketch  # noqa: PLC0415 - a peer, installed for this benchmark only

    index = datasketch.MinHashLSH(threshold=_THRESHOLD, num_perm=_PERMUTATIONS)
    kept: list[Any] = []

    def links() -> Iterator[list[int]]:
        for at, (_, _, text) in enumerate(articles):
            made = datasketch.MinHash(num_perm=_PERMUTATIONS)
            made.update_batch([shingle.encode() for shingle in _shingles(text)])
            yield [other for other in index.query(made) if made.jaccard(kept[other]) >= _THRESHOLD]
            index.insert(at, made)
            kept.append(made)

    return _grouped(links())


def _rensa(articles: Iterable[tuple[str, str, str]]) -> list[int]:
    import rensa  # noqa: PLC0415 - likewise

    index = rensa.RMinHashLSH(threshold=_THRESHOLD, num_perm=_PERMUTATIONS, num_bands=32)
    kept: list[Any] = []

    def links() -> Iterator[list[int]]:
        for at, (_, _, text) in enumerate(articles):
            made = rensa.RMinHash(num_perm=_PERMUTATIONS, seed=1)
            made.update(_shingles(text))
            yield [other for other in index.query(made) if made.jaccard(kept[other]) >= _THRESHOLD]
            index.insert(at, made)
            kept.append(made)

    return _grouped(links())


def _simhash(articles: Iterable[tuple[str, str, str]]) -> list[int]:
    import simhash  # noqa: PLC0415 - likewise

    index = simhash.SimhashIndex([], k=_DISTANCE)

    def links() -> Iterator[list[int]]:
        for at, (_, _, text) in enumerate(articles):
            made = simhash.Simhash(_shingles(text))
            yield [int(other) for other in index.get_near_dups(made)]
            index.add(str(at), made)

    return _grouped(links())
