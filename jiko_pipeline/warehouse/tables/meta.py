"""Meta: about the file itself."""

from typing import Final

from jiko_pipeline.warehouse.tables.spec import TableSpec, content, provenance

META: Final = (
    TableSpec(
        "meta",
        "world",
        "The world this file was born to; data of another world is refused.",
        (
            content("environment", "VARCHAR", "simulator, sandbox or production.", required=True),
            content("api_origin", "VARCHAR", "Origin of the API; 'simulator' for the embedded one.", required=True),
            content(
                "world_id",
                "VARCHAR",
                "Identity of the simulated world; 'jiko' for the real bank.",
                required=True,
            ),
            content("born_at_utc", "TIMESTAMP", "When the file was made, UTC.", required=True),
            content("schema_version", "INTEGER", "Version of the table declarations.", required=True),
            content("package_version", "VARCHAR", "Version of jiko_pipeline that made the file.", required=True),
            content(
                "definitions_hash", "VARCHAR", "Hash of all declarations, views and macros as they are in the file."
            ),
            provenance("file_id", "VARCHAR", "Name of this file among all that were ever made of this data."),
            provenance(
                "commit_count", "BIGINT", "Transactions that this file has taken in; `commits.jsonl` has it too."
            ),
        ),
        (),
    ),
    TableSpec(
        "meta",
        "data_dictionary",
        "Every column of every table, from the declarations.",
        (
            content("table_schema", "VARCHAR", "Schema.", required=True),
            content("table_name", "VARCHAR", "Table.", required=True),
            content("column_name", "VARCHAR", "Column.", required=True),
            content("column_seq", "INTEGER", "Position in the table, from 1.", required=True),
            content("data_type", "VARCHAR", "SQL type.", required=True),
            content("column_role", "VARCHAR", "content or provenance.", required=True),
            content("column_comment", "VARCHAR", "What it holds.", required=True),
        ),
        ("table_schema", "table_name", "column_name"),
    ),
)
