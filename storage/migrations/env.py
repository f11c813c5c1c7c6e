"""Alembic's entry: the connection comes from `storage.schema`, there is no ini file."""

from alembic import context

from storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
