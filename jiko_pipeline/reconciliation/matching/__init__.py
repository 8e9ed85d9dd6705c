"""Matching rows of two records of the same thing: the rules (`rules.csv`), their SQL, the passes (`engine`).

Does not belong here: what an unmatched row means (the controls).
"""
