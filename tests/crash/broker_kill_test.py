"""kill -9 of the broker at random moments, under load: nothing acknowledged is lost, nothing of an
idempotent producer is doubled, order holds, nothing that was seen is taken back, commits stay.

The clients are in actors.py; what they saw is judged by checker.py. Segments are small, so that
they roll, are deleted by retention and by DeleteRecords, and topics come and go meanwhile.

usage: broker_kill_test.py SLUICE [WORD…]     SEED=N replays the plan; SECONDS=N goes on for longer
"""
import os
import random
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from checker import History, check
from running_broker import RunningBroker
from tap import Skip, main, test
from wire_client import Gone, Wire, record_batch

try:
    import confluent_kafka
except ImportError:
    confluent_kafka = None
else:
    import actors

PROGRAM = sys.argv[1]
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10 ** 6)))
SECONDS = float(os.environ.get("SECONDS", 60))
STAYING = {"exact": 1, "library": 3, "all": 1, "one": 1, "zero": 1, "cut": 1, "short": 1,
           "batch": 2}
SMALL = {"segment.bytes": "50000", "segment.index.bytes": "400", "index.interval.bytes": "200"}


class Scene:
    """A broker, the topics that stay, a history and a plan that follows from the seed."""

    def __init__(self, **settings):
        print(f"# seed {SEED}", flush=True)
        if confluent_kafka is None:
            raise Skip("python3-confluent-kafka is not installed")
        self.plan = random.Random(SEED)
        self.history = History()
        self.kills = 0
        self.broker = RunningBroker(PROGRAM, {
            "log.retention.check.interval.ms": "50", "group.min.session.timeout.ms": "1000",
            "auto.create.topics.enable": "false", "offsets.topic.segment.bytes": "100000",
            **settings})
        self.stage = actors.Stage(self.broker.address, self.history)
        with Wire(self.broker.address) as wire:
            for topic, partitions in STAYING.items():
                configs = dict(SMALL, **{"file.delete.delay.ms": "20"})
                if topic == "short":
                    configs["retention.bytes"] = "150000"
                wire.create_topic(topic, partitions, configs)

    def choose(self):
        """A source of choices of its own for each actor: threads do not disturb the plan."""
        return random.Random(self.plan.randrange(1 << 30))

    def kill(self):
        self.broker.crash()
        self.kills += 1
        while self.plan.random() < 0.25:  # And again, while it recovers.
            self.broker.spawn()
            time.sleep(self.plan.random() * 0.01)
            self.broker.crash()
            self.kills += 1
        self.broker.start()

    def judge(self):
        self.broker.stop(signal.SIGKILL)
        self.broker.settings["log.retention.check.interval.ms"] = "3600000"
        self.broker.start()
        with Wire(self.broker.address) as wire:
            for topic, partitions in STAYING.items():
                for number in range(partitions):
                    actors.note_final(wire, self.history, topic, number)
        print(f"# {self.kills} kills, {len(self.history.of('send'))} sent, "
              f"{len(self.history.of('acked'))} acknowledged, "
              f"{len(self.history.of('read'))} reads, {len(self.history.of('commit'))} commits",
              flush=True)
        faults = check(self.history)
        if faults.kinds():
            path = os.path.join(tempfile.gettempdir(), f"sluice-history-{SEED}.jsonl")
            self.history.write(path)
            raise AssertionError("\n".join(faults.lines()) + f"\nhistory: {path}")


