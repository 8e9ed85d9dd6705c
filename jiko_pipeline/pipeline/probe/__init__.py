"""`jiko probe`: where the answers of the configured bank differ from what the contract expects of them.

Belongs here: the comparison, and asking every operation that reads. Does not belong here: what the contract is
(`jiko_pipeline.bank.contract`, `jiko_pipeline.bank.client.models`, `jiko_pipeline.formats.delimited.contracts`).

A report of the probe is made to be passed on: it has names of operations, fields and words, and never a value.
"""
