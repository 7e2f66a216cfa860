"""Transactions on a PostgreSQL connection that is kept for the life of the process and opened again when it broke."""

import socket
import time
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection
from pydantic import Field

from lisa.errors import UnavailableError
from lisa.schemas import Schema

T = TypeVar("T")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SOCKET_SECONDS = 180.0  # above every statement_timeout, and above the 15-30 s that a paused Aurora needs to resume
IDLE_SECONDS = 240.0  # older than this it is opened anew: the server ends idle sessions, so that Aurora may pause
STARTUP = {"idle_session_timeout": "300s", "jit": "off"}
UNDEFINED = {"3F000", "42P01"}  # no such schema, no such table
GONE = ("08", "57P")  # connection exception; the server starts, shuts down or ended the session
AGAIN = {"40001", "40P01", "53300"}  # could not serialise, deadlock, too many connections
REFUSED = {"28P01", "28000"}
CANCELED = {"57014", "55P03"}  # statement_timeout, lock_timeout


class Credentials(Schema):
    """The JSON of a database secret; what RDS adds to it is ignored."""

    host: str
    port: int = 5432
    username: str
    password: str = Field(repr=False)
    dbname: str = "postgres"


def code_of(error: DatabaseError) -> str:
    """The SQLSTATE of an error from the server."""
    report = error.args[0] if error.args else None
    return str(report.get("C", "")) if isinstance(report, dict) else ""


def _passes(error: Exception) -> bool:
    """Whether another try may go well: a transaction is whole or absent, so it may be run again."""
    if isinstance(error, DatabaseError):
        return code_of(error).startswith(GONE) or code_of(error) in AGAIN
    return True


class Database:
    """`credentials` is asked at every (re)connection; `forget` drops what it caches, for a rotated password."""

    def __init__(self, credentials: Callable[[], Credentials], forget: Callable[[], None] = lambda: None) -> None:
        self._credentials = credentials
        self._forget = forget
        self._connection: Connection | None = None
        self._used = 0.0
        self._lock = Lock()

    def transaction(self, work: Callable[[Connection], T], *, begin: str = "begin", seconds: int = 20) -> T:
        """Runs `work` in one transaction: all of it, or nothing. A lost connection or a deadlock runs it once more.

        Raises: UnavailableError when the database is out of reach, or a statement took longer than `seconds`;
        pg8000's DatabaseError for what the server refused.
        """
        with self._lock:
            try:
                return self._attempt(work, begin, seconds)
            except (InterfaceError, OSError, DatabaseError) as error:
                if not _passes(error):
                    raise
            try:
                return self._attempt(work, begin, seconds)
            except (InterfaceError, OSError, DatabaseError) as error:
                if not _passes(error):
                    raise
                raise UnavailableError(
                    "The repository's database is out of reach or too busy. Try again; if it stays so, see that it runs"
                    " and that its security group admits this function."
                ) from error

    def close(self) -> None:
        """Ends the connection; the next transaction opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (InterfaceError, OSError):
                return

    def _attempt(self, work: Callable[[Connection], T], begin: str, seconds: int) -> T:
        if time.monotonic() - self._used > IDLE_SECONDS:
            self.close()
        connection = self._connection = self._connection or self._open()
        try:
            connection.run(f"{begin}; set local statement_timeout = {seconds * 1000}")
            result = work(connection)
            connection.run("commit")
        except DatabaseError as error:
            if code_of(error).startswith(GONE):
                self.close()
            else:
                self._roll_back()
            if code_of(error) in CANCELED:
                raise UnavailableError(f"The database took longer than {seconds} s. Try again later.") from error
            raise
        except (InterfaceError, OSError):
            self.close()
            raise
        except BaseException:
            self._roll_back()
            raise
        self._used = time.monotonic()
        return result

    def _roll_back(self) -> None:
        try:
            if self._connection is not None:
                self._connection.run("rollback")
        except (InterfaceError, DatabaseError, OSError):
            self.close()

    def _open(self) -> Connection:
        try:
            connection = _connect(self._credentials())
        except DatabaseError as error:
            if code_of(error) not in REFUSED:
                raise
            self._forget()
            connection = _connect(self._credentials())
        self._used = time.monotonic()
        return connection


def _connect(to: Credentials) -> Connection:
    sock = socket.create_connection((to.host, to.port), timeout=SOCKET_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # without it each COPY waits 40 ms for an ACK
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    try:
        return Connection(
            to.username,
            sock=sock,
            host=to.host,
            port=to.port,
            database=to.dbname,
            password=to.password,
            ssl_context=to.host not in LOOPBACK,  # encrypted only: RDS's own CA is in no trust store
            application_name="lisa",
            startup_params=STARTUP,
        )
    except BaseException:
        sock.close()
        raise
