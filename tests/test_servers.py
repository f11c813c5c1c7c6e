"""The servers that tests run on are real, and each test that asks for a database gets one of its own."""

import os

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text


def test_valkey_answers(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        assert client.set("key", "value")
        assert client.get("key") == b"value"


@pytest.mark.parametrize("turn", [1, 2])
def test_each_database_is_fresh(postgres_database: str, turn: int) -> None:
    with psycopg.connect(postgres_database) as connection:
        connection.execute("CREATE TABLE once (turn int)")
        row = connection.execute("SELECT current_setting('server_encoding'), count(*) FROM once").fetchone()
    assert row == ("UTF8", 0)


def test_the_url_is_one_for_sqlalchemy_too(postgres_database: str) -> None:
    engine = create_engine(postgres_database)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()


def test_postgres_outlives_more_log_lines_than_a_pipe_holds(postgres_database: str) -> None:
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("DO $$ BEGIN FOR n IN 1..2000 LOOP RAISE LOG '%', repeat('x', 100); END LOOP; END $$")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_our_variables_are_out_of_sight() -> None:
    assert not [name for name in os.environ if name.startswith("COPYDESK_")]
