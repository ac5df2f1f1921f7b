"""A connector's states, as Kafka Connect shows them: begun, paused, stopped, restarted and divided anew, slowly and in
any order. Real hosts, the test plugin, a broker.

usage: lifecycle_test.py PROGRAM TEST_PLUGIN [WORD…]      SEED=N replays the random commands
"""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from running_broker import RunningBroker  # noqa: E402
from running_worker import RunningWorker, until  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

PROGRAM, PLUGIN = sys.argv[1], os.path.abspath(sys.argv[2])
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10 ** 6)))


class System:
    def __init__(self, settings=None):
        self.broker = RunningBroker(PROGRAM)
        text = "org.apache.kafka.connect.storage.StringConverter"
        self.worker = RunningWorker([PROGRAM, "standalone"], {
            "bootstrap.servers": self.broker.address, "plugin.path": PLUGIN, "offset.flush.interval.ms": "100",
            "key.converter": text, "value.converter": text, **(settings or {})})

    def __enter__(self):
        return self

    def __exit__(self, *what):
        try:
            self.worker.__exit__(*what)
        finally:
            self.broker.__exit__(*what)

    def config(self, **more):
        return {"connector.class": "TestSource", "test.topic": "t", "test.tell": f"{self.worker.folder}/told",
                **{key.replace("_", "."): value for key, value in more.items()}}

    def create(self, config, **more):
        return self.worker.call("POST", "/connectors", {"name": "c", "config": config, **more})

    def told(self, line):
        """How often the plugin has told this."""
        try:
            with open(f"{self.worker.folder}/told", encoding="utf-8") as file:
                return file.read().split("\n").count(line)
        except FileNotFoundError:
            return 0

    def put(self, what):
        return self.worker.call("PUT", f"/connectors/c/{what}")[0]


@test
def a_connector_begins_as_its_initial_state_says():
    with System() as system:
        for state, shown in (("PAUSED", "PAUSED"), ("STOPPED", "STOPPED"), ("RUNNING", "RUNNING RUNNING")):
            check_equal(system.create(system.config(), initial_state=state)[0], 201)
            system.worker.wait_state("c", shown)
            check_equal(system.told("create 0"), state == "RUNNING")
            check_equal(system.worker.call("DELETE", "/connectors/c")[0], 204)


@test
def a_paused_connector_has_its_tasks_and_a_stopped_one_has_none():
    with System() as system:
        system.create(system.config())
        system.worker.wait_state("c", "RUNNING RUNNING")
        until(lambda: system.told("committed 10"), system.worker.log)
        host = system.worker.host_of("c")
        check_equal(system.put("pause"), 202)
        system.worker.wait_state("c", "PAUSED PAUSED")
        check_equal(system.worker.host_of("c"), host)
        check_equal(system.put("stop"), 204)
        check_equal(system.worker.state("c"), "STOPPED")
        check_equal(system.worker.host_of("c"), None)
        check_equal(system.put("resume"), 202)
        system.worker.wait_state("c", "RUNNING RUNNING")
        until(lambda: system.told("create 10"), system.worker.log)


@test
def more_tasks_than_tasks_max_fail_the_connector():
    with System() as system:
        status, body = system.create(system.config(test_tasks="3", tasks_max="2"))
        check_equal(status, 500)
        check_equal(body["message"], "The connector 'c' has generated 3 tasks, which is greater than 2, the maximum "
                                     "number of tasks it is configured to create.")
        check_equal(system.worker.state("c"), "FAILED")
        config = system.config(test_tasks="3", tasks_max="2147483647")
        check_equal(system.worker.call("PUT", "/connectors/c/config", config)[0], 200)
        system.worker.wait_state("c", "RUNNING RUNNING RUNNING RUNNING")


