"""Measurements of the pipeline, each beside a yardstick taken in the same run; no verdict and no limit.

Figures of two machines cannot be compared, and neither can seconds of a busy machine; ratios and CPU seconds can.
"""
