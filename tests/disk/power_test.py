"""The power goes: a broker's writes and syncs are recorded while clients use it, and brokers start on
the states that the disk may show then. What was acknowledged must be there, in order, once.

usage: power_test.py SLUICE LIBRARY [WORD…]     SEED=N replays; STATES=N tries more of them
"""
import os
import random as random_module
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

try:
    import kafka
    from traffic import Traffic
except ImportError:
    kafka = None
from preload import DiskBroker  # noqa: E402
from running_broker import RunningBroker  # noqa: E402
from states import Journal  # noqa: E402
from tap import Skip, main, test  # noqa: E402

PROGRAM, LIBRARY = sys.argv[1:3]
SEED = int(os.environ.get("SEED", random_module.SystemRandom().randrange(10 ** 6)))
STATES = int(os.environ.get("STATES", "24"))
SETTINGS = {"offsets.topic.num.partitions": "1", "log.segment.bytes": "20000",
            "log.retention.ms": "-1"}
RETAIN = {"log.retention.check.interval.ms": "50"}


def kill_when(broker, writer, batches, changes):
    """Kills the broker so many changes of its disk after the writer was told of so many batches."""
    deadline = time.monotonic() + 120
    while len(writer.acked) < batches and time.monotonic() < deadline:
        time.sleep(0.001)
    broker.fail(f"die - {changes} *")
    broker.process.wait(timeout=120)
    broker.crash()
    broker.mend()


def record(folder, seed, batches, crash):
    """Clients at work on a broker whose disk is recorded; on the way it is stopped, or with `crash`
    killed."""
    traffic = Traffic(seed)
    with DiskBroker(PROGRAM, LIBRARY, {**SETTINGS, **RETAIN}, journal=True, sync_us=3000) as broker:
        root, inode = broker.root, os.stat(broker.root).st_ino
        traffic.create(broker.address)
        faults = traffic.run(broker.address, batches, batches, 3)
        if crash:
            writer, changes = traffic.writers[0], random_module.Random(seed).randrange(100)
            half = len(writer.acked) + batches // 2
            traffic.run(broker.address, batches, batches, 0,
                        lambda: kill_when(broker, writer, half, changes))
        else:
            broker.stop()
        broker.start()
        faults += traffic.run(broker.address, batches, batches, 3)
        broker.stop()
        if faults:
            raise AssertionError(f"while recording: {faults}")
        path = os.path.join(folder, "journal")
        shutil.copy(broker.journal_path, path)
    return traffic, Journal(path, root, inode)


def check_state(traffic, journal, seed):
    """Builds one state and lets a broker show what it makes of it. None, or what was wrong."""
    random = random_module.Random(seed)
    folder = tempfile.mkdtemp(prefix="sluice-power-")
    point = journal.choose(random)
    words = f"SEED={SEED} state {seed}, before change {point} of {len(journal.entries)}"
    try:
        words += ", " + journal.build(point, random, folder)
        with RunningBroker(PROGRAM, {**SETTINGS, "log.dirs": f"{folder}/data/logs"}) as broker:
            try:
                traffic.check(broker.address, journal.time(point))
            except (AssertionError, OSError) as fault:
                log = "\n".join(broker.log().splitlines()[-15:])
                raise AssertionError(f"{fault}\n{log}") from fault
    except Exception as fault:  # Whatever it is, with the state that showed it.
        if os.environ.get("KEEP"):
            shutil.copytree(folder, f"{os.environ['KEEP']}/{seed}", dirs_exist_ok=True)
        return f"{words}:\n{fault}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None


def check_states(crash, batches):
    if kafka is None:
        raise Skip("python3-kafka is not installed")
    print(f"# seed {SEED}", flush=True)
    folder = tempfile.mkdtemp(prefix="sluice-power-")
    try:
        traffic, journal = record(folder, SEED, batches, crash)
        only = os.environ.get("STATE")
        seeds = [int(only)] if only else [SEED * 1000 + i for i in range(STATES)]
        with ThreadPoolExecutor(2) as pool:
            wrong = [each for each in pool.map(lambda s: check_state(traffic, journal, s), seeds) if each]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if wrong:
        raise AssertionError(f"{len(wrong)} of {len(seeds)} states:\n" + "\n\n".join(wrong[:5]))


@test
def what_was_acknowledged_is_there_when_the_power_goes():
    check_states(crash=False, batches=60)


@test
def what_was_acknowledged_is_there_when_the_power_goes_after_a_crash():
    check_states(crash=True, batches=40)


main(sys.argv[3:])
