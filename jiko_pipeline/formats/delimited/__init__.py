"""Reading the CSV that Jiko writes: an exact contract for each report, a strict check, typed columns.

Belongs here: the check of the file as text (`strict`), the contracts (`contracts`), the readers (`readers`).
Does not belong here: XML and JSON.
"""
