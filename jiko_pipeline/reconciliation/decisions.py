"""What people decide about breaks: accept, resolve, reopen, assign, note; each an appended event, none ever edited.

Belongs here: the rules of a decision and its event. Does not belong here: the events that a run gives
(`jiko_pipeline.reconciliation.lifecycle`), taking a turn at the warehouse and publishing
(`jiko_pipeline.pipeline.deciding`).

Accepting and resolving bind to both sides, their difference and the documents behind them: the next run that finds
any of them changed reopens the break.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import duckdb

from jiko_pipeline import calendars
from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.reconciliation.evidence import sql_text
from jiko_pipeline.reconciliation.lifecycle import prepare_input_hashes, reached_date
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.warehouse.connection import transaction

LONGEST_ACCEPTANCE_DAYS: Final = 30
"""Calendar days; an acceptance always ends."""

SHORTEST_ID: Final = 8
"""How many characters of a break's id are enough to name it."""


class DecisionError(JikoPipelineError):
    """A decision that the rules refuse; nothing has been written."""

    exit_code = ExitCode.USAGE
    means = "The break stands as it stood; nothing has been written."
    remedy = "`jiko breaks` lists the open breaks with their ids; `jiko explain ID` shows one with its life."


@dataclass(frozen=True, slots=True)
class StandingBreak:
    """A break as it stands now, with what a decision about it needs."""

    break_id: str
    customer_id: str
    control_id: str
    code: str
    pocket_id: str
    business_date: date
    entity_key: str
    status: str
    effective_severity: str
    acceptance_asked_by: str

    @property
    def name(self) -> str:
        """How a sentence calls it."""
        return f"{self.control_id} {self.code} of {self.business_date} ({self.break_id[:12]})"


