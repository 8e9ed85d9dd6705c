"""The typed client: one method for each operation of the Customer API, grouped as Jiko groups them.

Start at `jiko_pipeline.bank.client.jiko.JikoClient`; open one with `jiko_pipeline.bank.connection`. Belongs here:
methods and models. Does not belong here: tries, limits and errors (`jiko_pipeline.bank.api`), the pipeline's own
way of keeping answers as they came (`jiko_pipeline.bank.listings`).
"""
