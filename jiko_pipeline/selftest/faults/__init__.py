"""The files of the faults; they are read by `jiko_pipeline.selftest.catalogue`."""
