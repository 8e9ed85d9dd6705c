"""The file in which a user says how a real bank differs from what is assumed of it.

Belongs here: reading the file that JIKO_CONTRACT_FILE names, refusing what is no part of the contract. Does not
belong here: the contract and its assumed values (`contract`); they are told in docs/contract.md.

The file is TOML: names at the top are fields of `Contract`; the tables [paths] and [limits_per_minute] give only
what differs, as [names] does.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from jiko_pipeline.bank.client.models import activity, customer, messages, people, pockets, reports, transfers
from jiko_pipeline.bank.client.models.base import Model
from jiko_pipeline.bank.contract import JIKO, Contract
from jiko_pipeline.bank.operations import OPERATIONS
from jiko_pipeline.errors import SettingsError
from jiko_pipeline.settings import Settings

_MODULES: Final = (activity, customer, messages, people, pockets, reports, transfers)
_PARAMETER: Final = re.compile(r"\{[a-z_]+\}")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+|/\{[a-z_]+\})+/?")
_REMEDY: Final = "Correct it; see docs/contract.md for the names and their assumed values."


def contract_of(settings: Settings) -> Contract:
    """The contract of the bank of `settings`: as assumed of Jiko, changed by its contract file.

    Raises SettingsError as `read_contract` does.
    """
    return JIKO if settings.contract_file is None else read_contract(settings.contract_file)


def read_contract(path: Path) -> Contract:
    """The contract as the file at `path` changes it.

    Raises SettingsError, with the file and the name, for a file that cannot be read, a name that is none, and a
    value of another type.
    """
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise SettingsError(f"There is no file {path}, which JIKO_CONTRACT_FILE names.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file {path} cannot be read as UTF-8 text ({type(error).__name__}).") from None
    except tomllib.TOMLDecodeError:
        # The parser's own sentence may quote what stands in the file.
        raise SettingsError(f"The file {path} is no TOML.", remedy=_REMEDY) from None
    unknown = sorted(name for name in document if name not in Contract.model_fields)
    if unknown:
        raise SettingsError(
            f"The contract file {path} has what is no part of the contract: {', '.join(unknown)}.", remedy=_REMEDY
        )
    limits = document.get("limits_per_minute")
    if isinstance(limits, dict):
        document["limits_per_minute"] = {group.value: limit for group, limit in JIKO.limits_per_minute.items()} | limits
    try:
        contract = Contract.model_validate_json(json.dumps(document, default=_no_date), strict=True)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise SettingsError(f"The contract file {path} is not usable: {said}.", remedy=_REMEDY) from None
    problem = next(_problems(contract), None)
    if problem is not None:
        raise SettingsError(f"The contract file {path} is not usable: {problem}.", remedy=_REMEDY)
    return contract


def _no_date(value: object) -> object:
    # Nothing in the contract is a date or a time; a list of nothing is of no type that anything has.
    return [None]


def _problems(contract: Contract) -> Iterator[str]:
    for operation, path in contract.paths.items():
        declared = OPERATIONS.get(operation)
        if declared is None:
            yield f"paths.{operation} is no operation"
        elif not _PATH.fullmatch(path):
            yield f"paths.{operation} is no path such as {declared.path}"
        elif sorted(_PARAMETER.findall(path)) != sorted(_PARAMETER.findall(declared.path)):
            yield f"paths.{operation} has other parameters in braces than {declared.path}"
    for place, wire in contract.names.items():
        owner, _, field = place.rpartition(".")
        if not wire.strip():
            yield f"names.{place} is empty"
        if owner not in OPERATIONS and field not in _fields().get(owner, ()):
            yield f"names.{place} is neither a field of a model nor a parameter of an operation"
    words = {
        "status_open": contract.status_open,
        "status_completed": contract.status_completed,
        "status_failed": contract.status_failed,
    }
    for name, value in words.items():
        if not value:
            yield f"{name} has no word"
        others = (other for other in words if other > name)
        for other in others:
            if value & words[other]:
                yield f"{name} and {other} have the word {min(value & words[other])} in common"


def _fields() -> dict[str, frozenset[str]]:
    """The fields of every model of an answer or a body, by the model's name."""
    found: dict[str, frozenset[str]] = {}
    for module in _MODULES:
        members: list[Any] = [member for member in vars(module).values() if isinstance(member, type)]
        for member in members:
            if issubclass(member, Model):
                found[member.__name__] = frozenset(member.model_fields)
    return found
