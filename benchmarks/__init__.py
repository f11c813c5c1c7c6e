"""Measurements: each module is one, run by `./run.sh bench NAME`, and ends with one line of JSON."""
