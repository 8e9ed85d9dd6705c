"""docs/controls/, made from the headers of the controls: a page for each, and an index.

Belongs here: the pages' text. Does not belong here: writing them
(`python -m jiko_pipeline_tests.reconciliation.control_pages`).
"""

from pathlib import Path
from typing import Final

from jiko_pipeline.reconciliation.codes import guide_of
from jiko_pipeline.reconciliation.registry import Control, EvidenceClass, Registry, Scope
from jiko_pipeline.selftest.catalogue import NO_FAULT_SEES, catalogue

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "controls"

EVIDENCE: Final = {
    EvidenceClass.ARITHMETIC: "arithmetic: figures of one source against each other",
    EvidenceClass.INTRA_PROVIDER: "within the provider: both sides come from the bank, so what is wrong in both passes",
    EvidenceClass.PUBLIC_REFERENCE: "public reference: one side is published by somebody else",
    EvidenceClass.CUSTOMER_RECORD: "customer record: one side is the customer's own",
}
_SEVERITY: Final = "S1 stops the close, S2 must be explained within one business day, S3 informs."

_INDEX: Final = f"""\
# Controls

Every control is one portable select with a header, in `jiko_pipeline/reconciliation/controls/`. These pages are made
from the headers by `python -m jiko_pipeline_tests.reconciliation.control_pages`; a test fails when they differ.

{_SEVERITY} A day is only ready to book when every required control has passed.
A control that cannot be tested says so with a reason; it never passes by silence.

What the evidence of a control is worth:

{"".join(f"- `{each.value}`: {told.partition(': ')[2]}{chr(10)}" for each, told in EVIDENCE.items())}
| control | what holds | severity | evidence | required |
|---|---|---|---|---|
"""


def page_name(control: Control) -> str:
    """The file name of a control's page."""
    return f"{control.control_id.lower()}.md"


def pages() -> dict[str, str]:
    """Text by file name."""
    controls = Registry.load().controls
    seen_by: dict[str, list[str]] = {}
    for fault in catalogue().values():
        for control_id in sorted({each.control for each in fault.expects}):
            seen_by.setdefault(control_id, []).append(f"- `{fault.name}`: {fault.title}\n")
    index = _INDEX + "".join(_line(control) for control in controls)
    index += "\n## What no control sees\n\n" + "".join(f"- {each}\n" for each in NO_FAULT_SEES)
    return {
        "index.md": index,
        **{page_name(control): _page(control, seen_by.get(control.control_id, [])) for control in controls},
    }


def _line(control: Control) -> str:
    severities = sorted({control.severity_of(code).value for code in control.codes})
    cells = (
        f"[{control.control_id}]({page_name(control)})",
        control.title.replace("|", "\\|"),
        ", ".join(severities),
        f"`{control.evidence.value}`",
        "yes" if control.required else "",
    )
    return f"| {' | '.join(cells)} |\n"


def _page(control: Control, faults: list[str]) -> str:
    about = "the customer as a whole" if control.scope is Scope.CUSTOMER else "each pocket"
    lines = [
        f"# {control.control_id} {control.name.replace('_', ' ')}\n",
        f"\n{control.title}\n\n",
        f"- What must hold: {control.identity}\n",
        f"- One result for each: {control.key}; it speaks of {about}\n",
        f"- Tolerance: {control.tolerance}\n",
        f"- What it hides: {control.hides}\n",
        f"- Evidence: {EVIDENCE[control.evidence]} (`{control.evidence.value}`)\n",
        f"- Rests on: {', '.join(f'`{kind}`' for kind in control.inputs)}\n",
        f"- Required for a day to be ready to book: {'yes' if control.required else 'no'}\n",
    ]
    if control.chained:
        lines.append("- Rests on the business day before too.\n")
    if control.gate:
        lines.append("- A document that fails it keeps the controls that rest on it from being tested.\n")
    if not control.gated:
        lines.append("- It is tested whether or not its documents were refused.\n")
    lines.append(f"- Version {control.version}, `{control.control_id.lower()}_{control.name}.sql`\n")
    lines.append("\n## Breaks\n\n| code | class | severity | what to do |\n|---|---|---|---|\n")
    lines += [
        f"| `{code}` | {break_class.value} | {control.severity_of(code).value} | {guide_of(code).next_step} |\n"
        for code, break_class in control.codes.items()
    ]
    if faults:
        lines += ["\n## Faults that it must see\n\n", *faults]
    return "".join(lines)


def write() -> None:
    """Writes every page, and takes away those of controls that are no more."""
    FOLDER.mkdir(exist_ok=True)
    texts = pages()
    for file in FOLDER.glob("*.md"):
        if file.name not in texts:
            file.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
