"""kafka-dump-log on files that Apache Kafka 4.1 wrote, line by line as Apache Kafka's own tool
printed them (dump_log/expected), and on such files broken in many ways.

usage: dump_log_test.py PROGRAM [WORD…]

With PEERS naming a folder that has Apache Kafka's jars in kafka/, its own tool runs beside ours
on the same files, the broken ones too (30 s); without, that case is skipped.
"""
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_tools import Tools
from tap import Skip, check_equal, main, test

PROGRAM = os.path.abspath(sys.argv[1])
TOOL = os.path.join(os.path.dirname(PROGRAM), "kafka-dump-log")
FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dump_log")
PEERS = os.environ.get("PEERS", "")
LOG = "00000000000000000000.log"

# What is asked: the name of the file in expected/, and the words of the command line.
QUESTIONS = {
    "codecs": ["--files", f"all-0/{LOG}", "--print-data-log"],
    "transactions": ["--print-data-log", "--files", "all-0/00000000000000000031.log"],
    "batches": ["--files", f"all-0/{LOG},all-0/00000000000000000031.log"],
    "values-only": ["--files", f"all-0/{LOG}", "--print-data-log", "--skip-record-metadata"],
    "deep": ["--files", "all-0/00000000000000000031.log", "--deep-iteration", "--max-bytes", "200"],
    "append-time": ["--print-data-log", "--files", f"appended-0/{LOG}"],
    "indexes": ["--files", ",".join(f"all-0/000000000000000000{n}.{kind}" for n in ("00", "31")
                                    for kind in ("index", "timeindex"))],
    "indexes-checked": ["--index-sanity-check", "--files",
                        "all-0/00000000000000000000.index,all-0/00000000000000000000.timeindex"],
    "state": ["--files", "all-0/00000000000000000031.snapshot,all-0/00000000000000000039.snapshot,"
              "all-0/00000000000000000031.txnindex"],
    "offsets": ["--offsets-decoder", "--files", f"__consumer_offsets-42/{LOG}"],
    "static-member": ["--offsets-decoder", "--files", f"__consumer_offsets-43/{LOG}"],
    "consumer-group": ["--offsets-decoder", "--files", f"__consumer_offsets-7/{LOG}"],
    "transaction-log": ["--transaction-log-decoder", "--files", f"__transaction_state-16/{LOG}"],
    "metadata": ["--cluster-metadata-decoder", "--files", f"__cluster_metadata-0/{LOG}"],
}


def run(words, folder=FIXTURE, program=TOOL):
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def java(words, folder):
    command = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
               f"{PEERS}/kafka/*", "kafka.tools.DumpLogSegments", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def need_kafka():
    if not PEERS or not os.path.exists(f"{PEERS}/kafka") or shutil.which("java") is None:
        raise Skip("PEERS does not name a folder with Apache Kafka's jars, or there is no java")


def without_root(text):
    return text.replace(FIXTURE + "/", "")


@test
def every_file_is_printed_as_apache_kafka_printed_it():
    for name, words in QUESTIONS.items():
        with open(f"{FIXTURE}/expected/{name}", encoding="utf-8") as file:
            expected = file.read()
        status, out, error = run(words)
        check_equal((name, status, out + without_root(error)), (name, 0, expected))


# Changes of the first log: the batches lie at 0, 106 (gzip), 267 (snappy), 443 (lz4),
# 631 (zstd), 786, 907 and 996.
def put(at, form, value):
    def change(log):
        log[at:at + struct.calcsize(form)] = struct.pack(form, value)
    return change


def cut(size):
    def change(log):
        del log[size:]
    return change


BROKEN = {
    "cut-in-batch": cut(1057), "cut-in-header": cut(924), "cut-in-prefix": cut(917),
    "empty": cut(0), "crc": put(100, "B", 7), "length-1": put(8, ">i", 1),
    "length-negative": put(8, ">i", -5), "length-huge": put(8, ">i", 10**6),
    "length-short": put(8, ">i", 40), "magic-3": put(16, "b", 3), "magic-negative": put(16, "b", -1),
    "codec-5": put(21, ">h", 5), "horizon": put(21, ">h", 0x48), "count-high": put(57, ">i", 9),
    "count-low": put(57, ">i", 2), "count-negative": put(57, ">i", -1),
    "record-length": put(61, "B", 0x7e), "gap": put(106, ">q", 7), "offset-negative": put(106, ">q", -7),
    "snappy": put(357, "B", 0), "lz4": put(509, "B", 0), "zstd": put(695, "B", 0),
    "gzip-count-low": put(163, ">i", 3), "gzip-count-high": put(163, ">i", 7),
}


def write_broken(folder, name):
    with open(f"{FIXTURE}/all-0/{LOG}", "rb") as file:
        log = bytearray(file.read())
    BROKEN[name](log)
    os.mkdir(f"{folder}/{name}")
    with open(f"{folder}/{name}/{LOG}", "wb") as file:
        file.write(log)
    return ["--print-data-log", "--files", f"{name}/{LOG}"]


