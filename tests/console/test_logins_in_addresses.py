"""`http://user:pass@host/` is refused at each door of the command line and the API, and the password is never shown."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Cli = Callable[..., Result]
URL = "https://desk:s3cret@news.example/a"
FEED = f"<rss version='2.0'><channel><title>T</title><item><link>{URL}</link></item></channel></rss>"


@pytest.mark.parametrize(
    "words",
    [
        ("ingest", URL),
        ("crawl", URL),
        ("webhooks", "add", "mart", URL, "--secret-variable", "MART_SECRET"),
    ],
    ids=" ".join,
)
def test_a_command_refuses_it(cli: Cli, words: tuple[str, ...]) -> None:
    told = cli(*words, exit_code=2)
    assert "login_in_url" in told.output + told.stderr
    assert "s3cret" not in told.output + told.stderr


def test_a_source_says_where_to_put_it(cli: Cli) -> None:
    told = cli("sources", "add", URL, exit_code=2)
    assert "name an environment variable with 'basic' instead" in told.stderr
    assert "s3cret" not in told.output + told.stderr


def test_a_feed_in_a_file_is_read_without_it(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    told = cli("ingest", "feed.xml", exit_code=1)
    assert "https://desk:***@news.example/a: login_in_url" in told.output + told.stderr
    assert "s3cret" not in told.output + told.stderr


def test_a_saved_page_is_not_filed_under_it(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<title>T</title><p>" + "A ferry came in late this morning. " * 20)
    told = cli("ingest", "page.html", "--url", URL, exit_code=1)
    assert "login_in_url" in told.stderr
    assert "s3cret" not in told.output + told.stderr
