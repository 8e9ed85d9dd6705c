"""The controls as they stand in their files: header and select, sorted, hashed.

Belongs here: reading and checking control files. Does not belong here: running them
(`jiko_pipeline.reconciliation.runner`).

A control file is a header of `-- key: value` lines and one portable select. A header line with two or more
blanks after the dashes continues the value before it; after the last key comments are the author's own. The keys
`scope` (a pocket, or the customer as a whole) and `gated` (whether a refused input keeps the control from being
tested) may follow the others or be left out.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from jiko_pipeline.errors import JikoPipelineError

DOCUMENT_KINDS: Final = (
    "BANK_STATEMENT",
    "BROKERAGE_STATEMENT",
    "POSITION",
    "SECURITY_PRICE",
    "TRADE_REPORT_CSV",
    "TRADE_REPORT_KYRIBA_CSV",
    "API_TRANSACTIONS",
    "API_TRADES",
    "SECURITY_REFERENCE",
    "API_TRANSACTIONS_CSV",
    "API_TRADES_V1",
    "API_TRADES_CSV",
    "AUDIT_LOGS",
    "AUDIT_LOGS_CSV",
    "EARNINGS",
    "TRANSFER_REQUESTS",
    "EVENTS",
    "POCKETS",
    "PORTALS",
    "TRADING_STRATEGIES",
    "COUNTERPARTIES",
    "REVIEWERS",
    "SUBSCRIPTIONS",
    "TEAM",
    "USER",
    "EXPECTED_PAYMENTS",
    "DEBIT_ALLOW_LIST",
    "TREASURY_AUCTIONS",
    "TREASURY_PRICES",
)
"""Kinds of document a control may name as its input."""


class BreakClass(StrEnum):
    """What a break is. TIMING is expected to clear; the others need somebody."""

    TIMING = "TIMING"
    MISSING = "MISSING"
    AMOUNT = "AMOUNT"
    DUPLICATE = "DUPLICATE"
    REFERENCE_DATA = "REFERENCE_DATA"
    VALUATION = "VALUATION"
    ARITHMETIC = "ARITHMETIC"
    DATA_QUALITY = "DATA_QUALITY"
    RESTATEMENT = "RESTATEMENT"


class Severity(StrEnum):
    """S1 stops the close, S2 must be explained within one business day, S3 informs."""

    S1 = "S1"
    S2 = "S2"
    S3 = "S3"


class EvidenceClass(StrEnum):
    """How independent the two sides of a control are."""

    ARITHMETIC = "ARITHMETIC"
    INTRA_PROVIDER = "INTRA_PROVIDER"
    PUBLIC_REFERENCE = "PUBLIC_REFERENCE"
    CUSTOMER_RECORD = "CUSTOMER_RECORD"


class Scope(StrEnum):
    """What a control speaks of: each pocket and day, or the customer and day (with an empty pocket)."""

    POCKET = "pocket"
    CUSTOMER = "customer"


class ControlFileError(JikoPipelineError):
    """A control file's header is incomplete or says something that is not known."""

    means = "No control has run; the results of earlier runs stand."


@dataclass(frozen=True, slots=True)
class Control:
    """One control. `sql` is the select without its header, `codes` says the class of each break code.

    `severities` holds the codes whose severity is their own; the others have that of the control.
    """

    control_id: str
    name: str
    version: str
    title: str
    key: str
    identity: str
    tolerance: str
    hides: str
    codes: Mapping[str, BreakClass]
    severity: Severity
    evidence: EvidenceClass
    inputs: tuple[str, ...]
    chained: bool
    gate: bool
    required: bool
    sql: str
    sql_sha256: str
    severities: Mapping[str, Severity] = field(default_factory=dict)
    scope: Scope = Scope.POCKET
    gated: bool = True

    def severity_of(self, code: str) -> Severity:
        """The severity of a break with this code."""
        return self.severities.get(code, self.severity)

    @property
    def codes_text(self) -> str:
        """The codes as the header gives them: `CODE = CLASS`, with the severity where it is the code's own."""
        return ", ".join(
            f"{code} = {break_class.value}" + (f" {self.severities[code].value}" if code in self.severities else "")
            for code, break_class in self.codes.items()
        )

    @property
    def major(self) -> str:
        """The part of the version that belongs to the identity of its breaks."""
        return self.version.split(".")[0]


_HEADER_KEYS: Final = frozenset(
    [
        "id",
        "version",
        "title",
        "key",
        "identity",
        "tolerance",
        "hides",
        "codes",
        "severity",
        "evidence",
        "inputs",
        "chained",
        "gate",
        "required",
    ]
)
_OPTIONAL_KEYS: Final = frozenset(["scope", "gated"])
_LINE: Final = re.compile(r"--(?: (?P<key>[a-z]+): (?P<value>.*)|\s{2,}(?P<more>.*))$")
_FILE_NAME: Final = re.compile(r"k(?P<number>\d\d)_(?P<name>[a-z0-9_]+)\.sql")


