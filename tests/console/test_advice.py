"""What people can do about a failure is said where the failure is shown."""

from collections.abc import Callable
from typing import Any

from console.advice import advice
from crawler.retry import _FAULTS


def test_a_private_address_says_how_to_allow_it(cli: Callable[..., Any]) -> None:
    cli("sources", "add", "http://127.0.0.1:9/feed.xml", "--name", "local")
    crawled = cli("crawl", exit_code=1)
    assert "1 source polled, 0 pages fetched" in crawled.stdout
    assert "blocked_address: the address guard refuses" in crawled.stdout
    assert "allow_addresses=" in crawled.stdout


def test_each_advice_is_for_a_reason_that_exists() -> None:
    known = {"blocked_page", "consent_wall", "not_an_article", "process_failed", "soft_404", "too_short", "not_a_feed"}
    for reason in (
        "blocked_address",
        "dns",
        "timeout",
        "tls",
        "robots_disallowed",
        "too_large",
        "truncated",
    ):
        assert reason in _FAULTS
        assert advice(reason)
    assert all(advice(reason) for reason in known)
    assert advice("new_story") is None
