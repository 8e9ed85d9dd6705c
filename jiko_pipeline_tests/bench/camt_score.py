"""`python -m jiko_pipeline_tests.bench.camt_score [--peers] [--most N]`: the score on the corpus of statements.

Belongs here: files right, facts, malformed files refused; with `--peers` the same of other readers from PyPI,
which go into a temporary environment and nowhere else, and what reading costs each. Does not belong here: how
a reader is called (`camt_worker`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.reading import RefusedDocumentError
from jiko_pipeline_tests.bench.documents import write_statement
from jiko_pipeline_tests.formats.corpus_facts import compared, statement_facts, true_statement_facts

PEERS: Final = ("camt053==0.0.20", "bankstatementparser==0.0.29", "pycamt==1.1.1")
SIZES: Final = (1_000, 50_000, 500_000)
SECONDS_EACH: Final = 120
_WORKER: Final = Path(__file__).with_name("camt_worker.py")
_ROOT_OF_V01: Final = b"BkToCstmrStmtV01"
"""The witness knows no statement of the first version, so its files with this root are not scored."""


def main() -> int:
    """Prints the score; 2 when the corpus is not at hand."""
    parser = argparse.ArgumentParser(description="The score of readers of camt.053 on the corpus.")
    parser.add_argument("--peers", action="store_true", help="compare with other readers, installed for the moment")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest number of entries to measure")
    chosen = parser.parse_args()
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    folder = Path(os.environ.get("JIKO_SHARED_DIR", beside)) / "camt"
    if not (folder / "expected.json").is_file():
        sys.stderr.write("The corpus is not at hand: set JIKO_SHARED_DIR to the folder that holds camt/.\n")
        return 2
    truth: dict[str, Any] = json.loads((folder / "expected.json").read_text())
    _print_own(folder, truth)
    if chosen.peers:
        _print_peers(folder, truth, [size for size in SIZES if size <= chosen.most])
    return 0


def _print_own(folder: Path, truth: dict[str, Any]) -> None:
    right = scorable = facts = otherwise = refused = malformed = 0
    for name, expected in truth.items():
        body = (folder / "corpus" / name).read_bytes()
        if expected["statements"]:
            scorable += 1
            read = camt053.parse(body)
            right += [statement_facts(each) for each in read.statements] == [
                true_statement_facts(each) for each in expected["statements"]
            ]
            seen, wrong = compared(name, body, expected)
            facts += seen
            otherwise += len(wrong)
        elif _ROOT_OF_V01 not in body:
            malformed += 1
            try:
                camt053.parse(body)
            except RefusedDocumentError:
                refused += 1
    sys.stdout.write(
        f"files right          {right} of {scorable}\n"
        f"facts                {100 * (facts - otherwise) / facts:.2f} % of {facts:,}\n"
        f"no statement in them {refused} of {malformed} refused\n"
    )


def _print_peers(folder: Path, truth: dict[str, Any], sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory(prefix="jiko-peers-") as place:
        venv.create(place, with_pip=True)
        python = Path(place) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True, stderr=subprocess.DEVNULL)
        files = []
        for size in sizes:
            files.append(Path(place) / f"{size}.xml")
            write_statement(size, files[-1])
        head = "".join(f"{f'{size:,}: CPU s, MB':>24}" for size in sizes)
        sys.stdout.write(f"\n{'reader':<24}{'right':>8}{'silent':>8}{'raised':>8}{'facts':>8}{head}\n")
        for reader, interpreter in [("jiko-pipeline", Path(sys.executable))] + [
            (peer.partition("==")[0], python) for peer in PEERS
        ]:
            _print_reader(reader, interpreter, folder, truth, files)


def _print_reader(reader: str, python: Path, folder: Path, truth: dict[str, Any], files: list[Path]) -> None:
    names = [name for name, expected in truth.items() if expected["statements"]]
    answers = _answers(python, reader, "score", [folder / "corpus" / name for name in names])
    right = silent = raised = held = facts = 0
    for name, answer in zip(names, answers, strict=False):
        expected = truth[name]
        values = set(answer.get("values", ()))
        wanted = _wanted(expected)
        facts += len(wanted)
        held += len(wanted & values)
        if "error" in answer:
            raised += 1
        elif _is_right(answer, expected):
            right += 1
        else:
            silent += 1
    costs = ""
    for file in files:
        measured = _answers(python, reader, "speed", [file])
        cost = "stopped"
        if measured:
            (answer,) = measured
            cost = answer.get("error") or f"{answer['cpu']:.2f}, {answer['peak_mb']:.0f}"
        costs += f"{cost:>24}"
    sys.stdout.write(f"{reader:<24}{right:>8}{silent:>8}{raised:>8}{100 * held / facts:>7.1f}%{costs}\n")
    sys.stdout.flush()


def _answers(python: Path, reader: str, mode: str, files: list[Path]) -> list[dict[str, Any]]:
    """The worker's answers; fewer than files when it was stopped."""
    try:
        done = subprocess.run(
            [python, _WORKER, reader, mode, *files],
            capture_output=True,
            text=True,
            timeout=SECONDS_EACH,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return []
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _is_right(answer: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Statements, accounts, opening, closing, and as far as it says them the entries and their signed net."""
    statements = expected["statements"]

    def amounts(key: str) -> list[str | None]:
        return [None if each[key] is None else _plain(each[key]["amount"]) for each in statements]

    entries = [entry for each in statements for entry in each["entries"]]
    rows = {len(entries), sum(max(1, len(entry["details"])) for entry in entries)}
    net = sum((Decimal(each["sum_credit"]) - Decimal(each["sum_debit"]) for each in statements), Decimal(0))
    return (
        # What has no balance, or no account, may be left out of the lists.
        _stated(answer["accounts"]) == _stated([each["account"] for each in statements])
        and _stated(answer["openings"]) == _stated(amounts("opening"))
        and _stated(answer["closings"]) == _stated(amounts("closing"))
        # A reader may give a row for each entry or for each transaction.
        and (answer["entries"] is None or answer["entries"] in rows)
        and (answer["net"] is None or answer["net"] == _plain(net))
    )


def _stated(texts: list[str | None]) -> list[str]:
    return [text for text in texts if text is not None]


def _plain(amount: object) -> str:
    return format(Decimal(str(amount)).normalize(), "f")


def _wanted(expected: dict[str, Any]) -> set[str]:
    """Every text that the witness saw in entries and transactions, whatever a reader calls its field."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, str) and value.strip():
            try:
                found.add(_plain(value))
            except ArithmeticError:
                found.add(" ".join(value.split()))

    for statement in expected["statements"]:
        walk(statement["entries"])
    return found


if __name__ == "__main__":
    raise SystemExit(main())
