"""A PostgreSQL server of a test's own, by tests/lib/postgres.sh: a private cluster on a Unix socket.

    with RunningPostgres("max_wal_senders=4") as server:
        server.sql("CREATE TABLE t (id int PRIMARY KEY)")
        rows = server.rows("SELECT * FROM t")
"""
import os
import shutil
import subprocess
import tempfile

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "postgres.sh")


def is_there():
    """Whether this machine has a PostgreSQL server at all."""
    root = "/usr/lib/postgresql"
    return os.path.isdir(root) and any(
        os.access(f"{root}/{version}/bin/initdb", os.X_OK) for version in os.listdir(root))


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
                              capture_output=True, text=True, timeout=120,
                              env={**os.environ, "PGDATABASE": self.database})
        if done.returncode != 0:
            raise AssertionError(f"postgres.sh {command}: {done.stderr.strip()}")
        return done.stdout

    def session(self):
        """A psql that reads statements from its standard input."""
        return subprocess.Popen([SCRIPT, "sql", self.folder], stdin=subprocess.PIPE, text=True,
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
