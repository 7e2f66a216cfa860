"""State-machine executions outlive the emulator, as on AWS: what was running starts again from its first state.

ministack fails them (`States.ServiceRestart`), and forgets those that began after it last saved its state. Tasks here
may run twice, as every consumer of this system must bear.
"""

import contextvars
import json
import threading
from typing import Any

from local.emulator.journal import Journal

INTERRUPTED = "States.ServiceRestart"
MOST_FINISHED = 1000


class Executions:
    """Journals begin and end of every execution."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def install(self) -> None:
        """Hook into the start and the end of executions."""
        from ministack.services import stepfunctions

        start, run = stepfunctions._start_execution, stepfunctions._run_execution

        def start_and_record(data: dict[str, Any]) -> Any:
            answer = start(data)
            if answer[0] == 200:
                self._record("started", json.loads(answer[2])["executionArn"])
            return answer

        def run_and_record(arn: str) -> None:
            try:
                run(arn)
            finally:
                self._record("ended", arn)

        stepfunctions._start_execution, stepfunctions._run_execution = start_and_record, run_and_record

    def _record(self, what: str, arn: str) -> None:
        from ministack.services import stepfunctions

        execution = stepfunctions._executions.get(arn)
        if execution is not None:
            self.journal.append([{what: {name: part for name, part in execution.items() if name != "events"}}])

    def restore(self) -> list[str]:
        """Bring the journal's executions back after the saved state was loaded; returns those to run again."""
        from ministack.services import stepfunctions

        known = {execution["executionArn"]: execution for execution in stepfunctions._executions.all_values()}
        for record in self.journal.replay():
            for execution in record.values():
                arn = execution["executionArn"]
                account, region = scope_of(arn)
                if arn not in known:
                    known[arn] = {**execution, "events": []}
                    stepfunctions._executions.set_scoped(account, region, arn, known[arn])
                if "ended" in record:
                    known[arn].pop("error", None)
                    known[arn].update(execution)
        interrupted = [arn for arn, execution in known.items() if is_interrupted(execution)]
        for arn in interrupted:
            known[arn].update(status="RUNNING", stopDate=None, events=[])
            known[arn].pop("error", None)
            known[arn].pop("cause", None)
        return interrupted

    def prune(self) -> None:
        """Forget the oldest finished executions: they are saved again and again."""
        from ministack.services import stepfunctions

        finished = [execution for execution in stepfunctions._executions.all_values() if execution.get("stopDate")]
        finished.sort(key=lambda execution: execution["stopDate"])
        for execution in finished[:-MOST_FINISHED]:
            arn = execution["executionArn"]
            stepfunctions._executions._data.pop((*scope_of(arn), arn), None)

    def run_again(self, arns: list[str]) -> None:
        """Start the executions anew, each in a thread of its own; once the server answers."""
        for arn in arns:
            threading.Thread(target=contextvars.copy_context().run, args=(self._run_again, arn), daemon=True).start()

    def _run_again(self, arn: str) -> None:
        from ministack.core import responses
        from ministack.services import stepfunctions

        account, region = scope_of(arn)
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        stepfunctions._run_execution(arn)


def scope_of(arn: str) -> tuple[str, str]:
    """Account and region in an ARN."""
    parts = arn.split(":")
    return parts[4], parts[3]


def is_interrupted(execution: dict[str, Any]) -> bool:
    """Whether only the end of the emulator has ended it."""
    return execution.get("status") == "RUNNING" or execution.get("error") == INTERRUPTED
