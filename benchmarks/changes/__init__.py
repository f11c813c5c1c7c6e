"""Many writers and readers at once on the change feed, judged by what was truly committed."""
