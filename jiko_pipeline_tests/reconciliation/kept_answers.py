"""Keeps the answers of all controls to the scenes of the self-test: `python -m` this after a change that is meant.

The difference of the file shows which controls answer otherwise now, and how; it is to be read before it is kept.
"""

import csv
import io
from concurrent.futures import ProcessPoolExecutor
from importlib import resources
from multiprocessing import get_context
from pathlib import Path

from jiko_pipeline.selftest.scenes import COLUMNS, FILE, SCENES, answered


def kept_anew() -> str:
    """The text of the file as it would be kept now."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(answered, SCENES))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for scene, answers in zip(SCENES, found, strict=True):
        writer.writerows((scene.name, control_id, told) for control_id, told in sorted(answers.items()))
    return text.getvalue()


if __name__ == "__main__":
    Path(str(resources.files("jiko_pipeline.selftest") / FILE)).write_text(kept_anew(), encoding="utf-8")
