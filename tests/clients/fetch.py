"""Fetches the clients of other people with their own package clients, into a folder below the
build folder, or says in one line why that cannot be done here.

Nothing here may hang or fail a machine without a network: each package client gets a limit, and
what it cannot do is a Skip. What was fetched is kept until its list of packages changes.
"""
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys

from tap import Skip

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_SECONDS = 240


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            raise Skip(f"{program} is not installed")


def run(command, limit=LIMIT_SECONDS, **options):
    """Runs it in a session of its own and ends all of it at the limit: (how it ended, text)."""
    running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True, **options)
    try:
        text, _ = running.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        return None, f"not done after {limit} s"
    return running.returncode, text


def complaint(text):
    """The line of a package client's output that says most."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if "error" in line.lower()] or lines or ["nothing"]
    return told[0][:160].replace("#", "")


def get(command, what, **options):
    """Runs a package client; what it cannot get is a reason to skip."""
    ended, text = run(command, **options)
    if ended != 0:
        raise Skip(f"{what} cannot be fetched: {command[0]} says: {complaint(text)}")


def build(command, **options):
    """Compiles a test program; that must work."""
    ended, text = run(command, **options)
    if ended != 0:
        raise AssertionError(f"{' '.join(command)}:\n{text}")


class Folder:
    """The place of one set of packages: `with Folder(cache, "node", [file]) as folder:` has it
    alone; folder.fresh says that its list is not the one of last time."""

    def __init__(self, cache, name, lists):
        self.path = os.path.join(cache, name)
        self.lists = lists
        os.makedirs(self.path, exist_ok=True)

    def __enter__(self):
        self.lock = open(os.path.join(self.path, ".lock"), "w", encoding="utf-8")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.stamp = os.path.join(self.path, ".fetched")
        self.state = sys.version + "".join(self.sum(path) for path in self.lists)
        self.fresh = not os.path.exists(self.stamp) or self.read() != self.state
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            with open(self.stamp, "w", encoding="utf-8") as file:
                file.write(self.state)
        self.lock.close()

    def read(self):
        with open(self.stamp, encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def sum(path):
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()


def from_here(*parts):
    return os.path.join(HERE, *parts)


def to_compile_for_node():
    """Its headers where this machine has them: without, they would be asked of the network."""
    if not os.path.exists("/usr/include/node/node.h"):
        raise Skip("the headers of Node.js are not installed")
    need("make", "g++")
    kept = "ccache " if shutil.which("ccache") else ""
    return {**os.environ, "npm_config_nodedir": "/usr", "CC": kept + "gcc", "CXX": kept + "g++"}


def npm(cache, name, compiled=False):
    """The packages of tests/clients/NAME/package-lock.json: the folder they are in. Compiled:
    some of them are; without the headers of Node.js, that is a reason to skip, too."""
    need("node", "npm")
    lists = [from_here(name, "package.json"), from_here(name, "package-lock.json")]
    with Folder(cache, name, lists) as folder:
        if folder.fresh:
            for path in lists:
                shutil.copy(path, folder.path)
            get(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                 "--fetch-retries=1", "--fetch-timeout=20000"], "its packages", cwd=folder.path)
            if compiled:
                get(["npm", "rebuild"], "what it compiles", cwd=folder.path, limit=500,
                    env=to_compile_for_node())
    return folder.path


def go(cache, program):
    """tests/clients/go/PROGRAM, compiled: its path."""
    need("go")
    lists = [from_here("go", "go.mod"), from_here("go", "go.sum")]
    with Folder(cache, "go", lists) as folder:
        env = {**os.environ, "GOPATH": os.path.join(folder.path, "path"),
               "GOCACHE": os.path.join(folder.path, "build"), "GOTOOLCHAIN": "local",
               "GOFLAGS": "-modcacherw -mod=readonly -buildvcs=false"}
        if folder.fresh:
            get(["go", "mod", "download"], "its modules", cwd=from_here("go"), env=env)
        binary = os.path.join(folder.path, program)
        build(["go", "build", "-o", binary, f"./{program}"], cwd=from_here("go"),
              env={**env, "GOPROXY": "off"})
    return binary


def pip(cache, package, *more):
    """Packages of PyPI for this Python: the environment to run it in. The folder has the name
    of the first, with its version."""
    with Folder(cache, package.replace("==", "-"), []) as folder:
        if folder.fresh:
            ended, _ = run([sys.executable, "-m", "pip", "--version"])
            if ended != 0:
                raise Skip("pip is not installed for " + sys.executable)
            get([sys.executable, "-m", "pip", "install", "--quiet", "--no-input",
                 "--only-binary=:all:", "--disable-pip-version-check", "--retries", "1",
                 "--timeout", "20", "--target", folder.path, "--upgrade", package, *more],
                package)
    return {**os.environ, "PYTHONPATH": folder.path}


def maven(cache, version, module="clients"):
    """Apache Kafka's MODULE of VERSION with what it needs: a class path."""
    need("java", "javac", "mvn")
    pom = from_here("java", f"{module}.xml")
    with Folder(cache, f"java-{module}-{version}", [pom]) as folder:
        if folder.fresh:
            repository = os.path.join(cache, "maven")
            get(["mvn", "-q", "-B", "-ntp", "-f", pom, f"-Dmaven.repo.local={repository}",
                 f"-Dkafka.version={version}", f"-DoutputDirectory={folder.path}",
                 "dependency:copy-dependencies"], f"Apache Kafka {version}")
    return os.path.join(folder.path, "*")


def javac(cache, version, class_path, *sources):
    """Compiles SOURCES of tests/clients/java against it: the class path to run them with."""
    out = os.path.join(cache, f"java-classes-{version}")
    os.makedirs(out, exist_ok=True)
    build(["javac", "-nowarn", "-d", out, "-cp", class_path,
           *(from_here("java", source) for source in sources)])
    return f"{out}:{class_path}"
