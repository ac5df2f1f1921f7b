"""A standalone worker for a test, its files in a temporary folder, REST on a free port.

    with RunningWorker([program, "standalone"]) as worker:
        status, body = worker.call("GET", "/connectors")

`command` is what comes before the worker's properties; with ready_first, the ready file is
its first argument (the worker with fake hosts). The log is printed when the test failed.
"""
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

LIMIT_SECONDS = 100  # For a sanitizer on a machine that does much else.


def until(true, what=lambda: "", seconds=LIMIT_SECONDS):
    """Looks again and again until true(); its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not after {seconds} s: {what()}")
        time.sleep(0.005)


class RunningWorker:
    def __init__(self, command, settings=None, connectors=(), ready_first=False):
        self.command = command
        self.settings = dict(settings or {})
        self.connectors = list(connectors)
        self.ready_first = ready_first
        self.folder = tempfile.mkdtemp(prefix="sluice-worker-")
        self.log_path = os.path.join(self.folder, "worker.log")
        self.process = None
        self.port = None
        self.sites = []  # ["rest" or "admin", URL] of each listener.
        self.start()

    def start(self, wait=True):
        ready = os.path.join(self.folder, "ready")
        properties = os.path.join(self.folder, "worker.properties")
        if os.path.exists(ready):
            os.remove(ready)
        settings = {"bootstrap.servers": "127.0.0.1:1",
                    "listeners": "http://127.0.0.1:0",
                    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
                    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
                    "offset.storage.file.filename": os.path.join(self.folder, "offsets"),
                    **self.settings}
        with open(properties, "w", encoding="utf-8") as file:
            for key, value in settings.items():
                file.write(f"{key}={value}\n")
        command = (self.command + [ready, properties] if self.ready_first else
                   self.command + [properties, "--ready-file", ready]) + self.connectors
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        if not wait:
            return
        until(lambda: os.path.exists(ready) or self.process.poll() is not None, self.log)
        if not os.path.exists(ready):
            raise AssertionError(f"the worker did not start:\n{self.log()}")
        with open(ready, encoding="utf-8") as file:
            self.sites = [line.strip().split("=", 1) for line in file]
        self.port = int(self.sites[0][1].rsplit(":", 1)[1])

    def request(self, method, path, body=None, headers=None, raw=None):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=100)
        headers = dict(headers or {})
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def call(self, method, path, body=None, **more):
        """(status, parsed body or None)"""
        status, _, content = self.request(method, path, body, **more)
        return status, json.loads(content) if content else None

    def state(self, name):
        """'RUNNING' or 'RUNNING FAILED RUNNING': the connector's, then its tasks'."""
        status, body = self.call("GET", f"/connectors/{name}/status")
        if status != 200:
            return str(status)
        return " ".join([body["connector"]["state"]] + [task["state"] for task in body["tasks"]])

    def wait_state(self, name, wanted):
        until(lambda: self.state(name) == wanted,
              lambda: f"{self.state(name)}, not {wanted}\n{self.log()}")

    def children(self, pid=None):
        """Processes below the worker: {pid: name}."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                with open(f"/proc/{entry}/comm", encoding="utf-8", errors="replace") as file:
                    name = file.read().strip()
            except OSError:
                continue
            if int(fields[1]) == (pid or self.process.pid) and fields[0] != "Z":
                found[int(entry)] = name
                found.update(self.children(int(entry)))
        return found

    def host_of(self, name):
        """The pid of a connector's host."""
        for pid, title in self.children().items():
            if title == f"sluice:{name}"[:15]:
                return pid
        return None

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return 0
        self.process.send_signal(how)
        ended = self.process.wait(timeout=LIMIT_SECONDS)
        self.process = None
        return ended

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        try:
            ended = self.stop()
        finally:
            log = self.log()
            shutil.rmtree(self.folder, ignore_errors=True)
        if kind is not None:
            for line in log.splitlines()[-40:]:
                print(f"# worker: {line}")
        elif ended != 0:
            raise AssertionError(f"the worker ended with {ended}:\n{log}")
