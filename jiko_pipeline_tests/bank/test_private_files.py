"""The small databases of the data directory, made and shared by threads and processes."""

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

from jiko_pipeline.bank.private_files import private_database

SCHEMA = "create table if not exists seen (number integer primary key)"


def test_several_that_make_the_same_database_at_once_all_get_it(tmp_path: Path) -> None:
    makers = 4
    troubles: list[BaseException] = []

    def make(file: Path, together: threading.Barrier) -> None:
        together.wait()
        try:
            with closing(private_database(file, SCHEMA)) as database:
                database.execute("insert into seen default values")
        except BaseException as trouble:  # noqa: BLE001  # handed to the test's thread
            troubles.append(trouble)

    for number in range(50):
        file = tmp_path / f"{number}.sqlite"
        together = threading.Barrier(makers)
        threads = [threading.Thread(target=make, args=(file, together)) for _ in range(makers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert troubles == []
        with closing(private_database(file, SCHEMA)) as database:
            assert database.execute("select count(*) from seen").fetchone() == (makers,)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".sqlite"] * 50


def test_another_process_leaves_the_journal_of_a_database_that_was_opened_twice_here(tmp_path: Path) -> None:
    file = tmp_path / "shared.sqlite"
    read_and_close = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('select * from seen'); d.close()"
    with closing(private_database(file, SCHEMA)) as first:
        private_database(file, SCHEMA).close()
        first.execute("insert into seen default values")
        subprocess.run([sys.executable, "-c", read_and_close, str(file)], check=True)
        first.execute("insert into seen default values")
        with closing(sqlite3.connect(file)) as reader:
            assert reader.execute("select count(*) from seen").fetchone() == (2,)
        assert file.with_name("shared.sqlite-wal").exists()
