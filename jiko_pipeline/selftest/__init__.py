"""The self-test: worlds of the simulated bank as rows, faults planted in them, and what must be found of each.

A test that travels with the package: it proves, wherever it is installed, that clean books raise nothing and that
each control raises what it must. It imports the simulator's ledger and asks nothing over HTTP.
"""
