"""Bytes to typed frames and findings; pure functions, no network, no files, no database.

Belongs here: reading camt.053, CSV and JSON as banks and Jiko write them. Does not belong here: where bytes
come from (`bank`, `archive`), where rows go (`warehouse`), what rows mean for each other (`reconciliation`).
"""
