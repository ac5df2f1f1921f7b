"""sluice up: a broker and a worker below one folder, with file connectors, killed and stopped.

usage: up_test.py SLUICE [WORD…]
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

from running_worker import until  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

SLUICE = sys.argv[1]
TEXT = "org.apache.kafka.connect.storage.StringConverter"


class Up:
    def __init__(self, *arguments):
        self.folder = tempfile.mkdtemp(prefix="sluice-up-")
        self.arguments = list(arguments)
        self.process = None
        self.start()

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self):
        ready = self.path("ready")
        if os.path.exists(ready):
            os.remove(ready)
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                [SLUICE, "up", "--data", self.path("data"), "--broker-port", "0", "--rest-port",
                 "0", "--ready-file", ready, *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: os.path.exists(ready) or self.process.poll() is not None, self.log)
        if not os.path.exists(ready):
            raise AssertionError(f"sluice up did not start:\n{self.log()}")
        with open(ready, encoding="utf-8") as file:
            self.addresses = dict(line.strip().split("=", 1) for line in file)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def children(self):
        """pid -> command line, of the broker and the worker."""
        found = {}
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                if int(fields[1]) == self.process.pid and fields[0] != "Z":
                    with open(f"/proc/{entry}/cmdline", encoding="utf-8") as file:
                        found[int(entry)] = file.read().replace("\0", " ")
            except (OSError, IndexError):
                pass
        return found

    def pid_of(self, command):
        return next((pid for pid, line in self.children().items()
                     if line.startswith(f"sluice {command} ")), None)

    def kill(self, command):
        """kill -9, and waits for its successor."""
        before = self.pid_of(command)
        os.kill(before, signal.SIGKILL)
        until(lambda: self.pid_of(command) not in (None, before), self.log)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.addresses["rest"] + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise OSError(f"{method} {path}: {error.code} {error.read().decode()}\n"
                          f"{self.log()}") from error
        return json.loads(text) if text else None

    def state(self, name):
        try:
            status = self.call("GET", f"/connectors/{name}/status")
        except OSError:
            return "no answer"
        return " ".join([status["connector"]["state"]] + [t["state"] for t in status["tasks"]])

    def make_pipeline(self):
        open(self.path("in.txt"), "w", encoding="utf-8").close()
        self.call("POST", "/connectors", {"name": "in", "config": {
            "connector.class": "FileStreamSource", "file": self.path("in.txt"), "topic": "lines",
            "key.converter": TEXT, "value.converter": TEXT}})
        self.call("POST", "/connectors", {"name": "out", "config": {
            "connector.class": "FileStreamSink", "file": self.path("out.txt"), "topics": "lines",
            "key.converter": TEXT, "value.converter": TEXT}})

    def write(self, line):
        with open(self.path("in.txt"), "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def lines(self):
        try:
            with open(self.path("out.txt"), encoding="utf-8") as file:
                return file.read().splitlines()
        except OSError:
            return []

    def wait_lines(self, *wanted):
        """At least once each, and nothing else."""
        until(lambda: set(self.lines()) == set(wanted),
              lambda: f"{self.lines()}\n{self.log()}", 180)

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return 0
        self.process.send_signal(how)
        ended = self.process.wait(timeout=120)
        self.process = None
        return ended

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
                print(f"# up: {line}")
        elif ended != 0:
            raise AssertionError(f"sluice up ended with {ended}:\n{log}")


@test
def lines_go_through_the_whole_system_and_everything_stops_cleanly():
    with Up() as up:
        up.make_pipeline()
        up.write("hello")
        up.wait_lines("hello")
        children = up.children()
        check_equal(up.stop(), 0)
        check_equal([pid for pid in children if os.path.exists(f"/proc/{pid}")], [])
        check_equal(os.path.exists(up.path("data/run/addresses")), False)
        up.start()
        up.write("again")
        up.wait_lines("hello", "again")


@test
def a_killed_broker_is_back_at_the_same_address_and_lines_go_on():
    with Up() as up:
        up.make_pipeline()
        up.write("before")
        up.wait_lines("before")
        address = up.addresses["broker"]
        up.kill("broker")
        up.write("after")
        up.wait_lines("before", "after")
        check_equal(up.addresses["broker"], address)
        check_equal(up.state("in"), "RUNNING RUNNING")


@test
def a_killed_worker_is_back_with_its_connectors_and_lines_go_on():
    with Up() as up:
        up.make_pipeline()
        up.write("before")
        up.wait_lines("before")
        up.kill("standalone")
        until(lambda: up.state("out") == "RUNNING RUNNING", up.log)
        up.write("after")
        up.wait_lines("before", "after")


@test
def when_the_supervisor_is_killed_its_children_end_and_the_folder_is_free():
    with Up() as up:
        up.make_pipeline()
        children = up.children()
        check_equal(len(children), 2)
        up.stop(signal.SIGKILL)
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), up.log)
        up.start()
        until(lambda: up.state("in") == "RUNNING RUNNING", up.log)


@test
def a_sinks_offsets_are_shown_altered_and_reset():
    with Up() as up:
        up.make_pipeline()
        for line in ("one", "two", "three"):
            up.write(line)
        up.wait_lines("one", "two", "three")
        up.call("PUT", "/connectors/out/stop")
        where = {"kafka_topic": "lines", "kafka_partition": 0}
        check_equal(up.call("GET", "/connectors/out/offsets"),
                    {"offsets": [{"partition": where, "offset": {"kafka_offset": 3}}]})
        up.call("PATCH", "/connectors/out/offsets",
                {"offsets": [{"partition": where, "offset": {"kafka_offset": 2}}]})
        up.call("PUT", "/connectors/out/resume")
        until(lambda: up.lines() == ["one", "two", "three", "three"], up.log)
        up.call("PUT", "/connectors/out/stop")
        up.call("DELETE", "/connectors/out/offsets")
        check_equal(up.call("GET", "/connectors/out/offsets"), {"offsets": []})
        up.call("PUT", "/connectors/out/resume")
        until(lambda: up.lines() == ["one", "two", "three", "three", "one", "two", "three"],
              up.log)


@test
def connectors_of_the_command_line_are_made_once_and_remembered():
    with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
        file.write("name=in\nconnector.class=FileStreamSource\ntopic=t\nfile=/dev/null\n")
        file.flush()
        with Up(file.name) as up:
            until(lambda: up.state("in") == "RUNNING RUNNING", up.log)
            up.call("DELETE", "/connectors/in")
            up.kill("standalone")

            def answers():
                try:
                    return up.call("GET", "/connectors") == []
                except OSError:
                    return False
            until(answers, up.log)


@test
def a_folder_of_connectors_is_as_good_as_its_files():
    with tempfile.TemporaryDirectory() as folder:
        for number in (1, 2):
            with open(os.path.join(folder, f"{number}.properties"), "w", encoding="utf-8") as file:
                file.write(f"name=in{number}\nconnector.class=FileStreamSource\ntopic=t\n"
                           "file=/dev/null\n")
        with open(os.path.join(folder, "notes.txt"), "w", encoding="utf-8") as file:
            file.write("no connector")
        with Up(folder) as up:
            until(lambda: up.state("in1") == up.state("in2") == "RUNNING RUNNING", up.log)
            check_equal(sorted(up.call("GET", "/connectors")), ["in1", "in2"])


@test
def a_folder_or_a_port_that_is_taken_is_told():
    with Up() as up:
        second = subprocess.run([SLUICE, "up", "--data", up.path("data"), "--broker-port", "0"],
                                capture_output=True, text=True, timeout=120, check=False)
        check_equal((second.returncode, second.stderr),
                    (1, f"folder '{up.path('data')}' cannot be used: another sluice up uses it\n"))
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            third = subprocess.run([SLUICE, "up", "--data", up.path("other"), "--broker-port",
                                    str(port)], capture_output=True, text=True, timeout=120,
                                   check=False)
            check_equal((third.returncode, third.stderr),
                        (1, f"port {port}, the broker's, is in use by another program\n"))


@test
def a_wrong_setting_ends_it_with_the_childs_words():
    with Up() as up:
        wrong = subprocess.run([SLUICE, "up", "--data", up.path("other"), "--broker-port", "0",
                                "--rest-port", "0", "--worker-option", "value.converter="],
                               capture_output=True, text=True, timeout=120, check=False)
        check_equal((wrong.returncode, "value.converter" in wrong.stderr), (1, True))


main(sys.argv[2:])
