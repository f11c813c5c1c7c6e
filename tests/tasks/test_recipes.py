"""Site recipes: which layout is for a page, what is wrong in a file, and what a recipe does to a reading."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from storage import pages
from storage.errors import SettingsError
from storage.records import Rejection
from storage.store import Store
from tasks.extract.material import Material
from tasks.extract.recipes import Recipe, load_recipes, recipe_for, without
from tasks.loading import material_of
from tasks.pipeline import Read, read
from tasks.trial import try_recipe

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LAYOUTS = """
[[harbour]]
site = "harbour.example"
body = "#story"

[[harbour]]
valid_until = 2025-06-30
body = ".text"

[[harbour]]
valid_until = 2019-12-31
body = ["td.main", "td"]

[valley]
site = "valley.example"
title = "h2"
"""
PARAGRAPH = "<p>The ferry is running again after eleven days in the dock, the port office said on Monday morning.</p>"
HTML = (
    '<!doctype html><html lang="en"><head><title>Ferry returns</title>'
    '<meta property="og:type" content="article"></head>'
    f'<body><article><h1>Ferry returns</h1><b class="pen">Ada Quill</b><i class="day">4 March 2026</i>{PARAGRAPH}'
    '<div class="k9"><p>The harbour master will give a letter about boats to everyone who asks for one today.</p></div>'
    "<p>Engineers replaced a bearing in the starboard shaft, which had cracked in the fog of the week before.</p>"
    "</article></body></html>"
)


def material(recipe: Recipe | None = None, body: str = HTML) -> Material:
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    url = "https://harbour.example/ferry"
    return Material(url=url, status=200, headers=headers, body=body.encode(), fetched_at=NOW, recipe=recipe)


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], dict[str, Recipe]]:
    def call(text: str) -> dict[str, Recipe]:
        file = tmp_path / "recipes.toml"
        file.write_text(text, "utf-8")
        return load_recipes(file)

    return call


Load = Callable[[str], dict[str, Recipe]]


@pytest.mark.parametrize(
    ("day", "body"),
    [
        (date(2018, 1, 1), ("td.main", "td")),
        (date(2019, 12, 31), ("td.main", "td")),
        (date(2020, 1, 1), (".text",)),
        (date(2025, 6, 30), (".text",)),
        (date(2025, 7, 1), ("#story",)),
        (date(2026, 3, 10), ("#story",)),
    ],
)
def test_a_page_is_read_by_the_layout_of_its_day(load: Load, day: date, body: tuple[str, ...]) -> None:
    recipe = load(LAYOUTS)["harbour"]
    layout = recipe.at(datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC))
    assert layout is not None
    assert layout.body == body


def test_a_site_without_a_present_layout_is_left_to_the_general_rules(load: Load) -> None:
    recipe = load("[old]\nbody = 'p'\nvalid_until = 2020-01-01")["old"]
    assert recipe.at(datetime(2020, 1, 1, 12, tzinfo=UTC)) is recipe
    assert recipe.at(NOW) is None


def test_a_recipe_is_found_by_its_name_or_its_site(load: Load) -> None:
    recipes = load(LAYOUTS)
    assert recipe_for(recipes, name=None, site="valley.example") is recipes["valley"]
    assert recipe_for(recipes, name="harbour", site="valley.example") is recipes["harbour"]
    assert recipe_for(recipes, name=None, site="coast.example") is None
    with pytest.raises(SettingsError, match="'coast'"):
        recipe_for(recipes, name="coast", site="coast.example")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[a]]\nbody = 'p'\n[[a]]\nbody = 'b'", r"a: valid_until must differ"),
        ("[[a]]\nbody = 'p'\n[[a]]\nvalid_until = 2020-01-01\nbody = 'p['", r"a\[2\]\.body: 'p\['"),
        ("[a]\nbody = 'p'\nvalid_until = '2020-01-01'", r"a\.valid_until must be a date"),
        ("[a]\nbody = 'p'\nvalid_until = 2020-01-01T00:00:00Z", r"a\.valid_until must be a date"),
        ("[a]\nsite = 'a.example'", r"a has no selectors"),
        ("[a]\nbody = 'p'\nvalid_untill = 2020-01-01", r"a\.valid_untill is no key"),
        ("[a]\nsite = 3\nbody = 'p'", r"a\.site must be a string"),
        ("[a]\nremove = ['p', 3]", r"a\.remove must be"),
        (
            "[a]\nsite = 'x.example'\nbody = 'p'\n[b]\nsite = 'x.example'\nbody = 'p'",
            r"b\.site: x\.example is the site",
        ),
        (
            "[[a]]\nsite='x.example'\nbody='p'\n[[a]]\nsite='y.example'\nvalid_until=2020-01-01\nbody='p'",
            r"a: site must",
        ),
        ("a = []", r"a must be a table"),
        ("[a", r"cannot be read"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(load: Load, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=rf"recipes\.toml: {named}"):
        load(text)


def test_what_a_recipe_removes_nobody_reads() -> None:
    plain = read(material())
    clean = read(material(Recipe(name="a", remove=(".k9", ".k9 p"))))
    assert isinstance(plain, Read)
    assert isinstance(clean, Read)
    assert "a letter about boats" in plain.clean.text
    assert "a letter about boats" not in clean.clean.text
    assert "starboard shaft" in clean.clean.text
    assert "<p>" not in without("<div><p>x</p></div>", ["p"])


def test_a_trial_sets_both_readings_side_by_side() -> None:
    recipe = Recipe(name="a", authors=(".pen",), published=("i.day",), title=(".none",))
    result = try_recipe(material(), recipe)
    assert not isinstance(result, Rejection)
    by_field = {one.field: one for one in result}
    assert by_field["authors"].found == ("Ada Quill",)
    assert by_field["authors"].source == "recipe:authors"
    assert not by_field["authors"].failed
    assert by_field["published_at"].found == datetime(2026, 3, 4, tzinfo=UTC)
    assert by_field["title"].failed
    assert by_field["title"].found == by_field["title"].otherwise == "Ferry returns"
    assert not by_field["text"].failed


def test_a_trial_on_no_article_is_a_rejection() -> None:
    assert isinstance(try_recipe(material(body="<p>nothing"), Recipe(name="a", body=("p",))), Rejection)


def test_an_archived_page_is_read_by_the_rules_of_its_day(
    store: Store, fetched: Callable[..., int], load: Load
) -> None:
    recipes = load(LAYOUTS.replace("2025-06-30", "2026-03-09"))
    old = fetched("https://harbour.example/old", HTML, age_s=86_400)
    new = fetched("https://harbour.example/new", HTML)
    with store.reading() as tx:
        found = pages.some(tx, [old, new])
    layouts = [material_of(store, page, recipes).recipe for page in found]
    assert [layout.body if layout else None for layout in layouts] == [(".text",), ("#story",)]
