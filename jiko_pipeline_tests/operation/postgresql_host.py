"""A PostgreSQL of a test's own: made, started on a free port of loopback, and removed with the block.

Belongs here: finding the programs of the Debian package `postgresql`, running them as a user who is not root. Does not
belong here: what is stored. Where the programs are missing the test is skipped; continuous integration fails then.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jiko_pipeline_tests.conftest import SYSTEM_PACKAGE
from jiko_pipeline_tests.operation.dagster_host import free_port

_USERS = ("postgres", "nobody")


def programs() -> Path:
    """The directory with initdb and pg_ctl, of the newest release; skips the test where there is none."""
    named = shutil.which("initdb")
    found = [Path(named).resolve().parent] if named else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    for directory in reversed(found):
        if (directory / "initdb").exists() and (directory / "pg_ctl").exists():
            return directory
    pytest.skip(f"{SYSTEM_PACKAGE} postgresql (initdb and pg_ctl are not here)")


def _user() -> dict[str, int]:
    """Arguments of subprocess that change to another user: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in _USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid}
    pytest.skip(f"{SYSTEM_PACKAGE} postgresql (there is no user to run it as)")


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database; it goes with the block, and so does the server."""
    directory = programs()
    user = _user()
    password = secrets.token_hex(16)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="jiko-postgresql-", dir="/tmp", ignore_cleanup_errors=True) as room:
        home = Path(room)
        (home / "password").write_text(password)
        if user:
            for path in (home, home / "password"):
                os.chown(path, user["user"], user["group"])
        data = home / "data"

        def run(program: str, *words: str) -> None:
            done = subprocess.run(
                [str(directory / program), *words],
                cwd=home,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=(home / "log").open("ab"),
                stderr=subprocess.STDOUT,
                check=False,
                **user,  # type: ignore[arg-type]
            )
            assert done.returncode == 0, (home / "log").read_text(errors="replace")[-2000:]

        run(
            "initdb",
            *("--pgdata", str(data), "--username", "jiko", "--pwfile", str(home / "password"), "--no-sync"),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        )
        options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
        run("pg_ctl", "start", "--wait", "--pgdata", str(data), "--log", str(home / "server.log"), "--options", options)
        try:
            yield f"postgresql+psycopg2://jiko:{password}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "--wait", "--pgdata", str(data), "--mode", "immediate")


def events_in(url: str) -> int:
    """How many events Dagster has stored there."""
    import psycopg2

    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from event_logs")
            ((number,),) = cursor.fetchall()
            return int(number)
    finally:
        connection.close()
