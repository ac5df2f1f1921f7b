"""A PostgreSQL cluster of one's own: made, started, asked and stopped, on a free port.

As root it runs as the unprivileged user `postgres`, in a folder that this user can enter.
"""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def binaries():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"),
                   key=lambda path: int(path.split("/")[4]))
    if not found:
        raise SystemExit("no PostgreSQL server below /usr/lib/postgresql: ./quickstart --install installs it")
    return found[-1]


class Cluster:
    """`with Cluster() as cluster:` has a running server with logical decoding."""

    def __init__(self, settings=()):
        self.bin = binaries()
        self.port = free_port()
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.folder = tempfile.mkdtemp(prefix="sluice-postgres-", dir="/tmp")
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "wal_level": "logical",
            "unix_socket_directories": self.folder, "max_wal_senders": 10,
            "max_replication_slots": 10, **dict(settings)}
        self.server = None

    def as_user(self):
        """Arguments for subprocess: another user when this one is root."""
        extra = {"cwd": "/", "env": {"PATH": f"{self.bin}:/usr/bin:/bin", "LC_ALL": "C",
                                     "HOME": self.folder, "PGCONNECT_TIMEOUT": "10"}}
        if self.user:
            extra.update(user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[])
        return extra

    def run(self, program, *arguments):
        done = subprocess.run([f"{self.bin}/{program}", *arguments], text=True,
                              capture_output=True, **self.as_user())
        if done.returncode != 0:
            raise RuntimeError(f"{program} {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def start(self):
        data = f"{self.folder}/data"
        if not os.path.exists(data):
            self.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                     "--no-sync", "--no-instructions")
        options = [word for name, value in self.settings.items()
                   for word in ("-c", f"{name}={value}")]
        with open(f"{self.folder}/log", "ab") as log:
            self.server = subprocess.Popen(
                [f"{self.bin}/postgres", "-D", data, *options], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True, **self.as_user())
        while True:
            ready = subprocess.run([f"{self.bin}/pg_isready", "-q", "-t", "1", "-h", self.folder,
                                    "-p", str(self.port)], **self.as_user())
            if ready.returncode == 0:
                return self
            if self.server.poll() is not None:
                with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as log:
                    raise SystemExit("PostgreSQL did not start:\n" + log.read()[-2000:])

    def stop(self):
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(60)
            except subprocess.TimeoutExpired:
                self.server.send_signal(signal.SIGQUIT)
                self.server.wait()
        self.server = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, database="postgres"):
        """Runs statements; returns the unaligned rows, as a list of lists of texts."""
        out = self.run("psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                       "-h", self.folder, "-p", str(self.port), "-U", "postgres", "-d", database,
                       "-c", text)
        return [line.split("\t") for line in out.split("\n") if line]

    def popen(self, program, *arguments, **options):
        return subprocess.Popen([f"{self.bin}/{program}", *arguments], start_new_session=True,
                                **self.as_user(), **options)
