"""`kill -9` of the emulator loses no answered DynamoDB write, and no S3 event on its way to a queue.

ministack saves its state when it is stopped, only S3 bytes at once. Here, besides, the state is saved every few seconds
while something happens, every changed row is journalled before the answer, and so is every S3 event.
"""

import asyncio
import contextvars
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.emulator.executions import Executions
from local.emulator.journal import Journal

logger = logging.getLogger("durability")

SAVE_SECONDS = 10.0
END_SECONDS = 1.0
ROWS_BYTES = 8_000_000  # then the tables are saved and their journal starts anew
LOGS = ("cloudwatch_logs", "cloudwatch")  # they grow, and functions.log has the lines, too
SAVED_AT_ONCE = ("cognito", "secretsmanager", "ssm")  # small, and what a person has typed in


class Durability:
    """The two journals, and the saving of the services' state; made once per emulator."""

    def __init__(self, folder: Path) -> None:
        self.rows = Journal(folder / "rows.journal")
        self.events = Journal(folder / "events.journal")
        self.executions = Executions(Journal(folder / "executions.journal"))
        self.dirty = False
        self._saving = threading.Lock()
        self._transaction: contextvars.ContextVar[list[dict[str, Any]] | None] = contextvars.ContextVar(
            "transaction", default=None
        )
        self._tables_saved = ""
        self._saved = True

    def install(self) -> None:
        """Hook into ministack's row writes, S3 events, start and stop."""
        self._journal_rows()
        self._journal_events()
        self.executions.install()
        self._save_small_services_at_once()
        self._replay_at_start()

    # Rows

    def _journal_rows(self) -> None:
        from ministack.services import dynamodb

        set_item, remove_item, transact = dynamodb._set_item, dynamodb._remove_item, dynamodb._transact_write_items

        def set_and_record(table: dict[str, Any], pk: Any, sk: Any, item: dict[str, Any]) -> Any:
            old = set_item(table, pk, sk, item)
            self._record_row(table, pk, sk, item)
            return old

        def remove_and_record(table: dict[str, Any], pk: Any, sk: Any) -> Any:
            old = remove_item(table, pk, sk)
            self._record_row(table, pk, sk, None)
            return old

        def transact_as_one(data: dict[str, Any]) -> Any:
            token = self._transaction.set([])
            try:
                answer = transact(data)
                if rows := self._transaction.get():
                    self.rows.append(rows)
                return answer
            finally:
                self._transaction.reset(token)

        dynamodb._set_item, dynamodb._remove_item = set_and_record, remove_and_record
        dynamodb._transact_write_items = transact_as_one

    def _record_row(self, table: dict[str, Any], pk: Any, sk: Any, item: dict[str, Any] | None) -> None:
        row = {"table": table["TableArn"], "pk": pk, "sk": sk, "item": item}
        self.dirty = True
        transaction = self._transaction.get()
        if transaction is None:
            self.rows.append([row])
        else:
            transaction.append(row)

    def _replay_rows(self) -> int:
        from ministack.services import dynamodb

        tables = {table["TableArn"]: table for table in dynamodb._tables.all_values()}
        count = 0
        for row in self.rows.replay():
            table = tables.get(row["table"])
            if table is None:
                continue  # deleted since
            items = table["items"]
            if row["item"] is not None:
                items.setdefault(row["pk"], {})[row["sk"]] = row["item"]
            elif row["pk"] in items:
                items[row["pk"]].pop(row["sk"], None)
                if not items[row["pk"]]:
                    del items[row["pk"]]
            count += 1
        for table in tables.values():
            dynamodb._items_replaced(table)
        return count

    # S3 events

    def _journal_events(self) -> None:
        from ministack.core import responses
        from ministack.services import s3

        def fire(bucket: str, key: str, event_name: str, *args: Any, **kwargs: Any) -> None:
            if bucket not in s3._bucket_notifications:
                return
            kwargs["sequencer"] = s3._next_event_sequencer(event_name)
            self.dirty = True
            scope = {"account": responses.get_account_id(), "region": responses.get_region()}
            self.events.append([{**scope, "arguments": [bucket, key, event_name, *args], "options": kwargs}])
            deliver = contextvars.copy_context().run
            threading.Thread(
                target=deliver, args=(s3._fire_s3_event, bucket, key, event_name, *args), kwargs=kwargs, daemon=True
            ).start()

        s3._fire_s3_event_async = fire

    def _replay_events(self) -> int:
        from ministack.core import responses
        from ministack.services import s3

        count = 0
        for event in self.events.replay():
            responses.set_request_account_id(event["account"])
            responses.set_request_region(event["region"])
            s3._fire_s3_event(*event["arguments"], **event["options"])
            count += 1
        return count

    # The state of everything

    def _save_small_services_at_once(self) -> None:
        from ministack import app
        from ministack.core import persistence

        for key in SAVED_AT_ONCE:
            module = app._get_module(app._state_map[key])
            original = module.handle_request

            async def handle(*request: Any, original: Any = original, key: str = key, module: Any = module) -> Any:
                answer = await original(*request)
                if changes_state(request[2]):
                    persistence.save_state(key, module.get_state())
                return answer

            module.handle_request = handle

    def _replay_at_start(self) -> None:
        from ministack import app

        load, save_all = app._load_persisted_state, app.save_all

        def load_and_replay() -> None:
            load()
            rows = self._replay_rows()
            if rows:
                save_all(app._build_persistence_save_dict())
                self.rows.clear()
            self._tables_saved = table_settings()
            interrupted = self.executions.restore()
            threading.Thread(target=go_on, args=(rows, interrupted), daemon=True).start()

        def go_on(rows: int, interrupted: list[str]) -> None:
            wait_for_port(int(os.environ["GATEWAY_PORT"]))  # functions call back
            events = contextvars.copy_context().run(self._replay_events)
            self.executions.run_again(interrupted)
            if rows or events or interrupted:
                counts = rows, events, len(interrupted)
                logger.warning("after a crash: %d rows, %d S3 events and %d executions replayed", *counts)

        def save_and_end(state: dict[str, Callable[[], Any]]) -> None:
            save_all(state)
            for journal in (self.rows, self.events, self.executions.journal):
                journal.clear()
            # Threads of waiting state machines and custom resources would keep the process for up to an hour.
            timer = threading.Timer(END_SECONDS, os._exit, [0])
            timer.daemon = True
            timer.start()

        app._load_persisted_state = load_and_replay
        app.save_all = save_and_end  # called when the server stops

    def save(self, loop: asyncio.AbstractEventLoop | None, *, with_logs: bool = True) -> None:
        """Save every service's state now. The state is copied on `loop`, where the services change it."""
        from ministack import app
        from ministack.core import persistence

        with self._saving:
            self.dirty = False
            self.executions.prune()
            tables = table_settings()
            with_rows = not self._saved or tables != self._tables_saved or self.rows.size() > ROWS_BYTES
            if self._saved:  # else a segment that is in no saved state would be forgotten
                self.events.rotate()
                self.executions.journal.rotate()
                if with_rows:
                    self.rows.rotate()
            self._saved = False
            for name, get_state in app._build_persistence_save_dict().items():
                if (name == "dynamodb" and not with_rows) or (name in LOGS and not with_logs):
                    continue
                state = on_loop(loop, get_state)
                if state is not None:
                    persistence.save_state(name, state)
            self._tables_saved, self._saved = tables, True

    def save_from_time_to_time(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run in a thread of its own as long as the emulator runs."""
        while True:
            time.sleep(SAVE_SECONDS)
            if self.dirty:
                try:
                    self.save(loop, with_logs=False)
                except Exception:
                    self.dirty = True
                    logger.exception("the state could not be saved; the next try is in %d s", SAVE_SECONDS)


def on_loop(loop: asyncio.AbstractEventLoop | None, get_state: Callable[[], Any]) -> Any:
    """`get_state()` run on the loop's thread; repeated when another thread changed a dict meanwhile."""
    for attempt in range(5):
        try:
            if loop is None or not loop.is_running():
                return get_state()

            async def copy() -> Any:
                return get_state()

            return asyncio.run_coroutine_threadsafe(copy(), loop).result()
        except RuntimeError:
            if attempt == 4:
                raise
            time.sleep(0.05)
    return None


def wait_for_port(port: int) -> None:
    """Until this process's own server answers."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)


def table_settings() -> str:
    """All that a table is but its items: when it changes, the tables are saved anew."""
    from ministack.services import dynamodb

    changing = {"items", "ItemCount", "TableSizeBytes", dynamodb._INDEX_MEMBERS}
    tables = [
        {name: value for name, value in table.items() if name not in changing}
        for table in dynamodb._tables.all_values()
    ]
    return json.dumps([tables, str(dynamodb._ttl_settings._data)], default=str, sort_keys=True)


def changes_state(headers: dict[str, str]) -> bool:
    """Whether a JSON-protocol request does more than read."""
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    return bool(action) and not action.startswith(("Get", "List", "Describe"))
