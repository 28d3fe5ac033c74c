"""Molecules → examples: graphs, tokens, and blocks of fingerprints and descriptors."""
