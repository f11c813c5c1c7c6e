"""The rules of a WebSub subscriber."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.websub import LEASE, is_due, is_signed, lease_of, links_of, rarer
from storage.subscriptions import Subscription

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HUB, TOPIC = "https://hub.example/", "https://a.example/feed"
DAY = timedelta(days=1)
ACTIVE = Subscription(
    source_id=1,
    token="t",
    secret="s",
    hub=HUB,
    topic=TOPIC,
    state="active",
    asked_at=NOW - 5 * DAY,
    verified_at=NOW - 5 * DAY,
    lease_until=NOW + 5 * DAY,
    pushed_at=NOW - timedelta(hours=1),
    refused=0,
    failures=0,
)


def test_a_hub_is_asked_first_and_when_it_or_the_topic_changes() -> None:
    assert is_due(None, HUB, TOPIC, NOW)
    assert not is_due(ACTIVE, HUB, TOPIC, NOW)
    assert is_due(ACTIVE, "https://other.example/", TOPIC, NOW)
    assert is_due(ACTIVE, HUB, TOPIC + "2", NOW)


def test_a_lease_is_renewed_when_a_tenth_is_left() -> None:
    assert not is_due(ACTIVE, HUB, TOPIC, NOW + 3.9 * DAY)
    assert is_due(ACTIVE, HUB, TOPIC, NOW + 4.1 * DAY)
    asked_again = replace(ACTIVE, asked_at=NOW + 4.1 * DAY)
    assert not is_due(asked_again, HUB, TOPIC, NOW + 4.1 * DAY + timedelta(minutes=5))


def test_a_hub_that_does_not_verify_is_asked_again_and_one_that_fails_less_and_less() -> None:
    asked = replace(ACTIVE, state="asked", asked_at=NOW, verified_at=None, lease_until=None)
    assert not is_due(asked, HUB, TOPIC, NOW + timedelta(minutes=59))
    assert is_due(asked, HUB, TOPIC, NOW + timedelta(minutes=61))
    assert not is_due(replace(asked, failures=3), HUB, TOPIC, NOW + timedelta(hours=7))
    assert is_due(replace(asked, failures=99), HUB, TOPIC, NOW + timedelta(hours=25))
    assert not is_due(replace(asked, state="denied"), HUB, TOPIC, NOW + 9 * DAY)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_signature_is_checked_by_its_method(method: str) -> None:
    made = hmac.new(b"key", b"body", getattr(hashlib, method)).hexdigest()
    assert is_signed("key", f"{method}={made}", b"body")
    assert not is_signed("key", f"{method}={made}", b"body2")
    assert not is_signed("other", f"{method}={made}", b"body")


@pytest.mark.parametrize("header", [None, "", "sha256", "md5=0", "sha256="])
def test_what_is_not_signed_is_not_believed(header: str | None) -> None:
    assert not is_signed("key", header, b"body")


def test_a_lease_is_believed_within_bounds() -> None:
    assert lease_of({"hub.lease_seconds": "86400"}) == DAY
    assert lease_of({"hub.lease_seconds": "1"}) == timedelta(minutes=5)
    assert lease_of({"hub.lease_seconds": "soon"}) == LEASE == lease_of({})


def test_polls_are_rarer_only_while_pushes_arrive() -> None:
    soon, most = NOW + timedelta(hours=1), DAY
    assert rarer(soon, ACTIVE, NOW, most=most) == NOW + timedelta(hours=4)
    assert rarer(NOW + timedelta(hours=20), ACTIVE, NOW, most=most) == NOW + DAY
    assert rarer(NOW + 2 * DAY, ACTIVE, NOW, most=most) == NOW + 2 * DAY
    assert rarer(soon, None, NOW, most=most) == soon
    for quiet in (
        replace(ACTIVE, pushed_at=None),
        replace(ACTIVE, pushed_at=NOW - 3 * DAY),
        replace(ACTIVE, state="denied"),
        replace(ACTIVE, lease_until=NOW - DAY),
    ):
        assert rarer(soon, quiet, NOW, most=most) == soon
    assert rarer(soon, replace(ACTIVE, lease_until=NOW + 2 * (soon - NOW)), NOW, most=most) == NOW + timedelta(
        hours=1.8
    )


def test_link_headers_name_hub_and_topic() -> None:
    headers = (
        ("Link", '<https://hub.example/>; rel="hub", <https://a.example/feed>; rel=self'),
        ("Link", "<https://other.example/>; rel=hub"),
    )
    assert links_of(headers) == {"hub": HUB, "self": TOPIC}
    assert links_of((("Server", "x"),)) == {}
