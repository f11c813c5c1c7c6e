import hashlib
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.records import Clean, Fingerprint
from tasks.fingerprint import KEYS as KEYS_PER_TEXT
from tasks.fingerprint import (
    common_lines,
    content_hash,
    draft,
    exact_hash,
    fingerprint,
    finish,
    marks_of,
    similarity,
)
from tasks.shingles import shingled

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WORDS = [f"word{number}" for number in range(400)]
PAGE = Clean(url="https://a.example/1", title="A Title", text=" ".join(WORDS), blocks=(), fetched_at=NOW)
VOCABULARY = st.lists(st.sampled_from(WORDS[:60]), max_size=120).map(" ".join)


EXACT, KEYS, MARKS = 5327496284411947802, (-2104112241, -2096666751, -2094326214), "f5e75cb552795046"


def exact(text: str) -> int:
    return exact_hash(shingled(text))


def sketch(text: str) -> tuple[int, ...]:
    return marks_of(print_of(text)).sketch


def print_of(text: str) -> Fingerprint:
    return fingerprint(replace(PAGE, text=text))


def test_the_values_never_change_without_a_new_algorithm() -> None:
    made = fingerprint(PAGE)
    assert made.algorithm == 2
    assert made.exact == EXACT
    assert made.keys[:3] == KEYS
    assert hashlib.sha256(made.marks).hexdigest()[:16] == MARKS
    assert content_hash(PAGE) == "1:dc31be9172f151af708f818a5d245a1977256a8264fdbf8da863f92aa70dbb74"


def test_the_print_is_the_same_in_another_process() -> None:
    made = "finish(draft('A Title', ' '.join(f'word{n}' for n in range(400))))"
    code = f"from tasks.fingerprint import *; print({made}.marks.hex())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert done.stdout.strip() == fingerprint(PAGE).marks.hex()


def test_the_exact_hash_is_blind_to_typography_and_not_to_words() -> None:
    plain = exact("He said: it's 5 o'clock. Yes")
    assert exact("HE SAID – it’s\n\n5 o’clock; yes…") == plain
    assert exact("He said: it's 6 o'clock. Yes") != plain
    assert -(2**63) <= plain < 2**63


def test_the_content_hash_covers_what_a_reader_calls_the_article() -> None:
    base = content_hash(PAGE)
    assert content_hash(replace(PAGE, text=PAGE.text.replace(" ", "\n\n"))) == base
    assert content_hash(replace(PAGE, published_at=NOW, keywords=("a",), image="x", url="https://b.example/")) == base
    changed = [replace(PAGE, title="A title"), replace(PAGE, subtitle="S"), replace(PAGE, authors=("B",))]
    assert len({base, *map(content_hash, changed), content_hash(replace(PAGE, text=PAGE.text + "."))}) == 5


def test_a_short_text_has_no_sketch_and_no_keys() -> None:
    assert (sketch(" ".join(WORDS[:39])), print_of(" ".join(WORDS[:39])).keys) == ((), ())
    assert len(sketch(" ".join(WORDS[:40]))) == 38
    assert len(print_of(" ".join(WORDS[:40])).keys) == KEYS_PER_TEXT


def test_keys_are_signed_and_ascending() -> None:
    keys = print_of(PAGE.text).keys
    assert list(keys) == sorted(set(keys))
    assert all(-(2**31) <= key < 2**31 for key in keys)


def test_chinese_thai_and_japanese_are_sketched_by_their_characters() -> None:
    text = "".join(chr(0x4E00 + number) for number in range(60))
    assert sketch(text) == sketch("\n ".join(text)) != ()
    assert sketch("".join(chr(0x0E01 + number % 40) for number in range(80))) != ()
    assert sketch("".join(chr(0x3042 + number) for number in range(60))) != ()


def test_boilerplate_stays_out_of_marks_and_keys_but_not_of_the_exact_hash() -> None:
    notice = "Sign up for our letter and read it every morning"
    drafted = draft("A Title", f"{PAGE.text}\n\n{notice}.")
    plain, whole = fingerprint(PAGE), finish(drafted)
    without = finish(drafted, {whole.lines[1]})
    assert (without.marks, without.keys) == (plain.marks, plain.keys) != (whole.marks, whole.keys)
    assert without.exact == whole.exact != plain.exact
    assert common_lines(f"Another\n{notice}", {whole.lines[1]}) == {"sign up for our letter and read it every morning"}


def test_a_text_of_nothing_but_boilerplate_is_compared_as_it_is() -> None:
    drafted = draft("A Title", PAGE.text)
    assert finish(drafted, finish(drafted).lines) == finish(drafted)


@pytest.mark.parametrize("kept", [400, 300, 200, 100, 0])
def test_the_estimate_is_near_the_true_share(kept: int) -> None:
    # Many draws: one sketch of 256 strays by up to 0.1, their mean must not.
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
    assert similarity(made, replace(made, algorithm=1)) == 0.0


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
    assert replace(print_of(text.replace(" ", glue)), lines=()) == replace(print_of(text), lines=())