@test
def two_tasks_of_a_sink_divide_the_partitions():
    with System() as system:
        subprocess.run([PROGRAM, "topics", "--bootstrap-server", system.broker.address, "--create", "--topic", "t",
                        "--partitions", "4"], check=True, stdout=subprocess.DEVNULL)
        system.create({**system.config(tasks_max="2"), "connector.class": "TestSink", "topics": "t"})
        system.worker.wait_state("c", "RUNNING RUNNING RUNNING")
        host = system.worker.host_of("c")

        def members():
            """Of each member of the group how many partitions it has."""
            answer = subprocess.run([PROGRAM, "groups", "--bootstrap-server", system.broker.address, "--describe",
                                     "--group", "connect-c", "--members"], check=False, capture_output=True, text=True)
            return [line.split()[-1] for line in answer.stdout.splitlines() if line.startswith("connect-c ")]

        until(lambda: members() == ["2", "2"], system.worker.log)
        until(lambda: all(system.told(f"open t-{number}@0") > 0 for number in range(4)), system.worker.log)
        check_equal(system.worker.host_of("c"), host)


@test
def a_sink_that_gets_nothing_stays_in_its_group():
    with System() as system:
        subprocess.run([PROGRAM, "topics", "--bootstrap-server", system.broker.address, "--create", "--topic", "t"],
                       check=True, stdout=subprocess.DEVNULL)
        system.create({**system.config(), "connector.class": "TestSink", "topics": "t",
                       "consumer.override.max.poll.interval.ms": "9000",
                       "consumer.override.session.timeout.ms": "9000"})
        until(lambda: system.told("open t-0@0"), system.worker.log)
        end = time.monotonic() + 11
        until(lambda: time.monotonic() > end, system.worker.log)
        check_equal((system.told("open t-0@0"), system.told("close t-0@0")), (1, 0))


@test
def a_source_whose_outside_has_changed_gets_other_tasks():
    with System() as system:
        path = f"{system.worker.folder}/tasks"

        def divide(count):
            with open(path + ".new", "w", encoding="utf-8") as file:
                file.write(str(count))
            os.rename(path + ".new", path)

        divide(1)
        system.create(system.config(tasks_max="3", test_tasks_file=path, test_trouble="ask-split"))
        until(lambda: system.told("committed 10"), system.worker.log)
        for count in (3, 2):
            divide(count)
            system.put("pause")  # Whoever is paused and resumed polls again, and asks to be divided then.
            system.put("resume")
            system.worker.wait_state("c", " ".join(["RUNNING"] * (count + 1)))
            check_equal(len(system.worker.call("GET", "/connectors/c/tasks")[1]), count)


@test
def any_commands_in_any_order_end_as_the_last_one_says():
    print(f"# seed {SEED}", flush=True)
    choose = random.Random(SEED)
    with System({"restart.backoff.initial.ms": "1"}) as system:
        system.create(system.config())
        for _ in range(60):
            method, path = choose.choice((
                ("PUT", "pause"), ("PUT", "resume"), ("PUT", "stop"), ("POST", "restart"), ("POST", "tasks/0/restart"),
                ("POST", "restart?includeTasks=true"), ("POST", "restart?includeTasks=true&onlyFailed=true"),
                ("PUT", "config")))
            body = system.config(test_batch=str(choose.randint(1, 9))) if path == "config" else None
            status, answer = system.worker.call(method, f"/connectors/c/{path}", body)
            if status not in (200, 202, 204) and not (status == 404 and "tasks/0" in path):
                raise AssertionError(f"{method} {path}: {status} {answer}")
        for command, shown in (("pause", "PAUSED"), ("resume", "RUNNING RUNNING"), ("stop", "STOPPED"),
                               ("resume", "RUNNING RUNNING"), ("pause", "PAUSED PAUSED")):
            system.put(command)
            until(lambda: system.worker.state("c").startswith(shown), system.worker.log)
        system.put("resume")
        until(lambda: system.told("committed 10") or system.told("create 10"), system.worker.log)
        check_equal(system.worker.call("DELETE", "/connectors/c")[0], 204)
        until(lambda: system.worker.host_of("c") is None, system.worker.log)


main(sys.argv[3:])
