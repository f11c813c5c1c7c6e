"""How long news takes from a feed to the readers of the change feed."""
