"""Planting: what each fault of the catalogue changes in the rows of a world.

A module a subject; each function plants one fault and answers the names that its file's templates use. It changes
`site.facts` only, and before it has changed anything it raises `NothingToHit` where the site offers nothing.
"""
