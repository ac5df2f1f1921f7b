"""File to topic and topic to file, 100-byte lines: megabytes a second, beside kcat on the same broker.

usage: bench/file.py [--lines N] [--repeats N] [--program build/sluice]

kcat produces the same file into a topic of its own and reads it back (its rows are left out where
it is not installed). Rates count the bytes of the lines. Prints every run, then median, least and
most.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", *folder) for folder in
                (("examples", "quickstart"), ("tests", "lib"))]
from system import Sluice
from wire_client import LATEST, Wire

TEXT = {"key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter"}


def until(true):
    while not true():
        time.sleep(0.005)


def make_topic(sluice, name):
    subprocess.run([sluice.program, "topics", "create", name, "--partitions", "1",
                    "--bootstrap-server", sluice.broker], check=True, capture_output=True)


def by_sluice(sluice, source, lines, number):
    """Seconds from the creation of the source to the last record, and of the sink to the last byte."""
    topic, out = f"lines-{number}", f"{sluice.folder}/out-{number}"
    make_topic(sluice, topic)
    began = time.monotonic()
    sluice.call("POST", "/connectors", {"name": f"in-{number}", "config": {
        "connector.class": "FileStreamSource", "file": source, "topic": topic, **TEXT}})
    with Wire(sluice.broker) as wire:
        until(lambda: wire.offset_at(topic, 0, LATEST) >= lines)
    into = time.monotonic() - began
    began = time.monotonic()
    sluice.call("POST", "/connectors", {"name": f"out-{number}", "config": {
        "connector.class": "FileStreamSink", "file": out, "topics": topic, **TEXT}})
    until(lambda: os.path.exists(out) and os.path.getsize(out) >= os.path.getsize(source))
    out_of = time.monotonic() - began
    same = subprocess.run(["cmp", source, out]).returncode == 0
    for name in (f"in-{number}", f"out-{number}"):
        sluice.call("DELETE", f"/connectors/{name}")
    if not same:
        raise SystemExit("the file that came out is not the one that went in")
    return into, out_of


def by_kcat(sluice, source, number):
    topic = f"kcat-{number}"
    make_topic(sluice, topic)
    began = time.monotonic()
    subprocess.run(["kcat", "-b", sluice.broker, "-P", "-t", topic, "-l", source, "-X",
                    "acks=all"], check=True)
    into = time.monotonic() - began
    began = time.monotonic()
    subprocess.run(["kcat", "-b", sluice.broker, "-C", "-t", topic, "-o", "beginning", "-e", "-q"],
                   check=True, stdout=subprocess.DEVNULL)
    return into, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=2000000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "sluice"))
    given = parser.parse_args()
    rates = {}
    with Sluice(os.path.abspath(given.program)) as sluice:
        source = f"{sluice.folder}/in"
        with open(source, "w", encoding="ascii") as file:
            file.writelines(f"{number:099d}\n" for number in range(given.lines))
        for number in range(given.repeats):
            taken = dict(zip(("sluice, file to topic", "sluice, topic to file"),
                             by_sluice(sluice, source, given.lines, number)))
            if shutil.which("kcat"):
                taken.update(zip(("kcat, file to topic", "kcat, topic to /dev/null"),
                                 by_kcat(sluice, source, number)))
            for name, seconds in taken.items():
                rates.setdefault(name, []).append(given.lines * 100 / 1e6 / seconds)
                print(f"run {number + 1}: {name:<26} {rates[name][-1]:7.0f} MB/s", flush=True)
    for name, values in rates.items():
        print(f"{name:<26} {statistics.median(values):6.0f} MB/s ({min(values):.0f} to {max(values):.0f})")


if __name__ == "__main__":
    main()
