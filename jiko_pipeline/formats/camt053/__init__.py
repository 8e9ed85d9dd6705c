"""Reading camt.053 bank statements, versions .01 to .14, with one parser.

Belongs here: `read` (frames for the warehouse) and `parse` (records for people), and the layers below them:
the gate on bytes, the walk, access to XML, one builder an element, checks. Does not belong here: CSV and
JSON, and where documents come from.
"""

from jiko_pipeline.formats.camt053.reader import read
from jiko_pipeline.formats.camt053.schema import schema_findings
from jiko_pipeline.formats.camt053.stream import parse

__all__ = ["parse", "read", "schema_findings"]
