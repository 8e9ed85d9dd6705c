"""`jiko selftest`: shows that clean books raise nothing and that each fault raises exactly what it must.

Belongs here: options and printing. Does not belong here: the proof (`jiko_pipeline.selftest`).
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from jiko_pipeline.errors import ExitCode

if TYPE_CHECKING:
    from jiko_pipeline.selftest.campaign import Report
    from jiko_pipeline.selftest.proof import Verdict

_MOST_SHOWN: Final = 50
_MOST_PROCESSES: Final = 4


def selftest(
    short: Annotated[bool, typer.Option("--short", help="Small worlds: under a minute instead of minutes.")] = False,
    over_http: Annotated[
        bool,
        typer.Option(
            "--over-http", help="Each fault that documents can say, once, through a sync of a simulated bank."
        ),
    ] = False,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many clean worlds.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Plant every fault; exactly the right controls fire. Needs no data, no account, no network."""
    from jiko_pipeline.cli.terminal import err, print_json
    from jiko_pipeline.selftest.campaign import FULL, SHORT, run

    began = time.perf_counter()
    if over_http:
        _over_http(began, json_output=json_output)
    report = run(
        SHORT if short else FULL,
        seeds=seeds,
        processes=min(os.cpu_count() or 1, _MOST_PROCESSES),
        progress=err().print,
    )
    seconds = round(time.perf_counter() - began, 1)
    if json_output:
        print_json({**_as_json(report), "seconds": seconds})
    else:
        _print(report, seconds)
    raise typer.Exit(ExitCode.OK if report.is_proved else ExitCode.NOT_PROVED)


def _over_http(began: float, *, json_output: bool) -> NoReturn:
    """The whole way, and the end of the command."""
    from jiko_pipeline.cli.terminal import out, print_json, print_table
    from jiko_pipeline.selftest.over_http import prove_over_http

    served = prove_over_http()
    seconds = round(time.perf_counter() - began, 1)
    differences = _told_apart([served.verdict])
    if json_output:
        print_json(
            {
                "proved": served.is_proved,
                "kinds": served.kinds,
                "cannot": dict(served.cannot),
                "no_place": list(served.no_place),
                "differences": differences,
                "seconds": seconds,
            }
        )
    else:
        names = ["what", "control", "code", "sub_code", "pocket_id", "business_date", "entity", "world"]
        if differences:
            print_table(names, [[row[name] for name in names] for row in differences[:_MOST_SHOWN]])
        print_table(["fault", "does not go over HTTP, because"], sorted(served.cannot.items()))
        out().print(f"{len(served.kinds)} kinds of fault went the whole way; {seconds} s.")
        if served.no_place:
            out().print(f"Faults that found no place: {', '.join(served.no_place)}")
        out().print("PROVED" if served.is_proved else "NOT PROVED")
    raise typer.Exit(ExitCode.OK if served.is_proved else ExitCode.NOT_PROVED)


def _differences(report: "Report") -> list[dict[str, object]]:
    return _told_apart([verdict for _, verdict in report.differences])


def _told_apart(verdicts: "Sequence[Verdict]") -> list[dict[str, object]]:
    return [
        {"what": what, "world": verdict.world, **one._asdict()}
        for verdict in verdicts
        for what, breaks in (("missing", verdict.missing), ("unexpected", verdict.unexpected))
        for one in sorted(breaks)
    ] + [
        {"what": "unanswered", "world": verdict.world, "code": one.reason or "PASS", "sub_code": ""} | one._asdict()
        for verdict in verdicts
        for one in sorted(verdict.unanswered)
    ]


def _banks(report: "Report") -> list[dict[str, object]]:
    from jiko_pipeline.selftest.worlds import switch_rows

    pairs = report.pairs_under
    return [
        {
            "switches": {name: str(value) for name, value in switch_rows()[row].items()},
            "faults_planted": planted.total(),
            "kinds": len(planted),
            "pairs": pairs[row],
        }
        for row, planted in report.planted_under.items()
    ]


