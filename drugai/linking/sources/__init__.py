"""Upstream files of drug–disease linking → the three tables; each file has a reader of its own, and each pair remembers where it comes from."""
