"""`copydesk backfill`: asking for a span of the past, and how far it is."""

import json
from collections.abc import Callable

from click.testing import Result

Cli = Callable[..., Result]

FEED = "https://harbour.example/feed.xml"


def test_ask_show_stop(cli: Cli) -> None:
    cli("sources", "add", FEED, "--name", "h")
    assert "was ever asked for" in cli("backfill", "h", exit_code=1).stderr
    told = json.loads(cli("backfill", "h", "--from", "2025-01-01", "--to", "2025-01-31", "--json").stdout)
    assert (told["since"], told["until"], told["state"]) == ("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z", "open")
    assert "2025-01-31" in cli("backfill", "h").stdout
    assert "stopped" in cli("backfill", "h", "--stop").stdout
    assert "is open" in cli("backfill", "h", "--stop", exit_code=1).stderr
    assert "open" in cli("backfill", "h", "--from", "2025-01-01", "--to", "2025-01-31").stdout


def test_wrong_spans(cli: Cli) -> None:
    cli("sources", "add", FEED, "--name", "h")
    assert "needs --from" in cli("backfill", "h", "--to", "2025-01-01", exit_code=2).stderr
    assert "before" in cli("backfill", "h", "--from", "2025-01-02", "--to", "2025-01-01", exit_code=2).stderr
    cli("backfill", "x", "--from", "2025-01-02", exit_code=1)
