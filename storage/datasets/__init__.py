"""Articles as files for others to read: JSONL, CSV, Parquet, RSS, Atom and WARC, in a folder or at any fsspec URL."""
