import logging
import subprocess
import sys
import time

import pytest

from storage.masking import MaskedRecord, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://desk:s3cret@news.example/a?b=c@d", "see https://desk:***@news.example/a?b=c@d"),
        ("redis://:s3cret@redis:6379/0", "redis://:***@redis:6379/0"),
        ("redis://:s3@cret@redis:6379/0", "redis://:***@redis:6379/0"),
        (
            "postgresql+psycopg://desk:a:b%40c@db/x and http://u:p@q/",
            "postgresql+psycopg://desk:***@db/x and http://u:***@q/",
        ),
        (
            "mail desk@news.example, https://news.example:8443/a@b",
            "mail desk@news.example, https://news.example:8443/a@b",
        ),
        ("https://user@news.example/", "https://user@news.example/"),
    ],
)
def test_passwords_are_masked_and_nothing_else(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_long_texts_take_no_time() -> None:
    began = time.process_time()
    for piece in ("a://b:", "a", "://", "@", "a://b:c"):
        masked(piece * (200_000 // len(piece)) + "@")
    assert time.process_time() - began < 5


def test_messages_arguments_and_tracebacks_are_masked() -> None:
    error = OSError("no way to http://desk:s3cret@proxy.example")
    told = (OSError, error, None)
    kept = MaskedRecord("a", logging.INFO, "f", 1, "asked %s", ("https://desk:s3cret@a.example/",), told)
    shown = logging.Formatter("%(message)s").format(kept)
    assert "s3cret" not in shown
    assert "https://desk:***@a.example/" in shown
    assert "http://desk:***@proxy.example" in shown


@pytest.mark.parametrize(
    "set_up",
    [
        "from storage.settings import load_settings; from tasks.logs import set_up; set_up(load_settings())",
        "from storage.logs import set_up; set_up('INFO', 'json')",
    ],
)
def test_programs_that_run_long_mask_what_any_library_logs(set_up: str) -> None:
    code = f"{set_up}; import logging; logging.getLogger('kombu').error('Cannot connect to redis://:s3cret@h:6379/0')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "s3cret" not in ran.stderr
    assert "redis://:***@h" in ran.stderr
