"""The HTTP sink in a worker: what is refused is counted and skipped, waits hold nobody up, and a host that is killed
loses nothing.

usage: http_sink_test.py SLUICE [WORD…]
"""
import http.server
import os
import re
import signal
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
from running_broker import RunningBroker
from running_worker import RunningWorker, until
from tap import check_equal, main, test
from wire_client import Wire, record_batch

PROGRAM = sys.argv[1]


class Target:
    """An HTTP server that answers as judge(body) says, (status, headers[, content]), and keeps bodies and statuses."""

    def __init__(self, judge):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, headers, *content = judge(body)
                seen.append((body, status))
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"".join(content))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # The other side has been killed.
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def taken(self):
        return [body for body, status in list(self.seen) if status == 200]


class Pipeline:
    """A topic of one partition, and a worker with the sink 'out' from there to the target."""

    def __init__(self, judge, **settings):
        self.target = Target(judge)
        self.broker = RunningBroker(PROGRAM)
        self.worker = RunningWorker([PROGRAM, "standalone"], {
            "bootstrap.servers": self.broker.address, "offset.flush.interval.ms": "200",
            "connector.client.config.override.policy": "All"})
        self.config = {"connector.class": "io.aiven.kafka.connect.http.HttpSinkConnector", "topics": "t",
                       "http.url": self.target.url, "http.authorization.type": "none",
                       **{key.replace("_", "."): value for key, value in settings.items()}}

    def __enter__(self):
        self.target.__enter__()
        with Wire(self.broker.address) as wire:
            wire.create_topic("t", 1)
        return self

    def __exit__(self, *what):
        try:
            self.worker.__exit__(*what)
        finally:
            self.broker.__exit__(*what)
            self.target.__exit__(*what)

    def write(self, texts):
        with Wire(self.broker.address) as wire:
            wire.produce("t", 0, record_batch([text.encode() for text in texts]))

    def begin(self):
        status, answer = self.worker.call("POST", "/connectors", {"name": "out", "config": self.config})
        check_equal((status, answer.get("message")), (201, None))

    def call(self, what):
        return self.worker.call("PUT", f"/connectors/out/{what}")[0]

    def figure(self, name):
        _, _, text = self.worker.request("GET", "/metrics")
        found = re.search(rf"^kafka_connect_task_error_{name}{{[^}}]*}} (\S+)$", text.decode(), re.MULTILINE)
        return float(found.group(1)) if found else None

    def await_taken(self, wanted):
        until(lambda: len(set(self.target.taken())) >= wanted,
              lambda: f"{len(set(self.target.taken()))} of {wanted}\n{self.worker.log()[-3000:]}", 90)


def refuse_in_german(_):
    return 422, {"Content-Length": "301"}, b"x" + "ä".encode() * 150


def refuse_bad(body):
    return (422, {}) if "bad" in body else (200, {})


def check_skipped(pipeline, count):
    until(lambda: pipeline.figure("total_records_skipped") == count,
          lambda: str(pipeline.figure("total_records_skipped")))
    check_equal([pipeline.figure(f"total_{name}") for name in ("record_errors", "record_failures", "errors_logged")],
                [count] * 3)
    check_equal(pipeline.worker.state("out"), "RUNNING RUNNING")


@test
def a_record_that_is_refused_is_counted_logged_and_skipped():
    with Pipeline(refuse_bad, errors_tolerance="all", errors_log_enable="true") as pipeline:
        pipeline.write(["one", "bad", "two", "bad too", "three"])
        pipeline.begin()
        pipeline.await_taken(3)
        check_equal(pipeline.target.taken(), ["one", "two", "three"])
        check_skipped(pipeline, 2)
        check_equal("answered with status 422" in pipeline.worker.log(), True)


@test
def every_record_of_a_batch_that_is_refused_is_counted():
    with Pipeline(refuse_bad, errors_tolerance="all", errors_log_enable="true", batching_enabled="true",
                  batch_max_size="3", batch_suffix="") as pipeline:
        records = ["1", "2", "3", "4", "bad", "6", "7"]
        pipeline.write(records)
        pipeline.begin()
        until(lambda: pipeline.target.seen and pipeline.target.seen[-1][0].endswith("7"), pipeline.worker.log)
        check_equal([record for body, _ in pipeline.target.seen for record in body.split("\n")], records)
        check_skipped(pipeline, sum(len(body.split("\n")) for body, status in pipeline.target.seen if status == 422))


@test
def a_refused_record_fails_the_task_where_errors_are_not_tolerated():
    with Pipeline(refuse_bad, restart_policy="never") as pipeline:
        pipeline.write(["one", "bad", "two"])
        pipeline.begin()
        pipeline.worker.wait_state("out", "RUNNING FAILED")
        check_equal(pipeline.target.seen, [("one", 200), ("bad", 422)])
        for again in range(2, 5):  # What has arrived is not sent again.
            check_equal(pipeline.worker.call("POST", "/connectors/out/tasks/0/restart")[0], 204)
            until(lambda: len(pipeline.target.seen) > again, lambda: str(pipeline.target.seen))
            pipeline.worker.wait_state("out", "RUNNING FAILED")
            check_equal(pipeline.target.seen, [("one", 200)] + [("bad", 422)] * again)


@test
def an_answer_that_is_cut_within_a_character_is_told():
    with Pipeline(refuse_in_german, restart_policy="never") as pipeline:
        pipeline.write(["one"])
        pipeline.begin()
        pipeline.worker.wait_state("out", "RUNNING FAILED")
        _, status = pipeline.worker.call("GET", "/connectors/out/status")
        if "status 422: 'x" + "ä" * 99 + "?'; the request" not in status["tasks"][0]["trace"]:
            raise AssertionError(status["tasks"][0]["trace"])


@test
def pausing_resuming_and_stopping_do_not_wait_for_a_long_back_off():
    asked = []

    def judge(body):
        asked.append(body)
        return 503, {"Retry-After": "3000"}

    with Pipeline(judge) as pipeline:
        pipeline.write(["one"])
        pipeline.begin()
        until(lambda: asked, pipeline.worker.log)
        check_equal(pipeline.call("pause"), 202)
        pipeline.worker.wait_state("out", "PAUSED PAUSED")
        check_equal(pipeline.call("resume"), 202)
        pipeline.worker.wait_state("out", "RUNNING RUNNING")
        check_equal(pipeline.call("stop"), 204)
        pipeline.worker.wait_state("out", "STOPPED")
        check_equal(asked, ["one"])


@test
def a_host_that_is_killed_loses_nothing_and_keeps_the_order():
    numbers = [str(number) for number in range(400)]
    killed = threading.Event()

    def judge(body):
        if int(body) == 150 and not killed.is_set():
            killed.set()
            os.kill(pipeline.worker.host_of("out"), signal.SIGKILL)
        return 200, {}

    with Pipeline(judge, consumer_override_session_timeout_ms="6000",
                  consumer_override_max_poll_records="20") as pipeline:
        pipeline.write(numbers)
        pipeline.begin()
        pipeline.await_taken(len(numbers))
        taken = [int(body) for body in pipeline.target.taken()]
        check_equal(sorted(set(taken)), list(range(len(numbers))))
        gaps = [pair for pair in zip(taken, taken[1:]) if pair[1] > pair[0] + 1]
        check_equal(gaps, [])  # Steps back only, to what was committed.


main(sys.argv[2:])
