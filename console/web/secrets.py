"""Passwords and secrets: made, hashed, compared; what is stored gives neither back."""

import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

_PREFIX = "cd_"


def hash_password(password: str) -> str:
    """The argon2id hash with its parameters (RFC 9106, low-memory profile), as a PHC string."""
    return str(_hasher().hash(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether it is the password. A person who does not exist takes as long as one who does."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def new_secret() -> str:
    """A secret of 256 bits, in letters that need no quoting; the prefix lets scanners find one that leaked."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret: it has enough randomness for a plain hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def form_token(secret: str) -> str:
    """The token that a logged-in browser's forms carry: made from its cookie's secret, so it needs no storing."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare in a time that tells nothing."""
    return hmac.compare_digest(one.encode(), other.encode())


@lru_cache(1)
def _hasher():  # type: ignore[no-untyped-def]
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


@lru_cache(1)
def _nobody() -> str:
    return hash_password(secrets.token_urlsafe(16))