def _as_json(report: "Report") -> dict[str, Any]:
    from jiko_pipeline.selftest.campaign import controls_without_fault, faults_without_control
    from jiko_pipeline.selftest.catalogue import NO_FAULT_SEES, catalogue

    fired = report.fired
    return {
        "proved": report.is_proved,
        "worlds": len(report.verdicts),
        "clean_worlds": report.clean_worlds,
        "faults_planted": report.planted.total(),
        "breaks_foretold": report.foretold,
        "breaks_raised": report.raised,
        "precision": report.precision,
        "recall": report.recall,
        "faults": [
            {"fault": name, "planted": count, "fired": sorted(fired.get(name, ()))}
            for name, count in sorted(report.planted.items())
        ],
        "banks": _banks(report),
        "cannot_exist": [
            {"fault": fault.name, "when": one.when, "reason": one.reason}
            for fault in catalogue().values()
            for one in fault.cannot_exist
        ],
        "expectations_not_met": [
            {"fault": name, "control": one.control, "code": one.code, "when": one.when} for name, one in report.unmet
        ],
        "faults_not_planted": report.unplanted,
        "controls_without_fault": controls_without_fault(),
        "faults_without_control": faults_without_control(),
        "nothing_sees": list(NO_FAULT_SEES),
        "differences": _differences(report),
        "changed_answers": [asdict(one) for one in report.changed],
    }


def _condition(when: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{name} is {' or '.join(values)}" for name, values in when.items())


def _print(report: "Report", seconds: float) -> None:
    from jiko_pipeline.cli.terminal import out, print_table

    told = _as_json(report)
    print_table(
        ["fault", "planted", "fired"],
        [(row["fault"], row["planted"], " ".join(row["fired"])) for row in told["faults"]],
    )
    say = out().print
    differences = told["differences"]
    if differences:
        names = ["what", "control", "code", "sub_code", "pocket_id", "business_date", "entity", "world"]
        print_table(names, [[row[name] for name in names] for row in differences[:_MOST_SHOWN]])
        if len(differences) > _MOST_SHOWN:
            say(f"... and {len(differences) - _MOST_SHOWN} more; --json lists them all.")
    if report.changed:
        names = ["control_id", "scene", "kept", "now"]
        print_table(names, [[row[name] for name in names] for row in told["changed_answers"][:_MOST_SHOWN]])
        say(f"{len(report.changed)} answers changed: of scenes whose whole answers are kept.")
    print_table(
        ["ledger switches of the bank", "faults", "kinds", "pairs"],
        [
            (" ".join(f"{name}={value}" for name, value in bank["switches"].items()), bank["faults_planted"],
             bank["kinds"], bank["pairs"])
            for bank in told["banks"]
        ],
    )  # fmt: skip
    if told["cannot_exist"]:
        print_table(
            ["fault", "cannot exist when", "because"],
            [(one["fault"], _condition(one["when"]), one["reason"]) for one in told["cannot_exist"]],
        )
    unmet = [
        f"{one['control']} {one['code']} of {one['fault']} when {_condition(one['when'])}"
        for one in told["expectations_not_met"]
    ]
    for words, names in (
        ("Expectations that no planted fault had", unmet),
        ("Faults that found no place", told["faults_not_planted"]),
        ("Controls that no fault makes fire", told["controls_without_fault"]),
        ("Faults whose control is not there", told["faults_without_control"]),
    ):
        if names:
            say(f"{words}: {', '.join(names)}")
    say("What no control can see:")
    for sentence in told["nothing_sees"]:
        say(f"  {sentence}")
    say(
        f"{told['worlds']} worlds, {told['clean_worlds']} of them clean; {told['faults_planted']} faults planted of"
        f" {len(told['faults'])} kinds; {told['breaks_foretold']} breaks foretold, {told['breaks_raised']} raised:"
        f" precision {report.precision:.6g}, recall {report.recall:.6g}; {seconds} s."
    )
    say("PROVED" if report.is_proved else "NOT PROVED")
