"""The tools that tell about a cluster as a whole: kafka-cluster, kafka-broker-api-versions.

usage: tools_cluster_test.py PROGRAM [WORD…]
"""
import json
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_tools import Tools
from tap import check_equal, main, test

PROGRAM = os.path.abspath(sys.argv[1])


@test
def the_cluster_has_an_id_that_stays():
    with Tools(PROGRAM) as tools:
        status, out, _ = tools.kafka("kafka-cluster", "cluster-id")
        check_equal(status, 0)
        found = re.fullmatch(r"Cluster ID: ([A-Za-z0-9_-]{22})\n", out)
        assert found, out
        check_equal(json.loads(tools.run("cluster", "cluster-id", "--json")[1]),
                    {"cluster_id": found.group(1)})


@test
def the_brokers_of_a_cluster_are_listed():
    with Tools(PROGRAM) as tools:
        host, port = tools.broker.address.split(":")
        check_equal(tools.kafka("kafka-cluster", "list-endpoints"), (
            0,
            "ID         HOST      PORT       RACK       STATE      ENDPOINT_TYPE  \n"
            f"1          {host} {port:<10} null       unfenced   broker         \n", ""))


@test
def a_verb_is_needed():
    with Tools(PROGRAM) as tools:
        check_equal(tools.kafka("kafka-cluster")[0], 1)
        check_equal(tools.run("cluster")[0], 2)


@test
def the_versions_of_requests_are_told_as_kafka_tells_them():
    with Tools(PROGRAM) as tools:
        status, out, _ = tools.kafka("kafka-broker-api-versions")
        check_equal(status, 0)
        lines = out.splitlines()
        check_equal(lines[0], f"{tools.broker.address} (id: 1 rack: null isFenced: false) -> (")
        check_equal(lines[-1], ")")
        assert re.fullmatch(r"\tProduce\(0\): 0 to (\d+) \[usable: \1\],", lines[1]), lines[1]
        assert "\tShareFetch(78): UNSUPPORTED," in lines, out
        assert re.fullmatch(r"\t\w+\(92\): UNSUPPORTED", lines[-2]), lines[-2]
        apis = json.loads(tools.run("api-versions", "--json")[1])[0]["apis"]
        check_equal([api["name"] for api in apis if api["key"] == 3], ["Metadata"])


@test
def security_that_is_not_spoken_is_refused_before_anything_is_sent():
    with tempfile.NamedTemporaryFile("w", suffix=".properties") as file, Tools(PROGRAM) as tools:
        file.write("client.id=x\nsecurity.protocol=SASL_SSL\n")
        file.flush()
        check_equal(tools.kafka("kafka-cluster", "cluster-id", "--command-config", file.name), (
            1, "", f"{file.name}:2: security.protocol is 'SASL_SSL': this tool speaks PLAINTEXT "
                   "only\n"))


main(sys.argv[2:])
