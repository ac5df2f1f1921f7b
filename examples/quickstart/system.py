"""`sluice up` as a child, and what one asks of it: REST, topics, processes."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


class Sluice:
    """`with Sluice(program) as sluice:` has a broker and a worker, on free ports."""

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="sluice-quickstart-", dir="/tmp")
        self.log_path = f"{self.folder}/log"
        self.addresses = None
        self.process = None

    def __enter__(self):
        ready = f"{self.folder}/addresses"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [self.program, "up", "--data", f"{self.folder}/data", "--broker-port", "0",
                 "--rest-port", "0", "--ready-file", ready],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        while not os.path.exists(ready):
            if self.process.poll() is not None:
                raise SystemExit(f"sluice up ended by itself:\n{self.log_tail()}")
            time.sleep(0.002)
        with open(ready, encoding="utf-8") as file:
            self.addresses = dict(line.strip().split("=", 1) for line in file if "=" in line)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def rest(self):
        return self.addresses["rest"]

    @property
    def broker(self):
        return self.addresses["broker"]

    def log_tail(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[-3000:]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.rest + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=100) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(text) if text else None

    def status(self):
        return {name: entry["status"] for name, entry in
                self.call("GET", "/connectors?expand=status").items()}

    def metrics(self):
        """Metric name and labels -> number, from /metrics."""
        with urllib.request.urlopen(self.rest + "/metrics", timeout=100) as answer:
            lines = answer.read().decode().split("\n")
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in lines if line and not line.startswith("#")}

    def topics(self):
        """Topic -> number of records, of the topics that are not the system's own."""
        out = subprocess.run([self.program, "topics", "list", "--bootstrap-server", self.broker,
                              "--offsets", "--json"], capture_output=True, text=True, check=True)
        return {topic["name"]: sum(p["latest"] - p["earliest"] for p in topic["partitions"])
                for topic in json.loads(out.stdout) if not topic["name"].startswith("__")}

    def processes(self):
        """Process id -> (what it is, its own memory in MB) of every process of the system."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                        parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                    children.setdefault(parent, []).append(int(entry))
                except OSError:
                    pass
        found, todo = {}, [self.process.pid]
        while todo:
            pid = todo.pop(0)
            todo += children.get(pid, [])
            try:
                found[pid] = (self.title(pid), self.memory_mb(pid))
            except OSError:
                pass
        return found

    @staticmethod
    def title(pid):
        """The command, or `sluice:CONNECTOR` for a connector host."""
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            name = file.read().strip()
        if name != "sluice":
            return name
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode(errors="replace").split("\0")
        return " ".join(["sluice"] + words[1:2])

    @staticmethod
    def memory_mb(pid):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) / 1024
        return 0.0