def parse_control(file_name: str, text: str) -> Control:
    """The control in `text`, the content of the file `file_name` (`kNN_<name>.sql`).

    Raises ControlFileError naming the file and what is wrong with its header.
    """
    named = _FILE_NAME.fullmatch(file_name)
    if named is None:
        raise ControlFileError(f"{file_name} is not named like a control file (k01_name.sql).")
    header, sql = _split(file_name, text)
    missing = _HEADER_KEYS - header.keys()
    unknown = header.keys() - _HEADER_KEYS - _OPTIONAL_KEYS
    if missing or unknown:
        raise ControlFileError(
            f"The header of {file_name} lacks {sorted(missing)} and has unknown keys {sorted(unknown)}."
        )
    if header["id"] != f"K{named['number']}":
        raise ControlFileError(f"{file_name} holds the control {header['id']}.")
    if not sql:
        raise ControlFileError(f"{file_name} has no select.")
    try:
        codes, severities = _codes(header["codes"])
        return Control(
            control_id=header["id"],
            name=named["name"],
            version=header["version"],
            title=header["title"],
            key=header["key"],
            identity=header["identity"],
            tolerance=header["tolerance"],
            hides=header["hides"],
            codes=codes,
            severity=Severity(header["severity"]),
            evidence=EvidenceClass(header["evidence"]),
            inputs=_inputs(header["inputs"]),
            chained=_yes(header["chained"]),
            gate=_yes(header["gate"]),
            required=_yes(header["required"]),
            sql=sql,
            sql_sha256=hashlib.sha256(text.encode()).hexdigest(),
            severities=severities,
            scope=Scope(header.get("scope", Scope.POCKET)),
            gated=_yes(header.get("gated", "yes")),
        )
    except ValueError as error:
        raise ControlFileError(f"The header of {file_name} is wrong: {error}.") from error


def _split(file_name: str, text: str) -> tuple[dict[str, str], str]:
    header: dict[str, str] = {}
    key = ""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = _LINE.match(line)
        if match is not None and match["more"] is not None and key:
            header[key] = f"{header[key]} {match['more'].strip()}"
        elif match is not None and match["key"] and (_HEADER_KEYS - header.keys() or match["key"] in _OPTIONAL_KEYS):
            key = match["key"]
            if key in header:
                raise ControlFileError(f"The header of {file_name} gives '{key}' twice.")
            header[key] = match["value"].strip()
        else:
            return header, "\n".join(lines[number:]).strip().removesuffix(";").strip()
    return header, ""


def _codes(text: str) -> tuple[dict[str, BreakClass], dict[str, Severity]]:
    codes: dict[str, BreakClass] = {}
    severities: dict[str, Severity] = {}
    for item in text.split(","):
        code, separator, told = (part.strip() for part in item.partition("="))
        break_class, _, severity = told.partition(" ")
        if not separator or not re.fullmatch(r"[A-Z][A-Z0-9_]*", code) or code in codes:
            raise ValueError(f"codes are 'CODE = CLASS' or 'CODE = CLASS S3' each once, not '{item.strip()}'")
        codes[code] = BreakClass(break_class)
        if severity:
            severities[code] = Severity(severity.strip())
    return codes, severities


def _inputs(text: str) -> tuple[str, ...]:
    inputs = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [kind for kind in inputs if kind not in DOCUMENT_KINDS]
    if unknown or not inputs:
        raise ValueError(f"inputs are kinds of document, at least one; unknown: {unknown}")
    return inputs


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"'{text}' is neither yes nor no")
    return text == "yes"


@dataclass(frozen=True, slots=True)
class Registry:
    """All controls, sorted by id. `rules_hash` covers every file that has a say in a result."""

    controls: tuple[Control, ...]
    rules_hash: str

    @classmethod
    def load(cls) -> "Registry":
        """The controls that travel inside the package. Raises ControlFileError."""
        room = resources.files("jiko_pipeline.reconciliation")
        folders = (room, *(room / name for name in ("evidence", "judging", "matching", "learning")))
        rules = [one for folder in folders for one in _texts(folder)]
        rules.append(("codes.toml", (room / "codes.toml").read_text(encoding="utf-8")))
        return cls.of(_texts(room / "controls"), rules=rules)

    @classmethod
    def of(cls, control_files: list[tuple[str, str]], *, rules: list[tuple[str, str]] | None = None) -> "Registry":
        """A registry of (file name, text) pairs; `rules` are further files that enter the hash."""
        controls = tuple(
            sorted(
                (parse_control(name, text) for name, text in control_files),
                key=lambda control: control.control_id,
            )
        )
        ids = [control.control_id for control in controls]
        if len(set(ids)) != len(ids):
            raise ControlFileError(f"A control id is given by two files: {ids}.")
        digest = hashlib.sha256()
        for name, text in sorted([*control_files, *(rules or [])]):
            digest.update(f"{name}\0{hashlib.sha256(text.encode()).hexdigest()}\n".encode())
        return cls(controls, digest.hexdigest())

    def __getitem__(self, control_id: str) -> Control:
        for control in self.controls:
            if control.control_id == control_id:
                return control
        raise KeyError(control_id)

    @property
    def gates(self) -> tuple[Control, ...]:
        """The controls whose breaks keep others from being tested, in their order."""
        return tuple(control for control in self.controls if control.gate)

    @property
    def required(self) -> tuple[str, ...]:
        """Ids of the controls without which no day is ready to book."""
        return tuple(control.control_id for control in self.controls if control.required)


def _texts(folder: Traversable) -> list[tuple[str, str]]:
    return sorted(
        (item.name, item.read_text(encoding="utf-8")) for item in folder.iterdir() if item.name.endswith(".sql")
    )
