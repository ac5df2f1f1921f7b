"""Whether everything has arrived: the file against the tables, the receiver against the topic."""

import json

TABLES = {  # Table -> its key and the columns that are compared.
    "pgbench_accounts": ("aid", ["bid", "abalance"]),
    "pgbench_branches": ("bid", ["bbalance"]),
    "pgbench_tellers": ("tid", ["bid", "tbalance"]),
    "pgbench_history": ("id", ["tid", "bid", "aid", "delta"]),
}


def last_states(path):
    """Table -> key -> the row's last state in the file, applied in the order of the file."""
    states = {table: {} for table in TABLES}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            change = json.loads(line)
            if change is None:  # A tombstone.
                continue
            table = change["source"]["table"]
            key, columns = TABLES[table]
            if change["op"] == "d":
                states[table].pop(change["before"][key], None)
            else:
                row = change["after"]
                states[table][row[key]] = [row[column] for column in columns]
    return states


def differences(cluster, states):
    """Sentences about what the file and the tables do not agree on; none when they do."""
    found = []
    for table, (key, columns) in TABLES.items():
        rows = cluster.sql(f"SELECT {key}, {', '.join(columns)} FROM {table}", "bench")
        wanted = {int(row[0]): [int(value) for value in row[1:]] for row in rows}
        have = states[table]
        missing = wanted.keys() - have.keys()
        surplus = have.keys() - wanted.keys()
        differ = [k for k in wanted.keys() & have.keys() if wanted[k] != have[k]]
        for what, keys in (("missing in the file", missing), ("only in the file", surplus),
                           ("different", differ)):
            if keys:
                some = ", ".join(str(k) for k in sorted(keys)[:5])
                found.append(f"{table}: {len(keys)} rows {what}, {key} {some} …")
    return found
