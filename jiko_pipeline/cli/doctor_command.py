"""`jiko doctor`: the findings, a line each."""

from dataclasses import asdict

from jiko_pipeline.cli.terminal import out, print_json
from jiko_pipeline.pipeline.doctor.examination import examine
from jiko_pipeline.pipeline.doctor.findings import worst
from jiko_pipeline.settings import load_settings


def run_doctor(offline: bool, json_output: bool) -> int:
    """Prints the findings; answers with the most serious."""
    findings = examine(load_settings, offline=offline)
    exit_code = worst(findings)
    if json_output:
        print_json({"findings": [asdict(finding) for finding in findings], "exit_code": int(exit_code)})
        return exit_code
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        remedy = "" if finding.remedy is None else f" -> {finding.remedy}"
        out().print(f"{finding.grade.value:<4}  {finding.check:<{width}}  {finding.says}{remedy}", markup=False)
    return exit_code
