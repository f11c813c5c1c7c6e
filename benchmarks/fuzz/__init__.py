"""Mutated pages and listings, by the hundred thousand, through the parsers that read what strangers send."""
