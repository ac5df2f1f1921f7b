"""A PostgreSQL server of a test's own, by tests/lib/postgres.sh: a private cluster on a Unix socket.

    with RunningPostgres("max_wal_senders=4") as server:
        server.sql("CREATE TABLE t (id int PRIMARY KEY)")
        rows = server.rows("SELECT * FROM t")
"""
import os
import shutil
import signal
import subprocess
import tempfile
import time

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "postgres.sh")


def is_there():
    """Whether this machine has a PostgreSQL server at all."""
    root = "/usr/lib/postgresql"
    return os.path.isdir(root) and any(
        os.access(f"{root}/{version}/bin/initdb", os.X_OK) for version in os.listdir(root))


def stat_of(pid):
    """(state, parent) of a process; of none, when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            state, parent = file.read().rsplit(")", 1)[1].split()[:2]
        return state, int(parent)
    except OSError:
        return None, None


def is_alive(pid):
    return stat_of(pid)[0] not in (None, "Z", "X")


def children_of(pid):
    return [int(entry) for entry in os.listdir("/proc")
            if entry.isdigit() and stat_of(entry)[1] == pid]


class RunningPostgres:
    def __init__(self, *settings):
        # The server's user must be able to enter the folder.
        self.database = "postgres"  # What sql(), script() and rows() talk to.
        self.parent = tempfile.mkdtemp(prefix="sluice-pg-", dir="/tmp")
        os.chmod(self.parent, 0o755)
        self.folder = os.path.join(self.parent, "pg")
        self.call("start", *settings)
        with open(os.path.join(self.folder, "port")) as file:
            self.port = int(file.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.call("drop")
        shutil.rmtree(self.parent, ignore_errors=True)

    def call(self, command, *arguments, text=None):
        done = subprocess.run([SCRIPT, command, self.folder, *arguments], input=text,
                              capture_output=True, text=True, timeout=240,
                              env={**os.environ, "PGDATABASE": self.database})
        if done.returncode != 0:
            raise AssertionError(f"postgres.sh {command}: {done.stderr.strip()}")
        return done.stdout

    def session(self):
        """A psql that reads statements from its standard input."""
        return subprocess.Popen([SCRIPT, "sql", self.folder], stdin=subprocess.PIPE, text=True,
                                env={**os.environ, "PGDATABASE": self.database})

    def talk(self):
        """A psql that goes on after a fault and prints what it is asked; what it complains of is
        lost. It ends with its server."""
        return subprocess.Popen([SCRIPT, "sql", self.folder, "-At", "-v", "ON_ERROR_STOP=0"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True, bufsize=1,
                                env={**os.environ, "PGDATABASE": self.database})

    def sql(self, *statements):
        """Runs each statement as a transaction of its own."""
        arguments = []
        for statement in statements:
            arguments += ["-c", statement]
        return self.call("sql", "-At", *arguments).strip()

    def script(self, text):
        """Runs a psql script."""
        return self.call("sql", "-At", text=text).strip()

    def rows(self, query):
        """The result as lists of texts; NULL is None."""
        out = self.call("sql", "-At", "-F", "\x1f", "-R", "\x1e", "-P", "null=\x1d", "-c", query)
        out = out[:-1] if out.endswith("\n") else out
        return [[None if cell == "\x1d" else cell for cell in row.split("\x1f")]
                for row in out.split("\x1e") if row]

    def stop(self, mode="fast"):
        self.call("stop", mode)

    def again(self):
        self.call("again")

    def promote(self):
        """A stop, and a start on a new timeline, as a standby is promoted that has got everything.
        Needs restore_command=false."""
        self.stop()
        data = os.path.join(self.folder, "data")
        path = os.path.join(data, "recovery.signal")
        open(path, "w").close()
        if os.getuid() == 0:
            owner = os.stat(data)
            os.chown(path, owner.st_uid, owner.st_gid)
        self.again()
        deadline = time.monotonic() + 120
        while self.sql("SELECT pg_is_in_recovery()") != "f":
            if time.monotonic() > deadline:
                raise AssertionError("the server stays in recovery")

    def pids(self):
        """The server's processes, the one that starts others first."""
        with open(os.path.join(self.folder, "data", "postmaster.pid"), encoding="utf-8") as file:
            leader = int(file.readline())
        return [leader] + children_of(leader)

    def crash(self):
        """kill -9 of the server with all its processes, and a new start."""
        locks = [os.path.join(self.folder, "data", "postmaster.pid"),
                 os.path.join(self.folder, f".s.PGSQL.{self.port}.lock")]
        with open(locks[0], encoding="utf-8") as file:
            leader = int(file.readline())
        os.kill(leader, signal.SIGSTOP)  # It has no further children.
        mine = [leader] + children_of(leader)
        for pid in mine:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # It has ended with its leader.
        deadline = time.monotonic() + 120
        while any(is_alive(pid) for pid in mine):
            if time.monotonic() > deadline:
                raise AssertionError(f"the server's processes do not end: {mine}")
        for lock in locks:  # Nobody may have reaped the server, which to pg_ctl is alive then.
            os.remove(lock)
        self.again()
