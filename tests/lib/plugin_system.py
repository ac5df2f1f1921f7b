"""A broker, a worker with the plugin of the tests, and a connector that minds its own business beside it.

    with System(program, plugin) as system:
        system.create("c", source("crash", "poll"))
        trace = system.wait_failed("c")
        system.check_neighbour()
"""
from running_broker import RunningBroker
from running_worker import RunningWorker, until
from tap import check_equal

CONVERTERS = {"key.converter": "org.apache.kafka.connect.storage.StringConverter",
              "value.converter": "org.apache.kafka.connect.storage.StringConverter"}
NEVER = {"restart.policy": "never"}
PATIENCE = 90


class System:
    """A broker, a worker, and a file that is copied through a topic into another."""

    def __init__(self, program, plugin, settings=None, calm=True):
        self.calm = calm
        self.broker = RunningBroker(program)
        self.worker = RunningWorker([program, "standalone"], {
            "bootstrap.servers": self.broker.address, "plugin.path": plugin,
            "offset.flush.interval.ms": "100", **CONVERTERS, **(settings or {})})
        self.folder = self.worker.folder
        self.lines = 0

    def __enter__(self):
        if self.calm:
            self.begin_calm()
        return self

    def begin_calm(self):
        self.append(100)
        for name, config in {
                "calm-source": {"connector.class": "FileStreamSource", "topic": "calm",
                                "file": f"{self.folder}/in"},
                "calm-sink": {"connector.class": "FileStreamSink", "topics": "calm",
                              "file": f"{self.folder}/out"}}.items():
            self.create(name, config)
        self.check_calm()
        self.calm = [self.worker.host_of(name) for name in ("calm-source", "calm-sink")]

    def __exit__(self, *what):
        try:
            self.worker.__exit__(*what)
        finally:
            self.broker.__exit__(*what)

    def append(self, count):
        with open(f"{self.folder}/in", "a", encoding="utf-8") as file:
            for _ in range(count):
                file.write(f"line {self.lines}\n")
                self.lines += 1

    def out(self):
        try:
            with open(f"{self.folder}/out", encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def check_calm(self):
        """All lines have arrived, each once."""
        wanted = "".join(f"line {i}\n" for i in range(self.lines))
        until(lambda: len(self.out()) >= len(wanted), self.worker.log)
        check_equal(self.out(), wanted)

    def check_neighbour(self):
        """It still copies, in the processes that it had."""
        self.append(100)
        self.check_calm()
        check_equal([self.worker.host_of(name) for name in ("calm-source", "calm-sink")], self.calm)

    def create(self, name, config):
        """Its host may die before the request is answered."""
        status, body = self.worker.call("POST", "/connectors", {"name": name, "config": config})
        if status not in (201, 500):
            raise AssertionError(f"{status}: {body}")

    def status(self, name):
        return self.worker.call("GET", f"/connectors/{name}/status")[1]

    def wait_failed(self, name):
        """The trace, once it is FAILED."""
        until(lambda: self.status(name)["connector"]["state"] == "FAILED",
              lambda: f"{self.status(name)}\n{self.worker.log()}", PATIENCE)
        return self.status(name)["connector"]["trace"]

    def mend(self, name, config):
        """The same connector without the misbehaviour: all ten records come."""
        config = {key: value for key, value in config.items()
                  if "misbehave" not in key and key != "host.call.timeout.ms"}
        config["test.tell"] = f"{self.folder}/{name}.told"
        if "topics" in config:  # The group would wait for the member that was killed.
            config["consumer.override.group.id"] = f"mended-{name}"
        status, body = self.worker.call("PUT", f"/connectors/{name}/config", config)
        if status not in (200, 201):
            raise AssertionError(f"{status}: {body}")
        self.worker.wait_state(name, "RUNNING RUNNING")
        until(lambda: self.told(name), self.worker.log)

    def told(self, name):
        """A source has stored its last offset, a sink has got its last record."""
        try:
            with open(f"{self.folder}/{name}.told", encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return False
        return "committed 10" in text or "@9 " in text or "create 10" in text


def source(how, at, **more):
    return {"connector.class": "TestSource", "test.topic": "tested", "test.misbehave": how,
            "test.misbehave.at": at, **NEVER, **{key.replace("_", "."): value for key, value in more.items()}}


def sink(how, at, **more):
    return {"connector.class": "TestSink", "topics": "tested", "test.misbehave": how,
            "test.misbehave.at": at, **NEVER, **{key.replace("_", "."): value for key, value in more.items()}}
