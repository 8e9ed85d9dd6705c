"""docs/operations.md, made from the code: who calls, who answers, what it needs and where each operation lands.

Belongs here: the page's text. Does not belong here: writing it
(`python -m jiko_pipeline_tests.reading.operations_page`).
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from jiko_pipeline.bank.client.jiko import JikoClient
from jiko_pipeline.bank.contract import JIKO
from jiko_pipeline.bank.operations import OPERATIONS, Operation
from jiko_pipeline.pipeline.landed import LANDED
from jiko_pipeline.simulator.server.app import ALL_OPERATIONS

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PAGE: Final = DOCS / "operations.md"
DESCRIPTION: Final = DOCS / "jiko-customer-api.yaml"

_HEAD: Final = """\
# Operations

All 56 operations of the Jiko Customer API: the method of `jiko_pipeline.bank.client.jiko.JikoClient` that calls each,
the rate group whose limit it shares (requests a minute), the scope it needs (an assumption but for that of the
pockets), the operation of the simulated bank that answers it, and where its answers land. This page is made from the
code by `python -m jiko_pipeline_tests.reading.operations_page`; a test fails when it differs.

The pipeline itself changes nothing at the bank: its sign-in asks for scopes that read, and for `reports.write`, to
order reports.

```python
with connect(load_settings()) as bank:  # jiko_pipeline.bank.connection, by the settings of the pipeline
    for pocket in bank.client.pockets.list(status=["OPEN"]):
        print(pocket.pocket_name, pocket.portfolio.total_value.cents)

key = ClientKey("client-id", Path("key.pem"), "key-id", "https://auth.jiko.io")  # or any httpx.Auth
with open_client("https://api.business.jiko.io", key, scopes=SCOPES) as client:  # jiko_pipeline.bank.client.opening
    transfer = CreateTransferRequest(transfer=WireTransfer(...))  # transfer.transfer.id is ours: keep it
    client.transfer_requests.create(transfer)
```

What changes something is not sent again when its outcome is not known (`AmbiguousOutcomeError`): look first, a transfer
by `client.transfer_requests.get(transfer.transfer.id)`. Names and words that Jiko does not document are settings of
`jiko_pipeline.bank.contract.Contract`; paths that differ are `Contract.paths`, names of fields and parameters are
`Contract.names`.

| operation | method and path | client | group | a minute | scope | simulator | landed |
|---|---|---|---|---|---|---|---|
"""


def shape(method: str, path: str) -> tuple[str, str]:
    """Method and path, whatever the parameters are called."""
    return method, re.sub(r"\{\w+\}", "{}", path)


@cache
def description() -> dict[str, Any]:
    """The project's description of the API."""
    document: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    return document


def described() -> set[tuple[str, str]]:
    """The operations of the project's description of the API."""
    methods = ("get", "post", "put", "patch", "delete")
    return {
        shape(method.upper(), path)
        for path, item in description()["paths"].items()
        for method in item
        if method in methods
    }


def simulator_names() -> dict[str, str]:
    """What the simulated bank calls the operation that answers each of ours."""
    names = {shape(operation.method, operation.path): operation.name for operation in ALL_OPERATIONS}
    return {own: names[shape(each.method, each.path)] for own, each in OPERATIONS.items()}


def client_methods() -> dict[str, str]:
    """The client's method for each operation, as one writes it."""
    client = JikoClient(None, None, JIKO)  # type: ignore[arg-type]  # nothing is called
    found = {}
    for name in OPERATIONS:
        group, _, method = name.partition(".")
        if callable(getattr(vars(client).get(group), method, None)):
            found[name] = f"{group}.{method}()"
    return found


def text() -> str:
    """The page."""
    methods, simulated = client_methods(), simulator_names()
    return _HEAD + "".join(_row(each, methods[name], simulated[name]) for name, each in OPERATIONS.items())


def _row(operation: Operation, method: str, simulated: str) -> str:
    group = operation.group
    cells = (
        operation.name,
        f"`{operation.method} {operation.path}`",
        f"`{method}`",
        "" if group is None else group.value,
        "" if group is None else str(JIKO.limits_per_minute[group]),
        operation.scope or "",
        f"`{simulated}`",
        LANDED[operation.name],
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