@test
def one_client_finds_all_it_was_promised_whenever_the_broker_is_killed():
    scene = Scene(**{"num.network.threads": "1"})
    with scene.broker:
        choose, history = scene.choose(), scene.history
        crew = [actors.ExactProducer(scene.stage, "exact", choose, "exact"),
                actors.PlainProducer(scene.stage, "one", choose, "one", 1),
                actors.PlainProducer(scene.stage, "all", choose, "all", -1),
                actors.PlainProducer(scene.stage, "cut", choose, "cut", -1),
                actors.TailReader(scene.stage, "tail", choose,
                                  [("exact", 0), ("one", 0), ("all", 0), ("cut", 0)]),
                actors.Committer(scene.stage, "alone", choose, "alone", "one"),
                actors.Administrator(scene.stage, "churn", choose, "cut")]
        for one in crew:
            one.pause = lambda seconds: None
        deadline = time.monotonic() + SECONDS / 4
        while time.monotonic() < deadline:
            steps = scene.plan.randint(1, 300)
            wires = {}
            try:
                for _ in range(steps):
                    one = choose.choice(crew)
                    if one not in wires:
                        wires[one] = Wire(scene.broker.address)
                        one.connected(wires[one])
                    one.run_once(wires[one])
                # The last requests are on their way when it dies.
                wires.setdefault(None, Wire(scene.broker.address))
                crew[2].note_send(f"all/last{scene.kills}", "all-0")
                wires[None].send(0, 7, Wire.produce_body("all", 0, record_batch(
                    [actors.value_of(f"all/last{scene.kills}")]), -1))
            except Gone as why:
                raise AssertionError(f"the broker has closed a connection: {why}\n"
                                     f"{scene.broker.log()[-3000:]}") from why
            scene.kill()
            for one, wire in wires.items():
                wire.close()
                if one is not None:
                    one.gone()
        assert len(history.of("acked")) > 0 and scene.kills > 0
        scene.judge()


def many(scene):
    stage, choose = scene.stage, scene.choose
    quick = {"acks": "all", "compression.type": "gzip"}
    return [
        actors.ExactProducer(stage, "exact", choose(), "exact"),
        actors.LibrdkafkaProducer(stage, "library", choose(), "library", 3,
                                  {"enable.idempotence": True}),
        actors.LibrdkafkaProducer(stage, "library2", choose(), "library", 3,
                                  {"enable.idempotence": True, "compression.type": "gzip"}),
        actors.LibrdkafkaProducer(stage, "batch", choose(), "batch", 2,
                                  {**quick, "max.in.flight": 1}),
        actors.LibrdkafkaProducer(stage, "batch1", choose(), "batch", 2,
                                  {"acks": "1", "max.in.flight": 1}),
        actors.PlainProducer(stage, "all", choose(), "all", -1),
        actors.PlainProducer(stage, "one", choose(), "one", 1),
        actors.PlainProducer(stage, "zero", choose(), "zero", 0),
        actors.PlainProducer(stage, "cut", choose(), "cut", -1),
        actors.PlainProducer(stage, "short", choose(), "short", 1),
        actors.TailReader(stage, "tail1", choose(), [("exact", 0), ("all", 0), ("one", 0),
                                                     ("zero", 0), ("batch", 1)]),
        actors.TailReader(stage, "tail2", choose(), [("cut", 0), ("short", 0)]),
        *(actors.GroupMember(stage, f"member{i}", choose(), "group", "library") for i in range(3)),
        actors.GroupMember(stage, "loner", choose(), "other", "batch"),
        actors.Committer(stage, "alone", choose(), "alone", "one"),
        actors.Administrator(stage, "churn", choose(), "cut"),
    ]


@test
def many_clients_find_all_they_were_promised_whenever_the_broker_is_killed():
    scene = Scene()
    with scene.broker:
        crew = many(scene)
        deadline = time.monotonic() + SECONDS
        for one in crew:
            one.start()
        try:
            while time.monotonic() < deadline and not scene.stage.faults:
                more = scene.plan.choice((1, 100, 3000, 20000))
                if not scene.stage.wait_acked(scene.plan.randint(1, more), 30):
                    raise AssertionError("nothing is acknowledged any more")
                time.sleep(scene.plan.random() * 0.05)  # Not only right after an answer.
                scene.kill()
            scene.stage.wait_acked(1000, 30)
        finally:
            scene.stage.over.set()
            for one in crew:
                one.join(60)
        if scene.stage.faults:
            raise AssertionError("\n".join(scene.stage.faults))
        scene.judge()


main(sys.argv[2:])
