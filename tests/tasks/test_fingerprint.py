import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.records import Clean, Fingerprint
from tasks.fingerprint import SKETCH_SIZE, content_hash, exact_hash, fingerprint, similarity, sketch

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WORDS = [f"word{number}" for number in range(400)]
PAGE = Clean(url="https://a.example/1", title="A Title", text=" ".join(WORDS), blocks=(), fetched_at=NOW)
VOCABULARY = st.lists(st.sampled_from(WORDS[:60]), max_size=120).map(" ".join)


def print_of(text: str) -> Fingerprint:
    return fingerprint(replace(PAGE, text=text))


def test_the_values_never_change_without_a_new_algorithm() -> None:
    made = fingerprint(PAGE)
    assert made.algorithm == 1
    assert made.exact == "1:b67264a267f19d3f79caae2f35790b8330abb6e73bc8ed6bc1a6490ed74e98ef"
    assert made.sketch[:3] == (7318292, 16067852, 17868524)
    assert content_hash(PAGE) == "1:dc31be9172f151af708f818a5d245a1977256a8264fdbf8da863f92aa70dbb74"


def test_the_print_is_the_same_in_another_process() -> None:
    code = "from tasks.fingerprint import *; print(sketch(' '.join(f'word{n}' for n in range(400))))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert done.stdout.strip() == str(fingerprint(PAGE).sketch)


def test_the_exact_hash_is_blind_to_typography_and_not_to_words() -> None:
    plain = exact_hash('The "last" summer', "He said: it's 5 o'clock. Yes")
    assert exact_hash("THE “LAST”  SUMMER", "He said – it’s\n\n5 o’clock; yes…") == plain
    assert exact_hash('The "last" summer', "He said: it's 6 o'clock. Yes") != plain
    assert exact_hash("", "text") != exact_hash("text", "")


def test_the_content_hash_covers_what_a_reader_calls_the_article() -> None:
    base = content_hash(PAGE)
    assert content_hash(replace(PAGE, text=PAGE.text.replace(" ", "\n\n"))) == base
    assert content_hash(replace(PAGE, published_at=NOW, keywords=("a",), image="x", url="https://b.example/")) == base
    changed = [replace(PAGE, title="A title"), replace(PAGE, subtitle="S"), replace(PAGE, authors=("B",))]
    assert len({base, *map(content_hash, changed), content_hash(replace(PAGE, text=PAGE.text + "."))}) == 5


def test_a_sketch_is_sorted_and_empty_for_a_short_text() -> None:
    made = sketch(PAGE.text)
    assert len(made) == SKETCH_SIZE
    assert list(made) == sorted(set(made))
    assert all(0 <= value < 2**32 for value in made)
    assert sketch(" ".join(WORDS[:39])) == ()
    assert len(sketch(" ".join(WORDS[:40]))) == SKETCH_SIZE


def test_chinese_and_thai_are_sketched_by_their_characters() -> None:
    text = "".join(chr(0x4E00 + number) for number in range(60))
    assert sketch(text) == sketch("\n ".join(text)) != ()
    assert sketch("".join(chr(0x0E01 + number % 40) for number in range(80))) != ()


@pytest.mark.parametrize("kept", [400, 300, 200, 100, 0])
def test_the_estimate_is_near_the_true_share(kept: int) -> None:
    # Many draws: one sketch of 32 strays by up to 0.2, their mean must not.
    errors = []
    for seed in range(60):
        one = [f"{seed}a{number}" for number in range(400)]
        other = one[:kept] + [f"{seed}b{number}" for number in range(400 - kept)]
        shared = max(kept - 2, 0)
        truth = shared / (2 * 398 - shared)
        errors.append(similarity(print_of(" ".join(one)), print_of(" ".join(other))) - truth)
    assert abs(sum(errors) / len(errors)) < 0.03


def test_prints_of_different_algorithms_are_not_compared() -> None:
    made = fingerprint(PAGE)
    assert similarity(made, replace(made, algorithm=2)) == 0.0


@settings(max_examples=60)
@given(VOCABULARY, VOCABULARY)
def test_similarity_is_symmetric_bounded_and_one_with_itself(one: str, other: str) -> None:
    a, b = print_of(one), print_of(other)
    assert similarity(a, b) == similarity(b, a)
    assert 0.0 <= similarity(a, b) <= 1.0
    assert similarity(a, a) == 1.0


@settings(max_examples=60)
@given(VOCABULARY, st.sampled_from(["\n", "  ", "\u00a0", ", ", " – ", "... "]))
def test_white_space_and_punctuation_never_matter(text: str, glue: str) -> None:
    assert print_of(text.replace(" ", glue)) == print_of(text)
