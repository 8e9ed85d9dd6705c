"""Every command block of the README, run as it stands in a copy of the project.

`make test` is the one block that is not run: it would run this test. The line that clones is replaced by the copy,
and the placeholders of the real bank's block by a client of a simulated bank that is asked like the real one.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import duckdb
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jiko_pipeline_tests.reading.jiko_runs import Answer, clean_environment, end_simulator, simulator

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
CLONE = re.compile(r"^git clone \S+ jiko_pipeline && cd jiko_pipeline$", re.MULTILINE)
POCKETS = 4


def block(mark: str) -> str:
    """The one command block that contains `mark`."""
    (found,) = [text for text in BLOCKS if mark in text]
    return str(found)


def run(copy: Path, commands: str, **variables: str) -> Answer:
    """The commands of a block by the shell, stopped at the first that fails."""
    done = subprocess.run(
        ["sh", "-e", "-c", commands],
        cwd=copy,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def _make_environment(folder: Path) -> None:
    """A virtual environment that already has what the requirements name, and the project from its own folder."""
    venv.create(folder / ".venv", with_pip=False, symlinks=True)
    installed = next(path for path in map(Path, sys.path) if (path / "dagster").is_dir())
    site = next((folder / ".venv" / "lib").glob("python*/site-packages"))
    (site / "project.pth").write_text(f"{folder}\n{installed}\n")
    python = folder / ".venv" / "bin" / "python"
    wanted = {"jiko", "dagster", "dagster-webserver", "dagster-daemon"}
    for entry in entry_points(group="console_scripts"):
        if entry.name in wanted:
            script = folder / ".venv" / "bin" / entry.name
            script.write_text(
                f"#!{python}\nimport sys\nfrom {entry.module} import {entry.attr}\nsys.exit({entry.attr}())\n"
            )
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
    for stamp in (".runtime-installed", ".development-installed"):
        (folder / ".venv" / stamp).touch()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What a clone of the project holds, with a virtual environment that needs no installation."""
    if not (PROJECT / ".git").exists():
        pytest.skip("the files of a clone are known to git only, and this is no clone")
    folder = tmp_path_factory.mktemp("readme") / "jiko_pipeline"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    _make_environment(folder)
    yield folder
    for state_dir in (folder / "data" / "simulator", *folder.glob("data/fault-*/simulator")):
        end_simulator(state_dir)


@pytest.fixture(scope="module")
def demo(copy: Path) -> Answer:
    """The block of the two commands, in the copy instead of a clone."""
    commands, replaced = CLONE.subn(":", block("make demo"))
    assert replaced == 1
    return run(copy, commands)


@pytest.fixture(scope="module")
def after_demo(copy: Path, demo: Answer) -> Path:
    assert demo.code == 0, demo.err
    return copy


def test_all_blocks_are_those_that_the_tests_below_run() -> None:
    marks = [
        "make demo",
        "jiko verify --hashes",
        "--fault",
        "jiko signoff",
        "--from 2024-07-18",
        "make dev",
        "jiko probe",
        "JIKO_ENVIRONMENT=",
    ]
    run_here = [block(mark) for mark in marks]
    assert [text for text in BLOCKS if text not in run_here] == ["make test\n"]
    assert len(set(run_here)) == len(marks)


def test_the_two_commands_print_a_verdict_line_a_pocket_and_publish(after_demo: Path, demo: Answer) -> None:
    lines = demo.out.splitlines()
    assert lines[0] == "SIMULATED bank, real Treasury bills, 2024-06-03 to 2024-07-17"
    verdicts = [line for line in lines if "days ready to book" in line]
    assert len(verdicts) == POCKETS
    assert all(line.startswith("READY ") and line.endswith("unexplained 0.00") for line in verdicts)
    assert f"Published: {after_demo / 'data' / 'treasury.duckdb'}" in lines


def test_the_verdict_that_the_readme_shows_is_the_one_that_is_printed(demo: Answer) -> None:
    shown = re.findall(r"^(?:SIMULATED|READY) .*$", README, re.MULTILINE)
    assert len(shown) == 2
    assert set(shown) <= set(demo.out.splitlines())


