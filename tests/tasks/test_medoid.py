"""The reading that agrees most with the others is taken."""

from tasks.extract.medoid import medoid

STORY = "The ferry came in on Tuesday with nine passengers, a dog and a crate of seed potatoes for the school garden."
MORE = "Two boats were overhauled at a yard further along the coast, and the first test runs begin in ten days."
FURNITURE = "Subscribe to our letter, follow us on every network, and read what others read this week in the region."
EQUAL = {"a": 1.0, "b": 1.0, "c": 1.0}


def test_the_odd_one_out_loses() -> None:
    texts = {"a": FURNITURE, "b": f"{STORY} {MORE}", "c": f"{STORY} {MORE} Read on."}
    assert medoid(texts, EQUAL) == "b"


def test_between_too_little_and_too_much_stands_the_medoid() -> None:
    texts = {"a": STORY, "b": f"{STORY} {MORE}", "c": f"{STORY} {MORE} {FURNITURE}"}
    assert medoid(texts, EQUAL) == "b"


def test_trust_decides_between_two() -> None:
    texts = {"a": STORY, "b": FURNITURE}
    assert medoid(texts, {"a": 1.0, "b": 1.3}) == "b"
    assert medoid(texts, {"a": 1.3, "b": 1.0}) == "a"


def test_texts_without_trust_or_words_do_not_count() -> None:
    assert medoid({"a": "", "z": STORY}, EQUAL) is None
    assert medoid({"a": "Ferry", "b": ""}, EQUAL) == "a"
