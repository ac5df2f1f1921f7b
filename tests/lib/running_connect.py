"""A Kafka Connect worker of Apache Kafka with Debezium's PostgreSQL connector, for comparisons: REST on a free
port of 127.0.0.1, JSON converters with schemas, its files in a temporary folder.

    reason = RunningConnect.why_not(kafka, debezium)
    with RunningConnect(kafka, debezium, bootstrap) as connect:
        connect.create("name", {"connector.class": …})

`kafka` is a folder of Apache Kafka's jars (Kafka Connect's among them), `debezium` one of the connector's.
"""
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

LOG = """
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n%throwable{8}
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""
JSON = "org.apache.kafka.connect.json.JsonConverter"


def jars_of(folder):
    return f"{folder}/libs" if folder and os.path.isdir(f"{folder}/libs") else folder


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class RunningConnect:
    @staticmethod
    def why_not(kafka, debezium):
        """Why it cannot run here, or None."""
        if shutil.which("java") is None:
            return "there is no java"
        if not kafka or not glob.glob(f"{jars_of(kafka)}/connect-runtime-*.jar"):
            return "KAFKA names no folder with connect-runtime-*.jar"
        if not debezium or not glob.glob(f"{debezium}/debezium-connector-postgres-*.jar"):
            return "DEBEZIUM names no folder with debezium-connector-postgres-*.jar"
        return None

    def __init__(self, kafka, debezium, bootstrap, distributed=None):
        """`distributed` is the name of its group, and the first part of its topics' names: else it is standalone."""
        self.folder = tempfile.mkdtemp(prefix="sluice-connect-")
        self.port = free_port()
        os.mkdir(f"{self.folder}/plugins")
        os.symlink(os.path.abspath(debezium), f"{self.folder}/plugins/debezium")
        settings = {"bootstrap.servers": bootstrap, "listeners": f"http://127.0.0.1:{self.port}",
                    "plugin.path": f"{self.folder}/plugins", "key.converter": JSON, "value.converter": JSON,
                    "offset.storage.file.filename": f"{self.folder}/offsets", "offset.flush.interval.ms": "1000"}
        for what in ("config", "offset", "status") if distributed else ():
            settings[f"{what}.storage.topic"] = f"{distributed}-{what}s"
            settings[f"{what}.storage.replication.factor"] = "1"
        if distributed:
            settings["group.id"] = distributed
            del settings["offset.storage.file.filename"]
        kind = "Distributed" if distributed else "Standalone"
        with open(f"{self.folder}/worker.properties", "w", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in settings.items())
        with open(f"{self.folder}/log4j2.properties", "w", encoding="utf-8") as file:
            file.write(LOG)
        with open(f"{self.folder}/log", "wb") as log:
            self.process = subprocess.Popen(
                ["java", "-Xms64m", "-Xmx512m", f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties",
                 "-cp", f"{jars_of(kafka)}/*", f"org.apache.kafka.connect.cli.Connect{kind}",
                 f"{self.folder}/worker.properties"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.await_rest()

    def await_rest(self):
        end = time.monotonic() + 120
        while True:
            try:
                self.call("GET", "/connectors")
                return
            except (OSError, AssertionError) as fault:  # Jetty answers before Kafka Connect does.
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"Kafka Connect did not start:\n{self.log()}") from fault
                time.sleep(0.1)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                content = answer.read()
        except urllib.error.HTTPError as fault:
            raise AssertionError(f"{method} {path}: {fault.code} {fault.read().decode()}") from fault
        return json.loads(content) if content else None

    def create(self, name, config):
        self.call("POST", "/connectors", {"name": name, "config": config})

    def delete(self, name):
        self.call("DELETE", f"/connectors/{name}")

    def fault(self, name):
        """The trace of a task that failed, or None."""
        try:
            status = self.call("GET", f"/connectors/{name}/status")
        except AssertionError:
            return None
        traces = [task.get("trace") for task in status["tasks"] if task["state"] == "FAILED"]
        return traces[0] if traces else None

    def log(self):
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
