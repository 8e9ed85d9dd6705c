"""Telling people: a failure, open breaks, a day that has not come, by command, webhook and e-mail.

Nothing in this room ever stops the work that it tells of. What is told names no account.
"""
