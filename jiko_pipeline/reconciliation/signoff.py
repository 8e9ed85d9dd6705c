"""Sign-off: a period is prepared by one person, signed by another, reopened with a reason; nothing is ever changed.

Belongs here: the three steps, what refuses them, the file of each step. Does not belong here: signatures
(`jiko_pipeline.reconciliation.signatures`), what a sign-off states (`signing/*.sql`), the command.

Every step is a row of `recon.signoff` and a file of its own beside the data, whose SHA-256 the row holds; a SIGNED
step keeps the result hash as it was signed, whatever the bank restates later.
"""

import hashlib
import json
import os
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Final

import duckdb

from jiko_pipeline.errors import ExitCode, JikoPipelineError, NotProvedError
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.signatures import verify
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.frames import frame_from, registered
from jiko_pipeline.warehouse.tables import TABLES

VERIFIED: Final = "VERIFIED"
NOT_VERIFIED: Final = "IDENTITY_NOT_VERIFIED"


class SignoffRefusedError(NotProvedError):
    """The period is not in a state that may be signed off."""

    means = "Nothing has been signed off."
    remedy = "Settle what is named, run `jiko sync` for the days, and prepare the period again."


class SignoffStepError(JikoPipelineError):
    """The step does not follow from the steps before it."""

    exit_code = ExitCode.USAGE
    means = "Nothing has been signed off."
    remedy = "`jiko signoff` lists the steps that were taken."


@dataclass(frozen=True, slots=True)
class Period:
    """What is signed off: a legal entity (`pocket_id` empty) or one pocket, for a day or a calendar month."""

    pocket_id: str
    first: date
    last: date

    @classmethod
    def of_day(cls, day: date, pocket_id: str = "") -> "Period":
        """One business day."""
        return cls(pocket_id, day, day)

    @classmethod
    def of_month(cls, year: int, month: int, pocket_id: str = "") -> "Period":
        """One calendar month."""
        return cls(pocket_id, date(year, month, 1), date(year, month, monthrange(year, month)[1]))

    @property
    def scope(self) -> str:
        """LEGAL_ENTITY or POCKET."""
        return "POCKET" if self.pocket_id else "LEGAL_ENTITY"

    @property
    def kind(self) -> str:
        """DAY or MONTH."""
        return "DAY" if self.first == self.last else "MONTH"

    def __str__(self) -> str:
        days = str(self.first) if self.kind == "DAY" else f"{self.first:%Y-%m}"
        return f"{days} of the pocket {self.pocket_id}" if self.pocket_id else days


@dataclass(frozen=True, slots=True)
class Signoff:
    """One step, as the columns of `recon.signoff`; times are naive UTC."""

    customer_id: str
    legal_entity_id: str
    signoff_seq: int
    scope: str
    pocket_id: str
    period: str
    first_date: date
    last_date: date
    status: str
    answers_seq: int | None
    run_id: str
    result_hash: str
    inputs_hash: str
    rules_hash: str
    calendar_version: str
    knowledge_time_utc: datetime | None
    controls: str
    totals: str
    accepted_breaks: str
    open_timing: str
    basis: str
    baseline: str
    days: str
    actor: str
    identity: str
    signature: str | None
    reason: str
    digest: str
    at_utc: datetime


