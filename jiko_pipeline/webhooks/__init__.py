"""Webhooks: what the bank tells of its own accord, checked and kept until the pipeline takes it.

A receiver checks the signature over the raw body, an inbox keeps each event once. What an event means for the
figures is decided elsewhere (`jiko_pipeline.pipeline.events`).
"""
