"""The growth benchmark counts each article once, whatever the size of its transactions, and knows the true stories."""

from itertools import islice

import pytest

from benchmarks import shelf
from benchmarks.dedup_growth import grow
from benchmarks.invented import Press


def test_the_figures_are_those_of_all_articles_and_of_the_last_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with shelf.temporary_store() as store:
        figures = grow(store, 100, batch=7)
        with store.reading() as tx:
            assert len(shelf.clusters_of_all(tx)) == 100
    told = capsys.readouterr().out.splitlines()
    assert told[-1].split()[0] == "100"
    assert figures["f1"] > 0.9
    assert {"bcubed_f1", "docs_per_cpu_s", "p99_ms", "bytes_per_article"} <= figures.keys()


def test_the_same_seed_invents_the_same_articles() -> None:
    first, second = ([piece.text for piece in islice(iter(Press(3).next, None), 40)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 30
