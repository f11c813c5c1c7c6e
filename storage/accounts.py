"""Who may come in: people with a password, browsers that are logged in, programs with a token."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import RowMapping, delete, func, select, update

from storage.database import Tx, insert
from storage.errors import NotFound, UsageError
from storage.reader_tables import account, login, token
from storage.records import Record


class Scope(StrEnum):
    """What a caller may do; each includes those before it."""

    READ = "read"
    TRIGGER = "trigger"
    ADMIN = "admin"

    def includes(self, asked: "Scope") -> bool:
        """Whether who has this scope may do what `asked` allows."""
        order = list(Scope)
        return order.index(self) >= order.index(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Record):
    """A program's right to call."""

    name: str
    scope: Scope
    created_at: datetime
    revoked_at: datetime | None


def set_password(tx: Tx, name: str, password_hash: str, now: datetime) -> None:
    """Give a person a password, new or first; whoever was logged in by the old one is no more."""
    values = {"password_hash": password_hash, "changed_at": now}
    made = insert(tx, account).values(name=name, **values)
    tx.execute(made.on_conflict_do_update(index_elements=[account.c.name], set_=values))
    tx.execute(delete(login).where(login.c.account == name))


def remove(tx: Tx, name: str) -> None:
    """Take a person's right to come in. Raises NotFound."""
    tx.execute(delete(login).where(login.c.account == name))
    if not tx.execute(delete(account).where(account.c.name == name)).rowcount:
        raise NotFound(f"nobody is called {name!r}; 'copydesk password' without a name lists who may log in")


def names(tx: Tx) -> list[str]:
    """The people who may log in."""
    return list(tx.execute(select(account.c.name).order_by(account.c.name)).scalars())


def password_hash(tx: Tx, name: str) -> str | None:
    """A person's password hash."""
    return tx.execute(select(account.c.password_hash).where(account.c.name == name)).scalar()


def open_login(tx: Tx, digest: str, name: str, *, now: datetime, expires_at: datetime) -> None:
    """Remember a browser that has logged in; forget those whose time is over."""
    tx.execute(delete(login).where(login.c.expires_at <= now))
    tx.execute(insert(tx, login).values(digest=digest, account=name, expires_at=expires_at))


def of_login(tx: Tx, digest: str, now: datetime) -> str | None:
    """Who is logged in in the browser of that secret."""
    found = select(login.c.account).where(login.c.digest == digest, login.c.expires_at > now)
    return tx.execute(found).scalar()


def close_login(tx: Tx, digest: str) -> None:
    """Forget a browser."""
    tx.execute(delete(login).where(login.c.digest == digest))


def add_token(tx: Tx, name: str, digest: str, scope: Scope, now: datetime) -> None:
    """Keep a new token by its digest. Raises UsageError where the name is taken, by a revoked one too."""
    if tx.execute(select(token.c.name).where(token.c.name == name)).first():
        raise UsageError(f"there is or was a token called {name!r}; choose another name")
    tx.execute(insert(tx, token).values(name=name, digest=digest, scope=scope.value, created_at=now))


def revoke_token(tx: Tx, name: str, now: datetime) -> None:
    """End a token; its name stays for the record. Raises NotFound."""
    ended = update(token).where(token.c.name == name, token.c.revoked_at.is_(None)).values(revoked_at=now)
    if not tx.execute(ended).rowcount:
        raise NotFound(f"no valid token is called {name!r}; 'copydesk tokens list' shows them")


def of_token(tx: Tx, digest: str) -> Token | None:
    """The valid token of that digest."""
    row = tx.execute(select(token).where(token.c.digest == digest, token.c.revoked_at.is_(None))).mappings().first()
    return _token(row) if row else None


def tokens(tx: Tx) -> list[Token]:
    """All tokens, those revoked too, by name."""
    return [_token(row) for row in tx.execute(select(token).order_by(token.c.name)).mappings()]


def is_closed(tx: Tx) -> bool:
    """Whether callers must say who they are: from the first password on."""
    return bool(tx.execute(select(func.count()).select_from(account)).scalar_one())


def _token(row: RowMapping) -> Token:
    return Token(
        name=row["name"], scope=Scope(row["scope"]), created_at=row["created_at"], revoked_at=row["revoked_at"]
    )