def test_a_second_run_has_nothing_to_do_and_says_so(after_demo: Path) -> None:
    published = after_demo / "data" / "treasury.duckdb"
    before = published.stat()
    answer = run(after_demo, "make demo")
    assert answer.code == 0, answer.err
    assert "(nothing new to do)" in answer.out.splitlines()[0]
    assert (published.stat().st_ino, published.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_you_then_have_can_be_read(after_demo: Path) -> None:
    answer = run(after_demo, block("jiko verify --hashes"))
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert "last good business date:    2024-07-17" in lines
    assert "No open breaks." in lines
    assert "pocket_id\tbusiness_date\tready_to_book\tclosing_value\tunexplained" in lines
    assert (
        sum(re.fullmatch(r"[0-9a-f-]{36}\t2024-06-\d\d\ttrue\t\d+\.\d\d\t0\.00", line) is not None for line in lines)
        == 5
    )
    assert "line_no\tlabel\tamount" in lines
    assert any(re.fullmatch(r"1\topening\t\d+\.\d\d", line) for line in lines)
    assert any(
        re.fullmatch(r"Every file of \d+ archived documents has the hash it was named by\.", line) for line in lines
    )
    assert any(re.fullmatch(r"[0-9a-f]{32} +\d+  mart\.daily_close", line) for line in lines)


def test_a_table_is_read_as_it_was_known_and_nothing_is_signed_off_yet(after_demo: Path) -> None:
    answer = run(after_demo, f". .venv/bin/activate\n{block('jiko signoff')}")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert sum(re.fullmatch(r"[0-9a-f-]{36}\t2024-0\d-\d\d\ttrue", line) is not None for line in lines) == 5
    assert "Nothing is signed off." in lines


def test_a_control_is_seen_to_fail_with_exit_code_10(after_demo: Path) -> None:
    answer = run(after_demo, f". .venv/bin/activate\n{block('--fault')}", JIKO_SIMULATOR_POCKETS="1")
    assert answer.code == 0, answer.err
    assert "SIMULATED bank with the fault bank-entry-off-by-a-cent, 2024-06-03 to 2024-07-17" in answer.out
    assert sum(line.startswith("NOT READY ") for line in answer.out.splitlines()) >= 1
    codes = {tuple(line.split("\t")[2:4]) for line in answer.out.splitlines() if line.count("\t") > 5}
    assert {("K10", "FOOT_BANK"), ("K21", "TX_AMT")} <= codes


def test_further_days_are_synced(after_demo: Path) -> None:
    commands = block("--from 2024-07-18")
    answer = run(after_demo, f". .venv/bin/activate\n{commands}")
    assert answer.code == 0, answer.err
    with duckdb.connect(str(after_demo / "data" / "treasury.duckdb"), read_only=True) as con:
        open_on = dict(
            con.execute(
                "select cast(business_date as varchar), count(*) from mart.daily_close"
                " where business_date > date '2024-07-17' group by all"
            ).fetchall()
        )
    assert (len(open_on), max(open_on)) == (10, "2024-07-31")
    verdicts = [line for line in answer.out.splitlines() if "days ready to book" in line]
    assert all(line.startswith("READY ") for line in verdicts)
    assert sum(": 1 of 1 days" in line for line in verdicts) == open_on["2024-07-18"] > 0
    assert sum(": 10 of 10 days" in line for line in verdicts) == open_on["2024-07-31"] > 0


def test_the_bank_can_be_asked_from_a_terminal_and_from_python(after_demo: Path) -> None:
    answer = run(after_demo, f". .venv/bin/activate\n{block('jiko probe')}")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert any("no differences from the contract" in line for line in lines)
    assert sum(line.split(" $")[0] in ("Operating", "Payroll reserve", "Tax reserve") for line in lines) == 3


def test_the_dagster_ui_serves_its_page_and_the_definitions(after_demo: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    log = after_demo.parent / "dagster.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["sh", "-e", "-c", block("make dev")],
            cwd=after_demo,
            env=clean_environment(DAGSTER_CLI_DEV_PORT=str(port)),
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            page = _page(process, f"http://127.0.0.1:{port}/", log)
            assert "Dagster" in page
            location = _asked(
                port, "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"
            )
            assert '"name":"jiko_pipeline"' in location.replace(" ", "")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    assert "http://127.0.0.1:3000" in README


def _page(process: subprocess.Popen[bytes], url: str, log: Path) -> str:
    while True:
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)


def _asked(port: int, query: str) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=b'{"query": "%s"}' % query.encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())


def test_the_real_bank_is_asked_with_a_registered_key(copy: Path, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "private_key.pem", tmp_path / "public_key.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    private.chmod(0o600)
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with simulator(tmp_path / "bank", "--pockets", "1", "--client", f"treasury={public}") as bank:
        commands = block("JIKO_ENVIRONMENT=")
        for placeholder, value in (
            ("your-client-id", "treasury"),
            ("/path/to/private_key.pem", str(private)),
            ("your-key-id", "key-1"),
            ("files.example", bank["storage_host"]),
        ):
            assert commands.count(placeholder) == 1
            commands = commands.replace(placeholder, value)
        answer = run(
            copy,
            f". .venv/bin/activate\n{commands}",
            JIKO_API_URL=bank["api_url"],
            JIKO_AUTH_URL=bank["auth_url"],
            JIKO_POLL_BASE_SECONDS="0.05",
        )
    assert answer.code == 0, answer.err
    assert f"Published: {copy / 'data-jiko' / 'treasury.duckdb'}" in answer.out.splitlines()
    with duckdb.connect(str(copy / "data-jiko" / "treasury.duckdb"), read_only=True) as con:
        assert con.execute("select environment from meta.world").fetchall() == [("sandbox",)]
        assert con.execute("select count(*) from core.bank_daily").fetchall() == [(1,)]
        unproved = con.execute(
            "select count(*), count(*) filter (where status = 'NOT_TESTED') from recon.result where control_id = 'K33'"
        ).fetchall()
        assert unproved[0][0] == unproved[0][1] > 0