@dataclass(frozen=True, slots=True)
class Decision:
    """What has been appended: the event, the break it is about, and a sentence for a person."""

    event: str
    found: StandingBreak
    sentence: str


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, when (an aware instant), for which customer, under which controls."""

    con: duckdb.DuckDBPyConnection
    registry: Registry
    customer_id: str
    by: str
    now: datetime

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("an instant needs a time zone; naive times are refused")
        if not self.by.strip() or not self.by.isprintable() or self.by.strip().lower() == "pipeline":
            raise DecisionError(
                "It is not said who decides.",
                remedy="Name yourself by `--by NAME` or by the setting JIKO_PERSON, and run the same command again.",
            )

    def accept(self, break_id: str, *, reason: str, until: date | None = None) -> Decision:
        """Accepts an open break until a day, at most 30 days from now; an S1 is accepted when a second person agrees.

        The second person may leave `until` out. Raises DecisionError for an unknown id, a break that is not open, a
        day that is past or too far, no reason, or the same person twice.
        """
        found = self._standing(break_id)
        self._open(found, "accepted")
        asked = self._asked(found)
        if asked is not None and until is None:
            until = asked[1]
        today = calendars.new_york_date(self.now)
        latest = today + timedelta(days=LONGEST_ACCEPTANCE_DAYS)
        if until is None or not today <= until <= latest:
            told = "has no last day" if until is None else f"until {until} is past or too long"
            raise DecisionError(f"An acceptance {told}.", remedy=f"Give `--until` with a day from {today} to {latest}.")
        if found.effective_severity != "S1":
            self._append(found, "ACCEPTED", reason=reason, until=until)
            return Decision("ACCEPTED", found, f"{found.name} is accepted until {until}.")
        if asked is None or asked[1] != until:
            self._append(found, "ACCEPTANCE_ASKED", reason=reason, until=until)
            return Decision(
                "ACCEPTANCE_ASKED",
                found,
                f"{found.name} is of severity S1: it stays open until a second person accepts it too, until {until}.",
            )
        if _same_person(asked[0], self.by):
            raise DecisionError(
                f"{found.name} is of severity S1, and {self.by} has accepted it already: a second person must agree.",
                remedy="Let another person run the same command with `--by` and their own name.",
            )
        self._append(found, "ACCEPTED", reason=f"{reason} (asked by {asked[0]}: {asked[2]})", until=until)
        return Decision("ACCEPTED", found, f"{found.name} is accepted until {until} by {asked[0]} and {self.by}.")

    def resolve(self, break_id: str, *, reason: str) -> Decision:
        """Says that an open or accepted break is dealt with. Raises DecisionError."""
        found = self._standing(break_id)
        if found.status not in ("OPEN", "ACCEPTED"):
            self._open(found, "resolved")
        self._append(found, "RESOLVED", reason=reason)
        return Decision("RESOLVED", found, f"{found.name} is resolved, as long as nothing of it changes.")

    def reopen(self, break_id: str, *, reason: str) -> Decision:
        """Takes back an acceptance (asked for or given) or a resolution. Raises DecisionError."""
        found = self._standing(break_id)
        if found.status == "CLEARED_AUTO":
            raise DecisionError(
                f"{found.name} was cleared by its control: it cannot be reopened by hand.",
                remedy="Nothing is to be done: it opens again by itself if the control finds it again.",
            )
        if found.status == "OPEN" and not found.acceptance_asked_by:
            raise DecisionError(f"{found.name} is open already.")
        self._append(found, "REOPENED", reason=reason)
        return Decision("REOPENED", found, f"{found.name} is open again.")

    def assign(self, break_id: str, *, to: str, reason: str = "") -> Decision:
        """Gives the case of a break that is not cleared to a person. Raises DecisionError."""
        found = self._standing(break_id)
        if found.status == "CLEARED_AUTO":
            self._open(found, "assigned")
        if not to.strip() or not to.isprintable():
            raise DecisionError("It is not said to whom the break is given.", remedy="Name the person by `--to NAME`.")
        self._append(found, "ASSIGNED", reason=reason, owner=to.strip(), reason_needed=False)
        return Decision("ASSIGNED", found, f"{found.name} belongs to {to.strip()} now.")

    def note(self, break_id: str, *, reason: str) -> Decision:
        """Writes a sentence beside a break, whatever its state. Raises DecisionError."""
        found = self._standing(break_id)
        self._append(found, "NOTED", reason=reason)
        return Decision("NOTED", found, f"The note stands beside {found.name}.")

    def _standing(self, break_id: str) -> StandingBreak:
        return find_break(self.con, self.customer_id, break_id)

    def _open(self, found: StandingBreak, what: str) -> None:
        if found.status != "OPEN":
            raise DecisionError(
                f"{found.name} is {found.status}, so it cannot be {what}.",
                remedy="A cleared break opens again by itself; an accepted or resolved one by `jiko breaks reopen`.",
            )

    def _asked(self, found: StandingBreak) -> tuple[str, date, str] | None:
        """Who wants the break accepted, until when and why; None when nobody does, or what they saw has changed."""
        if not found.acceptance_asked_by:
            return None
        rows = self.con.execute(
            """
            select actor, accepted_until, reason, inputs_hash from recon.break_event
            where break_id = ? and event = 'ACCEPTANCE_ASKED' order by event_seq desc limit 1
            """,
            [found.break_id],
        ).fetchall()
        actor, until, reason, inputs_hash = rows[0]
        if inputs_hash != self._inputs_hash(found):
            return None
        return actor, until, reason

    def _inputs_hash(self, found: StandingBreak) -> str:
        control = next((c for c in self.registry.controls if c.control_id == found.control_id), None)
        kinds = () if control is None else control.inputs
        con = self.con
        try:
            con.execute("set variable customer_id = ?", [self.customer_id])
            con.execute("create or replace temp table control_input (control_id varchar, document_kind varchar)")
            for kind in kinds:
                con.execute("insert into control_input values (?, ?)", [found.control_id, kind])
            prepare_input_hashes(con, self.registry)
            con.execute(
                """
                create or replace temp table wanted_break as
                select
                    ? as break_id, ? as control_id, ? as pocket_id, cast(? as date) as business_date,
                    ? as entity_key, ? in (select control_id from chained_control) as is_chained
                """,
                [found.break_id, found.control_id, found.pocket_id, found.business_date, found.entity_key,
                 found.control_id],
            )  # fmt: skip
            con.execute(sql_text("judging", "break_inputs.sql"))
            return str(con.execute("select inputs_hash from break_input").fetchall()[0][0])
        finally:
            for name in ("control_input", "chained_control", "wanted_break", "break_input"):
                con.execute(f"drop table if exists temp.{name}")

    def _append(
        self,
        found: StandingBreak,
        event: str,
        *,
        reason: str,
        until: date | None = None,
        owner: str | None = None,
        reason_needed: bool = True,
    ) -> None:
        words = " ".join(reason.split())
        if reason_needed and not words:
            raise DecisionError("A decision needs a reason.", remedy="Give it by `--reason`, as a sentence.")
        with transaction(self.con):
            self.con.execute(
                sql_text("judging", "append_decision.sql"),
                {
                    "break_id": found.break_id,
                    "event": event,
                    "at_utc": self.now.astimezone(UTC).replace(tzinfo=None),
                    "actor": self.by.strip(),
                    "inputs_hash": self._inputs_hash(found),
                    "accepted_until": until,
                    "owner": owner,
                    "reason": words,
                    "as_of_date": reached_date(self.con, self.customer_id),
                },
            )


def find_break(con: duckdb.DuckDBPyConnection, customer_id: str, break_id: str) -> StandingBreak:
    """The break whose id is, or begins with, `break_id` (at least eight characters). Raises DecisionError."""
    wanted = break_id.strip().lower()
    if len(wanted) < SHORTEST_ID:
        raise DecisionError(f"'{break_id}' is too short for the id of a break; give at least {SHORTEST_ID} characters.")
    rows = con.execute(
        """
        select
            break_id, customer_id, control_id, code, pocket_id, business_date, entity_key, status,
            effective_severity, acceptance_asked_by
        from recon."break"
        where customer_id = ? and starts_with(break_id, ?)
        order by break_id limit 2
        """,
        [customer_id, wanted],
    ).fetchall()
    if not rows:
        raise DecisionError(f"There is no break whose id is or begins with '{break_id}'.")
    if len(rows) > 1:
        raise DecisionError(f"More than one break has an id that begins with '{break_id}'; give more of it.")
    return StandingBreak(*rows[0])


def _same_person(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
