"""What the bank says: can it be reached, is the clock right, does it sign us in, what may we do.

Belongs here: checks over one sign-in. Nothing is asked for beyond a token.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from jiko_pipeline.bank.clock import SYSTEM_CLOCK, Clock
from jiko_pipeline.bank.connection import Bank, connect
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.contract_file import contract_of
from jiko_pipeline.bank.errors import ScopeError
from jiko_pipeline.bank.operations import OPERATIONS
from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.pipeline.doctor.findings import Finding, fail, failed, ok, warn
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.world import World, identity_of, refuse_other_world

BANK: Final = "bank"
CLOCK: Final = "clock"
TOKEN: Final = "token"
SCOPES: Final = "scopes"

NEEDED_DAILY: Final = frozenset({"pockets.read", "reports.read", "reports.write"})
"""Without these there is no daily close."""
_SKEW_WORTH_SAYING: Final = 5.0
_SKEW_CORRECTED: Final = 30.0
_LONGEST_SECONDS: Final = 20.0
"""How long an examination waits for a bank that does not answer."""


def streams_by_scope() -> Mapping[str, tuple[str, ...]]:
    """What each scope gives the pipeline: the subjects that are read with it, and the ordering of reports."""
    subjects: dict[str, list[str]] = defaultdict(list)
    for operation in OPERATIONS.values():
        if operation.scope is None:
            continue
        if operation.reads:
            subjects[operation.scope].append(operation.name.partition(".")[0].replace("_", " "))
        elif operation.name == "reports.order":
            subjects[operation.scope].append("ordering reports")
    return {scope: tuple(dict.fromkeys(names)) for scope, names in subjects.items()}


def check_bank(settings: Settings, *, clock: Clock = SYSTEM_CLOCK, contract: Contract | None = None) -> list[Finding]:
    """Findings on bank, clock, token and scopes, from one sign-in (one for each scope where all are refused)."""
    patient = settings.model_copy(
        update={"request_deadline_seconds": min(settings.request_deadline_seconds, _LONGEST_SECONDS)}
    )
    try:
        contract = contract or contract_of(settings)
        with connect(patient, clock=clock, contract=contract) as bank:
            found = [_identity(settings, bank)]
            try:
                bank.sign_in()
            except ScopeError as error:
                granted = _granted_one_by_one(patient, clock, contract)
                return [*found, _clock(bank), failed(TOKEN, error), *check_scopes(contract, granted)]
            except JikoPipelineError as error:
                return [*found, _clock(bank), failed(TOKEN, error)]
            told = bank.granted_scopes
            return [
                *found,
                _clock(bank),
                ok(TOKEN, "The bank signs us in."),
                *check_scopes(contract, frozenset(contract.scopes) if told is None else told),
            ]
    except JikoPipelineError as error:
        return [failed(BANK, error)]


def _identity(settings: Settings, bank: Bank) -> Finding:
    born = identity_of(settings.data_dir)
    asked = World.of(bank.identity)
    if born is not None:
        try:
            refuse_other_world(born, asked)
        except JikoPipelineError as error:
            return failed(BANK, error)
    return ok(BANK, f"{asked.described()}.")


def _clock(bank: Bank) -> Finding:
    difference = bank.clock_difference_seconds
    if difference is None:
        return warn(CLOCK, "The bank did not say what time it is.", "Compare the clock of this machine with another.")
    side = "ahead of" if difference < 0 else "behind"
    said = f"The clock of this machine is {abs(difference):.0f} s {side} the bank's."
    if abs(difference) <= _SKEW_WORTH_SAYING:
        return ok(CLOCK, said)
    corrected = " Sign-ins correct for it." if abs(difference) > _SKEW_CORRECTED else ""
    return warn(CLOCK, said + corrected, "Let the machine take its time from a time server.")


def _granted_one_by_one(settings: Settings, clock: Clock, contract: Contract) -> frozenset[str]:
    granted = set()
    for scope in contract.scopes:
        alone = contract.model_copy(update={"scopes": (scope,)})
        with connect(settings, clock=clock, contract=alone) as bank:
            try:
                bank.sign_in()
            except ScopeError:
                continue
            granted.add(scope)
    return frozenset(granted)


def check_scopes(contract: Contract, granted: frozenset[str]) -> list[Finding]:
    """What the pipeline asks for and is not `granted`, with what each costs."""
    streams = streams_by_scope()
    missing = [scope for scope in contract.scopes if scope not in granted]
    found = []
    for scope in missing:
        costs = ", ".join(streams.get(scope, ())) or "nothing that is read"
        says = f"The scope {scope} is not granted; without it: {costs}."
        remedy = f"Ask Jiko to grant the client the scope {scope}."
        if scope in NEEDED_DAILY:
            found.append(fail(SCOPES, says, remedy, ExitCode.CREDENTIALS_OR_SETTINGS))
        else:
            found.append(warn(SCOPES, says, remedy))
    return found or [ok(SCOPES, f"All {len(contract.scopes)} that the pipeline asks for are granted.")]
