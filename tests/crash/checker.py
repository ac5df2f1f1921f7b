"""What clients saw, and whether it can be true of one log that loses, doubles and reorders nothing.

Clients note what they do in a History; check() reads it when all is over and knows nothing of
brokers. Times are seconds of one monotonic clock; a partition is any name, of one life of a topic.

    send       value, producer, partition, t0; once: it is sent again by nobody (idempotent, or no
               retries). Of one producer and partition in the order of sending.
    acked      value, offset (None where the client was not told)
    refused    value: the broker has said that it was not stored
    read       reader, group or None, partition, asked, records [[offset, value]], high, low
               (of the same answer, or None), t0, t1
    commit     group, partition, offset, t0, t1 (None: nobody knows)
    committed  group, partition, offset (-1: none), t0, t1: what a client was told
    trimmed    partition, low: the answer of DeleteRecords, t0, t1
    final      partition, low, high, records: the whole log at the end

usage: checker.py HISTORY.jsonl      prints each fault; exit status 1 if there is one
"""
import json
import sys
from collections import defaultdict

SHOWN_MAX = 5  # Faults of one kind that are told in full.
NEVER = float("inf")


class History:
    """Notes of any thread; kept in memory."""

    def __init__(self, events=None):
        self.events = list(events or [])

    def note(self, op, **fields):
        self.events.append({"op": op, **fields})

    def of(self, op):
        return [event for event in self.events if event["op"] == op]

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            for event in self.events:
                file.write(json.dumps(event) + "\n")

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as file:
            return History(json.loads(line) for line in file)


class Faults:
    def __init__(self):
        self.by_kind = defaultdict(list)

    def add(self, kind, text):
        self.by_kind[kind].append(text)

    def kinds(self):
        return sorted(self.by_kind)

    def lines(self):
        for kind, texts in sorted(self.by_kind.items()):
            for one in texts[:SHOWN_MAX]:
                yield f"{kind}: {one[:1500]}"
            if len(texts) > SHOWN_MAX:
                yield f"{kind}: and {len(texts) - SHOWN_MAX} more"


class Model:
    """The one log that all observations together describe."""

    def __init__(self, history):
        self.history = history
        self.sends = {event["value"]: event for event in history.of("send")}
        self.finals = {event["partition"]: event for event in history.of("final")}
        self.logs = {partition: dict(map(tuple, event["records"]))
                     for partition, event in self.finals.items()}
        self.reads = history.of("read")

    def low(self, partition):
        """Below it, records are gone because somebody wanted it so."""
        return self.finals[partition]["low"]


# ---- Records --------------------------------------------------------------------------------


def check_final(model, faults):
    """The end of it all: every offset from low to high, each value where it was acknowledged."""
    for partition, final in model.finals.items():
        offsets = [offset for offset, _ in final["records"]]
        wanted = list(range(final["low"], final["high"]))
        if offsets != wanted:
            missing = sorted(set(wanted) - set(offsets))
            faults.add("hole", f"{partition} has {len(offsets)} records from {final['low']} to "
                               f"{final['high']}; the first missing are {missing[:5]}")
    for event in model.history.of("acked"):
        sent = model.sends[event["value"]]
        partition, offset = sent["partition"], event["offset"]
        if partition not in model.logs or offset is None or offset < model.low(partition):
            continue
        there = model.logs[partition].get(offset)
        if there != event["value"]:
            faults.add("lost", f"{partition} was to have {event['value']} at {offset}: "
                               f"there is {there}")


def check_acked_anywhere(model, faults):
    """A value that was acknowledged without an offset is there, unless it may be trimmed."""
    there = {value for log in model.logs.values() for value in log.values()}
    for event in model.history.of("acked"):
        partition = model.sends[event["value"]]["partition"]
        if event["offset"] is None and partition in model.logs and model.low(partition) == 0 \
                and event["value"] not in there:
            faults.add("lost", f"{event['value']} is nowhere in {partition}")


def check_refused(model, faults):
    refused = {event["value"] for event in model.history.of("refused")}
    for partition, log in model.logs.items():
        for offset, value in log.items():
            if value in refused:
                faults.add("stored though refused", f"{value} at {offset} of {partition}")


def all_places(model, faults):
    """partition -> offset -> value over all reads and the end; whatever does not agree is told."""
    places = defaultdict(dict)
    for partition, log in model.logs.items():
        places[partition].update(log)
    for read in model.reads:
        known = places[read["partition"]]
        for offset, value in read["records"]:
            other = known.setdefault(offset, value)
            if other != value:
                kind = "offset reused" if value in model.sends and other in model.sends \
                    else "content changed"
                faults.add(kind, f"{read['partition']} at {offset}: {read['reader']} saw {value}, "
                                 f"somebody else {other}")
    return places


def check_origin(model, places, faults):
    """What is there was sent, there."""
    for partition, log in places.items():
        for offset, value in log.items():
            sent = model.sends.get(value)
            if sent is None:
                faults.add("content changed", f"{partition} has {value!r} at {offset}, which "
                                              "nobody sent")
            elif sent["partition"] != partition:
                faults.add("misplaced", f"{value} was sent to {sent['partition']} and is at "
                                        f"{offset} of {partition}")