@test
def what_is_broken_is_told_and_what_is_before_it_is_printed():
    last_lines = {
        "cut-in-batch": (0, "Found 61 invalid bytes at the end of 00000000000000000000.log\n", ""),
        "length-huge": (0, "Found 1087 invalid bytes at the end of 00000000000000000000.log\n", ""),
        "length-1": (1, "Log starting offset: 0\n", "Found record size 1 smaller than minimum record "
                     f"overhead (14) in file length-1/{LOG}.\n"),
        "codec-5": (1, "deleteHorizonMs: OptionalLong.empty", "Unknown compression type id: 5\n"),
        "count-low": (1, "key: k payload: v1\n", "Incorrect declared batch size, records still "
                      "remaining in file\n"),
        "gap": (0, "", "  11 is followed by 9\n  3 is followed by 7\n"),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, (status, out, error) in last_lines.items():
            got = run(write_broken(folder, name), folder)
            assert (got[0] == status and got[1].endswith(out) and got[2].endswith(error)), (name, got)


@test
def an_index_that_does_not_fit_the_log_is_told_entry_by_entry():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(f"{FIXTURE}/all-0/{LOG}", folder)
        base = "00000000000000000000"
        with open(f"{folder}/{base}.index", "wb") as file:
            file.write(struct.pack(">iiiiii", 8, 106, 14, 267, 19, 443))
        with open(f"{folder}/{base}.timeindex", "wb") as file:
            file.write(struct.pack(">qiqi", 1700000000013, 8, 1700000000014, 13))
        got = run(["--verify-index-only", "--files", f"{base}.index,{base}.timeindex"], folder)
        real = os.path.realpath(folder)
        check_equal(got, (0, f"Dumping {base}.index\nDumping {base}.timeindex\n",
                          f"Mismatches in :{real}/{base}.index\n"
                          "  Index offset: 19, log offset: 18\n  Index offset: 14, log offset: 13\n"
                          f"Found timestamp mismatch in :{real}/{base}.timeindex\n"
                          "  Index timestamp: 1700000000013, log timestamp: 1700000000014\n"))


@test
def mistakes_on_the_command_line_end_with_1():
    status, out, error = run(["--print-data-log"])
    check_equal((status, out, error.splitlines()[0]), (1, "", 'Missing required argument "[files]"'))
    check_equal(run(["--files", "partition.metadata"])[::2],
                (0, "Ignoring unknown file partition.metadata\n"))
    status, out, error = run(["--files", f"nowhere/{LOG}"])
    check_equal((status, out), (1, f"Dumping nowhere/{LOG}\nLog starting offset: 0\n"))
    assert "cannot be read: No such file" in error, error


@test
def random_damage_never_crashes_it():
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 32)
    print(f"# SEED={seed}")
    chance = random.Random(seed)
    sources = [words for name, words in QUESTIONS.items() if name not in ("values-only", "deep")]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(FIXTURE, f"{folder}/files")
        for _ in range(250):
            words = chance.choice(sources)
            paths = words[words.index("--files") + 1].split(",")
            for path in paths:
                with open(f"{FIXTURE}/{path}", "rb") as file:
                    content = bytearray(file.read())
                for _ in range(chance.randrange(1, 6)):
                    content[chance.randrange(len(content))] = chance.choice([0, 255, chance.randrange(256)])
                with open(f"{folder}/files/{path}", "wb") as file:
                    file.write(content[:chance.randrange(len(content)) if chance.random() < 0.2 else None])
            status = run(words, f"{folder}/files")[0]
            assert status in (0, 1), (words, status)


@test
def a_folder_of_our_broker_is_read():
    with Tools(PROGRAM, {"num.partitions": "1"}) as tools:
        lines = "".join(f"k{i}\t{100 * str(i)}\n" for i in range(3))
        tools.kafka("kafka-console-producer", "--topic", "t", "--property", "parse.key=true",
                    "--compression-codec", "zstd", stdin=lines)
        data = os.path.join(tools.broker.folder, "data")
        status, out, _ = run(["--files", f"t-0/{LOG}", "--print-data-log"], data)
        check_equal(status, 0)
        assert "compresscodec: zstd" in out and "isvalid: true" in out, out
        assert "headerKeys: [] key: k2 payload: 222" in out, out
        status, out, _ = run(["--files", f"__cluster_metadata-0/{LOG}", "--cluster-metadata-decoder"],
                             data)
        assert '{"type":"TOPIC_RECORD","version":0,"data":{"name":"t",' in out, out


@test
def apache_kafkas_own_tool_prints_the_same():
    need_kafka()
    for name, words in QUESTIONS.items():
        check_equal((name, *run(words)), (name, *java(words, FIXTURE)))
    with tempfile.TemporaryDirectory() as folder:
        for name in BROKEN:
            words = write_broken(folder, name)
            check_equal((name, *run(words, folder)[:2]), (name, *java(words, folder)[:2]))


main(sys.argv[2:])
