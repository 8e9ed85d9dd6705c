"""`python -m jiko_pipeline_tests.docs` writes the pages that are made from the code."""

from jiko_pipeline_tests.docs.operations_page import PAGE, text

PAGE.write_text(text(), encoding="utf-8")
