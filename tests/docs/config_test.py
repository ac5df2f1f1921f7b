"""Every file of config/ is started as it is, but for ports: broker, worker, both file connectors.

usage: config_test.py ROOT PROGRAM [WORD…]
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_worker import RunningWorker, until
from tap import check_equal, main, test

ROOT, PROGRAM = sys.argv[1], os.path.abspath(sys.argv[2])
CONFIG = os.path.join(ROOT, "config")
STARTED = {"server.properties", "connect-standalone.properties",
           "connect-file-source.properties", "connect-file-sink.properties"}
VALIDATED = {"postgres-source.json", "http-sink.json"}


def path(name):
    return os.path.join(CONFIG, name)


def read(name):
    if not os.path.exists(name):
        return ""
    with open(name, encoding="utf-8") as file:
        return file.read()


def with_port(name, fixed, own, folder):
    """The file with its port replaced by ours, in `folder`."""
    text = read(path(name))
    check_equal((name, text.count(fixed)), (name, 1))
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text.replace(fixed, own))
    return os.path.join(folder, name)


class Program:
    """`sluice ARGUMENT…` in `folder`; .ready is what it has written to the ready file."""

    def __init__(self, folder, *arguments, ready):
        self.folder, self.ready_file = folder, os.path.join(folder, f"{arguments[0]}.ready")
        self.log_path = os.path.join(folder, f"{arguments[0]}.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([PROGRAM, *arguments, ready, self.ready_file],
                                            cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)

    def __enter__(self):
        until(lambda: os.path.exists(self.ready_file) or self.process.poll() is not None,
              lambda: read(self.log_path))
        self.ready = read(self.ready_file).strip()
        assert self.ready, read(self.log_path)
        return self

    def __exit__(self, kind, value, traceback):
        self.process.terminate()
        ended = self.process.wait(100)
        if kind is not None:
            print(*[f"# {line}" for line in read(self.log_path).splitlines()[-20:]], sep="\n")
        elif ended != 0:
            raise AssertionError(f"ended with {ended}:\n{read(self.log_path)}")


@test
def every_file_is_tested():
    check_equal(set(os.listdir(CONFIG)), STARTED | VALIDATED | {"README.md", "meson.build"})


@test
def a_line_goes_through_the_broker_the_worker_and_both_file_connectors():
    with tempfile.TemporaryDirectory(prefix="sluice-config-") as folder:
        server = with_port("server.properties", "\nlisteners=PLAINTEXT://127.0.0.1:9092",
                           "\nlisteners=PLAINTEXT://127.0.0.1:0", folder)
        with open(os.path.join(folder, "test.txt"), "w", encoding="utf-8") as file:
            file.write("from a file of config/\n")
        with Program(folder, "broker", server, ready="--port-file") as broker:
            worker = with_port("connect-standalone.properties", "=localhost:9092",
                               f"={broker.ready}", folder)
            with_rest = read(worker).replace(":8083\n", ":0\n")
            with open(worker, "w", encoding="utf-8") as file:
                file.write(with_rest)
            with Program(folder, "standalone", worker, path("connect-file-source.properties"),
                         path("connect-file-sink.properties"), ready="--ready-file") as running:
                sink = os.path.join(folder, "test.sink.txt")
                until(lambda: read(sink) == "from a file of config/\n",
                      lambda: read(running.log_path))
        for kept in ["sluice-logs", "sluice-offsets.sqlite"]:
            assert os.path.exists(os.path.join(folder, kept)), kept


@test
def nothing_in_the_files_is_unknown_or_without_effect():
    with tempfile.TemporaryDirectory(prefix="sluice-config-") as folder:
        server = with_port("server.properties", "\nlisteners=PLAINTEXT://127.0.0.1:9092",
                           "\nlisteners=PLAINTEXT://127.0.0.1:0", folder)
        with Program(folder, "broker", server, ready="--port-file") as broker:
            log = read(broker.log_path)
        assert "ignoring" not in log and "no effect" not in log, log


@test
def connectors_in_json_are_valid():
    with RunningWorker([PROGRAM, "standalone"]) as worker:
        for name in sorted(VALIDATED):
            document = json.loads(read(path(name)))
            config = {"name": document["name"], **document["config"]}
            status, answer = worker.call(
                "PUT", f"/connector-plugins/{config['connector.class']}/config/validate", config)
            errors = [(entry["value"]["name"], entry["value"]["errors"])
                      for entry in answer["configs"] if entry["value"]["errors"]]
            check_equal((name, status, answer["error_count"], errors), (name, 200, 0, []))
            shown = subprocess.run([PROGRAM, "connectors", "validate", path(name), "--url",
                                    f"http://127.0.0.1:{worker.port}"], capture_output=True,
                                   text=True)
            check_equal((shown.returncode, shown.stdout), (0, f"{config['name']}: valid\n"))


@test
def a_plugin_that_is_nearly_named_is_suggested():
    shown = subprocess.run([PROGRAM, "plugins", "show", "PostgresConector"],
                           capture_output=True, text=True)
    check_equal((shown.returncode, shown.stdout, shown.stderr), (
        1, "", "no plugin is called 'PostgresConector': did you mean 'PostgresConnector'?\n"))


main(sys.argv[3:])
