"""Many hosts on one machine: network namespaces, each with its share of a core."""
