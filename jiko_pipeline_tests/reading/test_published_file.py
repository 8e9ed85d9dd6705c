"""The published file as an analyst finds it: comments, the data dictionary, the list of controls, its mode."""

import stat
from collections.abc import Callable
from pathlib import Path

import duckdb

from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.warehouse.publish import publish
from jiko_pipeline_tests.reading.jiko_runs import Directory

EVIDENCE_CLASSES = {"ARITHMETIC", "INTRA_PROVIDER", "PUBLIC_REFERENCE", "CUSTOMER_RECORD"}


def test_every_table_and_view_has_a_comment(published_con: duckdb.DuckDBPyConnection) -> None:
    found = published_con.execute(
        "select schema_name || '.' || table_name, comment from duckdb_tables() where not internal"
        " union all select schema_name || '.' || view_name, comment from duckdb_views() where not internal"
    ).fetchall()
    assert {"mart.daily_close", "mart.recon_bridge", "recon.result", "recon.break", "meta.data_dictionary"} <= {
        name for name, _ in found
    }
    assert [name for name, comment in found if not comment or not comment.endswith(".")] == []


def test_every_column_of_every_table_has_a_comment(published_con: duckdb.DuckDBPyConnection) -> None:
    tables = published_con.execute(
        "select schema_name || '.' || table_name || '.' || column_name, comment from duckdb_columns()"
        " where not internal and (schema_name, table_name) in"
        " (select schema_name, table_name from duckdb_tables() union all select 'recon', 'break')"
    ).fetchall()
    assert any(name.startswith("recon.break.") for name, _ in tables)
    assert [name for name, comment in tables if not comment or not comment.endswith(".")] == []


def test_the_data_dictionary_lists_every_column_of_every_table_as_it_is(
    published_con: duckdb.DuckDBPyConnection,
) -> None:
    held = published_con.execute(
        "select schema_name, c.table_name, column_name, row_number() over"
        " (partition by schema_name, c.table_name order by column_index), data_type, c.comment"
        " from duckdb_columns() as c join duckdb_tables() as t using (schema_name, table_name)"
        " where not c.internal order by all"
    ).fetchall()
    listed = published_con.execute(
        "select table_schema, table_name, column_name, column_seq, data_type, column_comment"
        " from meta.data_dictionary where column_role <> 'parameter' and (table_schema, table_name) not in"
        " (select schema_name, view_name from duckdb_views()) order by all"
    ).fetchall()
    assert listed == held
    roles = published_con.execute("select distinct column_role from meta.data_dictionary order by 1").fetchall()
    assert roles == [("content",), ("parameter",), ("provenance",)]


def test_names_carry_their_unit_times_are_utc_and_nothing_is_a_float(
    published_con: duckdb.DuckDBPyConnection,
) -> None:
    columns = published_con.execute(
        "select table_schema || '.' || table_name, column_name, data_type from meta.data_dictionary"
    ).fetchall()
    assert [
        (table, name) for table, name, kind in columns if kind in ("DOUBLE", "FLOAT", "TIMESTAMP WITH TIME ZONE")
    ] == []
    assert [(table, name) for table, name, kind in columns if kind == "TIMESTAMP" and not name.endswith("_utc")] == []


def test_every_control_is_listed_with_its_evidence_class_and_what_it_hides(
    published_con: duckdb.DuckDBPyConnection,
) -> None:
    rows = published_con.execute(
        "select control_id, title, identity, tolerance, hides, severity, evidence_class, codes, sql_sha256"
        " from recon.control order by control_id"
    ).fetchall()
    assert [row[0] for row in rows] == [control.control_id for control in Registry.load().controls]
    assert {row[0] for row in rows} == {
        *("K01", "K02", "K03", "K04", "K05", "K06", "K10", "K11", "K12", "K13", "K14", "K15", "K16", "K20", "K21"),
        *("K22", "K23", "K24", "K25", "K26", "K27", "K30", "K31", "K32", "K33", "K34", "K35", "K36", "K37", "K38"),
        *("K39", "K40", "K41", "K42", "K43", "K44", "K45", "K47", "K50", "K51", "K52", "K55", "K56", "K57", "K58"),
    }
    for control_id, *texts, severity, evidence_class, codes, sql_sha256 in rows:
        assert all(text.strip() for text in texts), control_id
        assert evidence_class in EVIDENCE_CLASSES, control_id
        assert severity in {"S1", "S2", "S3"}, control_id
        assert codes, control_id
        assert len(sql_sha256) == 64, control_id


