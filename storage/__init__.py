"""The floor: record types, errors, settings, the database, the raw archive and the change feed."""
