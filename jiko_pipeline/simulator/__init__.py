"""A Jiko of our own on loopback: a bank with a ledger, not a set of fixtures.

It is a second implementation of the formats on purpose, so that a mistake of the readers cannot hide in the
writer: nothing here imports anything of the pipeline but `tbill` and `calendars`, and only the command
`jiko simulator` and the tests import it. Others start it as a process and speak HTTP.
"""
