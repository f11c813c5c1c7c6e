"""Lists of facts that the crawler reads, each with its source."""
