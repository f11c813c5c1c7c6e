"""Turns a page into a canonical article: the pipeline, the Celery tasks and the schedule."""
