"""`python -m benchmarks.gateway [--seconds S] [--quick] [--without-litellm] [--json FILE]`, `… soak --minutes N`."""

import argparse
import dataclasses
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks.gateway.figures import verdicts
from benchmarks.gateway.processes import cores
from benchmarks.gateway.rounds import Plan, Run, say
from benchmarks.gateway.soak import Soak
from benchmarks.gateway.table import markdown


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each load, per subject and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of one second: does it work?")
    parser.add_argument("--without-litellm", action="store_true", help="neither install nor measure LiteLLM's proxy")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there")
    soak = parser.add_subparsers(dest="command").add_parser("soak", help="load with faults; does memory stay flat?")
    soak.add_argument("--minutes", type=float, default=60)
    soak.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    return parser.parse_args()


def machine() -> str:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"


def measure(options: argparse.Namespace) -> str:
    plan = Plan(options.seconds, options.rounds, with_litellm=not options.without_litellm)
    if options.quick:
        plan = Plan.quick(plan.with_litellm)
    conditions = machine()
    measured, other = pinned()
    with tempfile.TemporaryDirectory(prefix="lisa-bench-") as folder:
        results = Run(plan, Path(folder), measured, other)()
    if options.json:
        report = {
            "machine": conditions,
            "plan": dataclasses.asdict(plan),
            "values": results.values,
            "goals": [{**dataclasses.asdict(v.goal), "value": v.value, "is_met": v.is_met} for v in verdicts(results)],
        }
        options.json.write_text(json.dumps(report, indent=1))
    return f"{conditions}; {plan.rounds} rounds of {plan.seconds:g} s\n\n{markdown(results)}"


def soak(options: argparse.Namespace) -> str:
    measured, other = pinned()
    with tempfile.TemporaryDirectory(prefix="lisa-soak-") as folder:
        report = Soak(options.minutes * 60, Path(folder), measured, other)()
    if options.json:
        options.json.write_text(json.dumps(dataclasses.asdict(report), indent=1))
    return report.markdown()


def pinned() -> tuple[int, int]:
    """The measured core and ours, to which this process is bound."""
    measured, other = cores()
    if measured == other:
        say("There is one core only: the load and what is measured share it.")
    os.sched_setaffinity(0, {other})
    return measured, other


def main() -> None:
    options = arguments()
    try:
        print(f"\n{soak(options) if options.command == 'soak' else measure(options)}")
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