def test_each_break_code_that_a_control_gave_is_one_that_it_lists(broken: Directory, quarantined: Directory) -> None:
    for directory in (broken, quarantined):
        with duckdb.connect(str(directory.data_dir / "treasury.duckdb"), read_only=True) as con:
            given = con.execute(
                "select r.control_id, r.code, c.codes from recon.result as r"
                " join recon.control as c using (control_id) where r.status = 'BREAK'"
            ).fetchall()
        assert given
        assert [(control_id, code) for control_id, code, codes in given if code not in codes] == []


def test_each_bridge_ends_with_what_is_left_unexplained_and_foots(published_con: duckdb.DuckDBPyConnection) -> None:
    wrong = published_con.execute(
        "with bridge as ("
        " select pocket_id, business_date,"
        "  sum(amount) filter (where label not in ('closing', 'unexplained')) as explained,"
        "  max(amount) filter (where label = 'closing') as closing,"
        "  arg_max(label, line_no) as last_label, arg_max(amount, line_no) as unexplained"
        " from mart.recon_bridge group by all)"
        " select * from bridge join mart.daily_close as c using (pocket_id, business_date)"
        " where last_label <> 'unexplained' or bridge.unexplained <> 0 or c.unexplained <> 0"
        " or explained <> closing or closing <> c.closing_value"
    ).fetchall()
    assert wrong == []
    assert published_con.execute(
        "select count(distinct (pocket_id, business_date)) from mart.recon_bridge"
    ).fetchall() == [(16,)]


def _modes(data_dir: Path) -> tuple[int, int]:
    return stat.S_IMODE((data_dir / "treasury.duckdb").stat().st_mode), stat.S_IMODE(data_dir.stat().st_mode)


def test_the_file_is_readable_by_its_owner_alone(clean: Directory) -> None:
    assert _modes(clean.data_dir) == (0o400, 0o700)


def test_a_setting_gives_the_group_read_access_and_its_absence_takes_it_back(
    clean: Directory, copy_of: Callable[[Directory], Directory]
) -> None:
    directory = copy_of(clean)

    def settings(group: bool) -> Settings:
        return load_settings(data_dir=directory.data_dir, published_group_readable=group)

    publish(settings(True))
    assert _modes(directory.data_dir) == (0o440, 0o750)
    publish(settings(False))
    assert _modes(directory.data_dir) == (0o400, 0o700)


def test_nothing_else_in_the_data_directory_is_readable_by_others(clean: Directory) -> None:
    open_to_others = [
        path.relative_to(clean.data_dir)
        for path in clean.data_dir.rglob("*")
        if stat.S_IMODE(path.stat().st_mode) & 0o077 and not path.is_dir()
    ]
    assert open_to_others == []


def test_no_key_token_or_link_is_in_the_published_file_or_the_archive(clean: Directory) -> None:
    files = [
        clean.data_dir / "treasury.duckdb",
        *(path for path in (clean.data_dir / "archive").rglob("*") if path.is_file()),
    ]
    private_key = (clean.data_dir / "simulator" / "client_key.pem").read_bytes().splitlines()[1]
    for file in files:
        body = file.read_bytes()
        for secret in (b"PRIVATE KEY", b"client_assertion", b"Bearer ", b"/files/", private_key):
            assert secret not in body, (file, secret[:12])