@dataclass(frozen=True, slots=True)
class SignoffDesk:
    """Where sign-offs of one customer are given: the writer's connection and the folder of the steps' files."""

    con: duckdb.DuckDBPyConnection
    customer_id: str
    legal_entity_id: str
    folder: Path

    def prepare(self, period: Period, *, preparer: str, now: datetime) -> Signoff:
        """Enters that `preparer` presents the period for review. Raises SignoffRefusedError with every objection."""
        stated = self._stated(period)
        return self._enter(period, "PREPARED", stated, actor=preparer, now=now)

    def review(
        self,
        period: Period,
        *,
        reviewer: str,
        now: datetime,
        signature: str | None = None,
        allowed_signers: Path | None = None,
    ) -> Signoff:
        """Signs the latest prepared step of the period, when nothing has changed since.

        With a signature and a file of allowed signers the reviewer's identity is VERIFIED; with neither the step
        reads IDENTITY_NOT_VERIFIED. Raises SignoffStepError without a prepared step or when the reviewer prepared it,
        SignoffRefusedError, SignatureError.
        """
        latest = self._latest(period)
        if latest is None or latest["status"] != "PREPARED":
            raise SignoffStepError(f"Nobody has prepared {period} for review.")
        if latest["actor"].strip().casefold() == reviewer.strip().casefold():
            raise SignoffStepError(f"{reviewer} has prepared {period}; another person reviews it.")
        stated = self._stated(period)
        if (stated["result_hash"], stated["inputs_hash"]) != (latest["result_hash"], latest["inputs_hash"]):
            raise SignoffRefusedError(f"What is known of {period} has changed since it was prepared.")
        identity = NOT_VERIFIED
        if signature is not None and allowed_signers is not None:
            verify(stated["result_hash"], signature, reviewer=reviewer, allowed_signers=allowed_signers)
            identity = VERIFIED
        return self._enter(
            period,
            "SIGNED",
            stated,
            actor=reviewer,
            now=now,
            answers=latest["signoff_seq"],
            identity=identity,
            signature=signature,
        )

    def reopen(self, period: Period, *, actor: str, reason: str, now: datetime) -> Signoff:
        """Reopens the signed period. Raises SignoffStepError when it is not signed or no reason is given."""
        latest = self._latest(period, of=("SIGNED", "REOPENED"))
        if latest is None or latest["status"] != "SIGNED":
            raise SignoffStepError(f"{period} is not signed off.")
        if not reason.strip():
            raise SignoffStepError("Reopening needs a reason.", remedy="Give it as a sentence.")
        stated = {name: latest[name] for name in _STATED}
        return self._enter(
            period, "REOPENED", stated, actor=actor, now=now, answers=latest["signoff_seq"], reason=reason.strip()
        )

    def prepared_hash(self, period: Period) -> str:
        """The result hash that a reviewer of the period signs. Raises SignoffStepError when nobody prepared it."""
        latest = self._latest(period)
        if latest is None or latest["status"] != "PREPARED":
            raise SignoffStepError(f"Nobody has prepared {period} for review.")
        return str(latest["result_hash"])

    def _latest(
        self, period: Period, of: tuple[str, ...] = ("PREPARED", "SIGNED", "REOPENED")
    ) -> dict[str, Any] | None:
        rows = self.con.execute(
            "select * from recon.signoff where customer_id = ? and pocket_id = ? and first_date = ? and last_date = ?"
            " and status in (select unnest(?::varchar[])) order by signoff_seq desc limit 1",
            [self.customer_id, period.pocket_id, period.first, period.last, list(of)],
        )
        names = [column[0] for column in rows.description or []]
        found = rows.fetchall()
        return dict(zip(names, found[0], strict=True)) if found else None

    def _stated(self, period: Period) -> dict[str, Any]:
        given = {
            "customer_id": self.customer_id,
            "pocket_id": period.pocket_id,
            "first": period.first,
            "last": period.last,
        }
        try:
            self.con.execute(_sql("signed_days.sql"), given)
            objections = self.con.execute(
                _sql("objections.sql"), {**given, "period": period.kind, "required": list(Registry.load().required)}
            ).fetchall()
            if objections:
                told = " ".join(sentence for (sentence,) in objections[:10])
                more = f" And {len(objections) - 10} more." if len(objections) > 10 else ""
                raise SignoffRefusedError(f"{period} cannot be signed off. {told}{more}")
            row = self.con.execute(_sql("statement.sql"), {key: given[key] for key in given if key != "period"})
            names = [column[0] for column in row.description or []]
            stated = dict(zip(names, row.fetchall()[0], strict=True))
        finally:
            self.con.execute("drop table if exists temp.signed_day")
        if stated["run_id"] is None:
            raise SignoffRefusedError(f"No control has judged {period}.")
        return stated

    def _enter(
        self,
        period: Period,
        status: str,
        stated: Mapping[str, Any],
        *,
        actor: str,
        now: datetime,
        answers: int | None = None,
        identity: str = NOT_VERIFIED,
        signature: str | None = None,
        reason: str = "",
    ) -> Signoff:
        if not actor.strip():
            raise SignoffStepError("A step needs a name.", remedy="Give it by --by, or set JIKO_PERSON.")
        with transaction(self.con):
            ((seq,),) = self.con.execute(
                "select coalesce(max(signoff_seq), 0) + 1 from recon.signoff where customer_id = ?", [self.customer_id]
            ).fetchall()
            step = Signoff(
                customer_id=self.customer_id,
                legal_entity_id=self.legal_entity_id,
                signoff_seq=seq,
                scope=period.scope,
                pocket_id=period.pocket_id,
                period=period.kind,
                first_date=period.first,
                last_date=period.last,
                status=status,
                answers_seq=answers,
                **{name: stated[name] for name in _STATED},
                actor=actor.strip(),
                identity=identity,
                signature=signature,
                reason=reason,
                digest="",
                at_utc=now.astimezone(UTC).replace(tzinfo=None),
            )
            step = self._filed(step)
            values = tuple(getattr(step, column.name) for column in TABLES["recon.signoff"].columns)
            with registered(self.con, "signoff_input", frame_from(TABLES["recon.signoff"], [values])):
                self.con.execute("insert into recon.signoff by name select * from signoff_input")
        return step

    def _filed(self, step: Signoff) -> Signoff:
        """Writes the step's file and gives the step its digest. A file of a step that was never entered is replaced."""
        told = {name: value for name, value in asdict(step).items() if name != "digest"}
        body = (json.dumps(told, indent=2, sort_keys=True, default=str, ensure_ascii=False) + "\n").encode()
        digest = hashlib.sha256(body).hexdigest()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{step.customer_id}-{step.signoff_seq:06d}-{step.status.lower()}.json"
        for file, text in ((path, body), (path.with_suffix(".sha256"), f"{digest}  {path.name}\n".encode())):
            draft = file.with_name(f".{file.name}.draft")
            draft.write_bytes(text)
            os.chmod(draft, 0o400)
            os.replace(draft, file)
        return Signoff(**{**{field.name: getattr(step, field.name) for field in fields(Signoff)}, "digest": digest})


_STATED: Final = (
    "run_id",
    "result_hash",
    "inputs_hash",
    "rules_hash",
    "calendar_version",
    "knowledge_time_utc",
    "controls",
    "totals",
    "accepted_breaks",
    "open_timing",
    "basis",
    "baseline",
    "days",
)


def _sql(name: str) -> str:
    return (resources.files("jiko_pipeline.reconciliation.signing") / name).read_text(encoding="utf-8")
