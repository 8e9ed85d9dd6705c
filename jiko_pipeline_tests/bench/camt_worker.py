"""One reader of statements over given files, in a process of its own: `camt_worker.py READER speed|score FILE...`.

Belongs here: what each reader's own interface calls the same thing. Does not belong here: what is right
(`camt_score`). It runs in environments that hold one other reader and not this project, so it imports nothing
of it at the top. Prints one line of JSON for each file.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
"""accounts, openings, closings (texts, in order), entries, net (of all entries), values (every text in the rows)."""


def own(path: Path) -> Answer:
    """This project."""
    from jiko_pipeline.formats import camt053
    from jiko_pipeline.formats.camt053.gate import MOST_BYTES_AT_HAND

    pieces: list[Any] = []
    document = camt053.parse(path.read_bytes(), pieces.append, most_bytes=MOST_BYTES_AT_HAND)

    def signed(balance: Any) -> object:
        return None if balance is None else balance.signed_amount

    values: set[str] = set()
    for frame in (
        frame
        for piece in pieces
        for frame in (piece.entries.frame, *([piece.details.frame] if piece.details else []), *piece.begun.values())
    ):
        values.update(_texts(row.values() for row in frame.to_dicts()))
    return {
        "accounts": [each.header.account_identification for each in document.statements],
        "openings": [_text(signed(each.opening)) for each in document.statements],
        "closings": [_text(signed(each.closing)) for each in document.statements],
        "entries": sum(each.totals.entries for each in document.statements),
        "net": _text(sum((each.totals.net_all for each in document.statements), Decimal(0))),
        "values": sorted(values),
    }


def camt053_package(path: Path) -> Answer:
    """PyPI `camt053`."""
    from camt053 import parse_document

    statements = parse_document(path.read_bytes().decode("utf-8-sig")).statements

    def signed(balances: Iterable[Any], codes: tuple[str, ...], last: bool) -> str | None:
        for code in codes:
            found = [each for each in balances if each.type_code == code]
            if found:
                each = found[-1 if last else 0]
                return _text(Decimal(each.amount) * (-1 if each.credit_debit_indicator == "DBIT" else 1))
        return None

    entries = [entry for each in statements for entry in each.entries]
    rows = [vars_of(entry) for entry in entries] + [vars_of(d) for entry in entries for d in entry.details]
    return {
        "accounts": [each.account.iban or each.account.other_id for each in statements],
        "openings": [signed(each.balances, ("OPBD", "PRCD", "ITBD"), False) for each in statements],
        "closings": [signed(each.balances, ("CLBD", "ITBD"), True) for each in statements],
        "entries": len(entries),
        "net": _text(
            sum((Decimal(e.amount) * (-1 if e.credit_debit_indicator == "DBIT" else 1) for e in entries), Decimal(0))
        ),
        "values": sorted(_texts(row.values() for row in rows)),
    }


def bankstatementparser(path: Path) -> Answer:
    """PyPI `bankstatementparser`."""
    from bankstatementparser import CamtParser

    parser = CamtParser(str(path))
    rows = parser.parse().to_dict("records")
    balances = parser.get_account_balances().to_dict("records")
    by_statement: dict[int, list[Any]] = {}
    for balance in balances:
        by_statement.setdefault(balance["StatementIndex"], []).append(balance)

    def signed(found: list[Any], codes: tuple[str, ...], last: bool) -> str | None:
        for code in codes:
            some = [each for each in found if each["Code"] == code]
            if some:
                return _text(Decimal(str(some[-1 if last else 0]["Amount"])))
        return None

    return {
        "accounts": [found[0]["AccountId"] for found in by_statement.values()],
        "openings": [signed(found, ("OPBD", "PRCD", "ITBD"), False) for found in by_statement.values()],
        "closings": [signed(found, ("CLBD", "ITBD"), True) for found in by_statement.values()],
        "entries": len(rows),
        "net": _text(sum((Decimal(str(row["Amount"])) for row in rows), Decimal(0))),
        "values": sorted(_texts(row.values() for row in rows)),
    }


def pycamt(path: Path) -> Answer:
    """PyPI `pycamt`; it gives the balances of one statement, and no count of entries."""
    from pycamt.parser import Camt053Parser

    parser = Camt053Parser(path.read_bytes())
    found, rows = parser.get_statement_info(), parser.get_transactions()
    found = found if isinstance(found, list) else [found]
    opening, closing = (
        [_text(None if each.get(key) is None else Decimal(str(each[key]))) for each in found]
        for key in ("OpeningBalance", "ClosingBalance")
    )
    return {
        "accounts": [each.get("IBAN") or each.get("OtherID") for each in found],
        "openings": opening,
        "closings": closing,
        "entries": None,
        "net": None,
        "values": sorted(_texts(row.values() for row in rows)),
    }


READERS: dict[str, Callable[[Path], Answer]] = {
    "jiko-pipeline": own,
    "camt053": camt053_package,
    "bankstatementparser": bankstatementparser,
    "pycamt": pycamt,
}


def read_only(reader: str, path: Path) -> None:
    """What the reader's users call to have all rows, without what the score needs."""
    if reader == "jiko-pipeline":
        from jiko_pipeline.formats import camt053
        from jiko_pipeline.formats.camt053.gate import MOST_BYTES_AT_HAND

        camt053.read(path.read_bytes(), most_bytes=MOST_BYTES_AT_HAND)
    elif reader == "camt053":
        from camt053 import parse_document

        parse_document(path.read_text())
    elif reader == "bankstatementparser":
        from bankstatementparser import CamtParser

        CamtParser(str(path)).parse()
    else:
        from pycamt.parser import Camt053Parser

        Camt053Parser(path.read_bytes()).get_transactions()


def vars_of(thing: Any) -> dict[str, Any]:
    """The fields of a record, with or without a dictionary."""
    return {name: getattr(thing, name) for name in thing.__dataclass_fields__ if name != "details"}


def _text(value: object) -> str | None:
    return None if value is None else format(Decimal(str(value)).normalize(), "f")


def _texts(rows: Iterable[Iterable[object]]) -> set[str]:
    """Every value as text: numbers without zeros at their end."""
    found = set()
    for row in rows:
        for value in row:
            if isinstance(value, Decimal) and value.is_finite():
                found.add(format(value.normalize(), "f"))
            elif value is not None:
                found.add(" ".join(str(value).split()))
    return found


def main() -> None:
    """Reads the files named on the command line."""
    reader, mode, *names = sys.argv[1:]
    for name in names:
        answer: Answer
        started = time.process_time()
        try:
            if mode == "speed":
                read_only(reader, Path(name))
                answer = {}
            else:
                answer = READERS[reader](Path(name))
        except Exception as error:  # noqa: BLE001  # whatever another reader raises is its answer
            answer = {"error": type(error).__name__}
        answer["cpu"] = time.process_time() - started
        answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
