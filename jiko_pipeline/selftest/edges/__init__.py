"""Edges: ways to bring a clean world to the borders of what controls ask, row by row and each on purpose."""