def check_once_and_in_order(model, places, faults):
    """Of each producer: no value twice where that was promised, and first places ascend."""
    ranks = {}
    for rank, value in enumerate(model.sends):
        ranks[value] = rank
    for partition, log in places.items():
        seen, last = {}, {}
        for offset in sorted(log):
            value = log[offset]
            sent = model.sends.get(value)
            if sent is None:
                continue
            if value in seen:
                if sent["once"]:
                    faults.add("doubled", f"{value} is at {seen[value]} and {offset} of "
                                          f"{partition}")
                continue
            seen[value] = offset
            before = last.get(sent["producer"])
            if before is not None and ranks[before] > ranks[value]:
                faults.add("reordered", f"{partition} has {before} at {seen[before]} before "
                                        f"{value} at {offset}")
            last[sent["producer"]] = value


# ---- Readers --------------------------------------------------------------------------------


def check_reads(model, faults):
    for read in model.reads:
        partition, log = read["partition"], model.logs.get(read["partition"])
        for offset, value in read["records"]:
            sent = model.sends.get(value)
            if sent is not None and read["t1"] < sent["t0"]:
                faults.add("seen too early", f"{read['reader']} saw {value} before it was sent")
            if read["high"] is not None and offset >= read["high"]:
                faults.add("seen too early", f"{read['reader']} saw {offset} of {partition} above "
                                             f"the high watermark {read['high']}")
            if log is not None and offset >= model.low(partition) and offset not in log:
                faults.add("taken back", f"{read['reader']} saw {value} at {offset} of "
                                         f"{partition}, which is gone")


def check_gaps(model, faults):
    """A read goes on where it was asked to: what is left out is gone for everybody."""
    for read in model.reads:
        log = model.logs.get(read["partition"])
        expected = read["asked"]
        for offset, _ in read["records"]:
            if expected is not None and offset != expected and log is not None and \
                    (offset < expected or offset - 1 >= model.low(read["partition"])):
                faults.add("skipped", f"{read['reader']} came to {offset} of {read['partition']} "
                                      f"where {expected} was next")
            expected = offset + 1


def check_monotone(model, field, kind, faults):
    """A watermark that somebody was told is never undone for those who ask later."""
    told = defaultdict(list)
    for read in model.reads + (model.history.of("trimmed") if field == "low" else []):
        if read.get(field) is not None:
            told[read["partition"]].append((read["t0"], read["t1"], read[field]))
    for partition, final in model.finals.items():
        told[partition].append((NEVER, NEVER, final[field]))
    for partition, answers in told.items():
        ended = sorted(answers, key=lambda answer: answer[1])
        highest, at = -1, 0
        for t0, _, value in sorted(answers):
            while at < len(ended) and ended[at][1] < t0:
                highest = max(highest, ended[at][2])
                at += 1
            if value < highest:
                faults.add(kind, f"{partition}: {value} after {highest} had been told")


# ---- Groups ---------------------------------------------------------------------------------


def check_committed(model, faults):
    """A committed offset reads as a register: the last one written, or one that is in doubt."""
    commits, answers = defaultdict(list), defaultdict(list)
    for event in model.history.of("commit"):
        commits[event["group"], event["partition"]].append(event)
    for event in model.history.of("committed"):
        answers[event["group"], event["partition"]].append(event)
    for key, asked in answers.items():
        writes = [{"offset": -1, "t0": -1, "t1": -1}] + commits[key]
        # A write counts as done when it was answered or first seen, whatever came first.
        for answer in sorted(asked, key=lambda one: one["t1"]):
            over = max((write["t0"] for write in writes
                        if write["t1"] is not None and write["t1"] < answer["t0"]), default=-1)
            possible = [write for write in writes if write["offset"] == answer["offset"]
                        and write["t0"] <= answer["t1"]
                        and (write["t1"] is None or write["t1"] >= over)]
            if not possible:
                faults.add("commit lost", f"group {key[0]} has {answer['offset']} for {key[1]}")
            elif len(possible) == 1 and (possible[0]["t1"] or NEVER) > answer["t1"]:
                possible[0]["t1"] = answer["t1"]


def check_consumed(model, faults):
    """Below a committed offset nothing is left that no member has read before."""
    first = defaultdict(dict)
    for read in model.reads:
        if read["group"] is not None:
            seen = first[read["group"], read["partition"]]
            for offset, _ in read["records"]:
                seen[offset] = min(seen.get(offset, NEVER), read["t1"])
    for event in model.history.of("commit"):
        event.setdefault("t1", None)
    for key, seen in first.items():
        group, partition = key
        if partition not in model.logs:
            continue
        latest, when = {}, 0
        for offset in sorted(model.logs[partition]):
            when = max(when, seen.get(offset, NEVER))
            latest[offset + 1] = (when, offset)
        for event in model.history.of("commit"):
            if (event["group"], event["partition"]) != key or event["t1"] is None:
                continue
            when, offset = latest.get(event["offset"], (0, 0))
            if when > event["t1"]:
                faults.add("unread", f"group {group} has committed {event['offset']} of "
                                     f"{partition} without having read all up to {offset}")


def check(history):
    model, faults = Model(history), Faults()
    check_final(model, faults)
    check_acked_anywhere(model, faults)
    check_refused(model, faults)
    places = all_places(model, faults)
    check_origin(model, places, faults)
    check_once_and_in_order(model, places, faults)
    check_reads(model, faults)
    check_gaps(model, faults)
    check_monotone(model, "high", "high watermark went back", faults)
    check_monotone(model, "low", "log start went back", faults)
    check_committed(model, faults)
    check_consumed(model, faults)
    return faults


def main():
    faults = check(History.load(sys.argv[1]))
    for line in faults.lines():
        print(line)
    return 1 if faults.kinds() else 0


if __name__ == "__main__":
    sys.exit(main())
