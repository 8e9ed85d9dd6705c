"""Asking Jiko: sign in, page, order a report, poll it, download it. The only room that speaks HTTP.

Belongs here: everything that depends on how Jiko answers on the wire. Does not belong here: what the bytes
mean (`jiko_pipeline.formats`), where they are kept (`jiko_pipeline.archive`), which documents a day needs
(`jiko_pipeline.pipeline`).
"""
