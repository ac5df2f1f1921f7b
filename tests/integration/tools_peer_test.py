"""Kafka's own tools and ours side by side, line by line: on our broker, and on Apache Kafka.
Skipped unless KAFKA names the folder of Apache Kafka's jars, and there is java.

usage: KAFKA=DIR tools_peer_test.py PROGRAM [WORD…]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from tap import Skip, main, test
from tool_peers import ToolPeers, why_not

LIBS = os.environ.get("KAFKA")
peers = ToolPeers(os.path.abspath(sys.argv[1]), LIBS)


def compare(commands, **prepared):
    reason = why_not(LIBS)
    if reason is not None:
        raise Skip(f"Apache Kafka cannot be had: {reason}")
    peers.compare(commands, **prepared)


@test
def kafka_topics():
    compare(r"""
kafka-topics --create --topic x@ --partitions 3 --config retention.ms=1000 --config segment.bytes=2000000
kafka-topics --create --topic x@
kafka-topics --create --topic x@ --if-not-exists
kafka-topics --create --topic a_b.c@
kafka-topics --create --topic z@ --replica-assignment 1,1,1
kafka-topics --create --topic y --replica-assignment 1:1
kafka-topics --create --topic y --replica-assignment a,b
kafka-topics --create --topic y --replica-assignment 1,1 --partitions 2
kafka-topics --create --topic y --partitions 0
kafka-topics --create --topic y --replication-factor 0
kafka-topics --create --topic y --replication-factor 99999
kafka-topics --create --topic y --config foo
kafka-topics --create
kafka-topics
kafka-topics --list --create
kafka-topics --list --topic z@
kafka-topics --list --topic nope
kafka-topics --list --topic nope --if-exists
kafka-topics --list --partitions 3
kafka-topics --describe --topic x@
kafka-topics --describe --topic z@ --topics-with-overrides
kafka-topics --describe --topic nope
kafka-topics --describe --topic nope --if-exists
kafka-topics --describe --under-replicated-partitions
kafka-topics --describe --unavailable-partitions
kafka-topics --describe --under-min-isr-partitions
kafka-topics --describe --at-min-isr-partitions --topic z@
kafka-topics --describe --topic-id AAAAAAAAAAAAAAAAAAAAAQ
kafka-topics --describe --topic-id AAAAAAAAAAAAAAAAAAAAAQ --if-exists
kafka-topics --alter --topic x@ --partitions 5
kafka-topics --alter --topic nope --partitions 2
kafka-topics --alter --topic nope --partitions 2 --if-exists
kafka-topics --alter --topic x@ --config a=b
kafka-topics --alter --topic x@
kafka-topics --alter --partitions 4
kafka-topics --alter --topic z@ --replica-assignment 1,1,1,1 --partitions 4
kafka-topics --describe --topic z@
kafka-topics --delete --topic nope
kafka-topics --delete --topic nope --if-exists
kafka-topics --delete
kafka-topics --delete --topic z@
kafka-topics --foo
kafka-topics --list --topic "(?!_)[zx]\w+@"
""")


@test
def kafka_configs():
    compare(r"""
kafka-configs --describe --entity-type topics --entity-name C@
kafka-configs --describe --topic nope
kafka-configs --alter --topic C@ --add-config segment.bytes=3000000,cleanup.policy=[compact,delete]
kafka-configs --describe --topic C@
kafka-configs --alter --topic C@ --delete-config cleanup.policy
kafka-configs --alter --topic C@ --delete-config cleanup.policy,foo
kafka-configs --alter --topic C@ --add-config foo
kafka-configs --alter --topic C@
kafka-configs --alter --topic C@ --add-config-file FILES/add.properties
kafka-configs --alter --topic C@ --add-config-file FILES/add.properties --add-config a=b
kafka-configs --describe --topic C@
kafka-configs --describe --broker 1
kafka-configs --describe --broker 7
kafka-configs --describe --broker x
kafka-configs --alter --broker x --add-config a=b
kafka-configs --describe --entity-type foo
kafka-configs --describe
kafka-configs --describe --alter --topic C@
kafka-configs --alter --add-config a=b
kafka-configs --alter --entity-type topics --add-config a=b
kafka-configs --alter --user u --add-config foo=1
kafka-configs --alter --client c --add-config foo=1
kafka-configs --describe --entity-type broker-loggers
kafka-configs --describe --entity-type topics --entity-type topics --entity-name C@
kafka-configs --describe --topic C@ --broker 1
kafka-configs --describe --topic C@ --add-config a=b
kafka-configs --describe --entity-name C@
kafka-configs --describe --entity-type topics --entity-default
""", topics=["C"], files={"add.properties": "segment.bytes=5000000\nmax.message.bytes=6000\n"})


@test
def kafka_get_offsets_and_kafka_delete_records():
    compare(r"""
kafka-get-offsets --topic T@
kafka-get-offsets --topic T@ --time -2
kafka-get-offsets --topic T@ --time earliest
kafka-get-offsets --topic T@ --time max-timestamp
kafka-get-offsets --topic T@ --time 9999999999999
kafka-get-offsets --topic T@ --time 5
kafka-get-offsets --topic T@ --time foo
kafka-get-offsets --topic nope
kafka-get-offsets --topic TJ --topic TO
kafka-get-offsets --topic T@ --partitions 0,2
kafka-get-offsets --topic T@ --partitions 1-
kafka-get-offsets --topic T@ --partitions 9
kafka-get-offsets --topic-partitions T@:0,T@:2-4
kafka-get-offsets --topic-partitions T@:0-2
kafka-get-offsets --topic-partitions T@:0 --topic T@
kafka-get-offsets --topic-partitions T@:x
kafka-delete-records --offset-json-file FILES/good.json
kafka-delete-records --offset-json-file FILES/far.json
kafka-delete-records --offset-json-file FILES/twice.json
kafka-delete-records --offset-json-file FILES/fieldless.json
kafka-delete-records --offset-json-file FILES/none.json
kafka-delete-records --offset-json-file FILES/nope.json
kafka-delete-records
kafka-get-offsets --topic T@ --time earliest
""", topics=["T"], files={
        "good.json": '{"partitions":[{"topic":"T@","partition":0,"offset":3}],"version":1}',
        "far.json": '{"partitions":[{"topic":"T@","partition":0,"offset":300}],"version":1}',
        "twice.json": '{"partitions":[{"topic":"t","partition":0,"offset":3},'
                      '{"topic":"t","partition":0,"offset":3}]}',
        "fieldless.json": '{"partitions":[{"topic":"t","partition":0}]}',
        "none.json": "xx"})


@test
def tools_for_the_cluster():
    compare(r"""
kafka-log-dirs
kafka-log-dirs --describe --broker-list 1,7
kafka-log-dirs --describe --broker-list x
kafka-broker-api-versions
kafka-leader-election --election-type preferred --topic L@ --partition 0
kafka-leader-election --election-type unclean --topic L@ --partition 0
kafka-leader-election --election-type preferred --all-topic-partitions
kafka-leader-election --election-type foo --all-topic-partitions
kafka-leader-election --election-type preferred
kafka-leader-election --election-type preferred --topic L@
kafka-leader-election --election-type preferred --topic L@ --partition 0 --all-topic-partitions
kafka-leader-election --all-topic-partitions
""", topics=["L"], files={"elect.json": '{"partitions":[{"topic":"L@","partition":0},'
                                        '{"topic":"nope","partition":1}]}'})


@test
def kafka_consumer_groups():
    compare(r"""
~ kafka-consumer-groups --list
kafka-consumer-groups --group g@ --topic G@ --reset-offsets --to-earliest
kafka-consumer-groups --group g@ --topic G@ --reset-offsets --to-earliest --dry-run
kafka-consumer-groups --group g@ --topic G@ --reset-offsets --to-offset 7 --execute
kafka-consumer-groups --group h@ --topic G@:0 --topic G@:2 --reset-offsets --to-latest --execute
kafka-consumer-groups --group h@ --topic G@:0,2 --reset-offsets --shift-by -3 --execute
kafka-consumer-groups --group h@ --topic G@:0 --reset-offsets --shift-by 300 --execute
kafka-consumer-groups --group h@ --topic G@:0 --reset-offsets --shift-by -300 --execute
kafka-consumer-groups --group h@ --topic G@:0 --reset-offsets --to-offset 99 --execute
kafka-consumer-groups --group h@ --topic nope --reset-offsets --to-offset 1 --execute
kafka-consumer-groups --group h@ --all-topics --reset-offsets --to-current --execute
kafka-consumer-groups --group h@ --all-topics --reset-offsets --to-earliest --export
~ kafka-consumer-groups --group g@ --group h@ --all-topics --reset-offsets --to-earliest --export
~ kafka-consumer-groups --all-groups --all-topics --reset-offsets --to-current --dry-run
kafka-consumer-groups --group g@ --all-topics --reset-offsets --to-datetime 2020-01-01T00:00:00.000
kafka-consumer-groups --group g@ --all-topics --reset-offsets --to-datetime 2099-01-01T00:00:00.000+02:00
kafka-consumer-groups --group g@ --all-topics --reset-offsets --to-datetime foo
kafka-consumer-groups --group g@ --all-topics --reset-offsets --by-duration P1D
kafka-consumer-groups --group g@ --all-topics --reset-offsets --by-duration foo
kafka-consumer-groups --group g@ --all-topics --reset-offsets --by-duration PT0S
kafka-consumer-groups --group g@ --topic G@ --reset-offsets --from-file FILES/reset.csv
kafka-consumer-groups --group g@ --reset-offsets --from-file FILES/reset.csv --execute
~ kafka-consumer-groups --group g@ --group h@ --reset-offsets --from-file FILES/groups.csv --dry-run
kafka-consumer-groups --group g@ --reset-offsets --from-file FILES/nope.csv
kafka-consumer-groups --group g@ --reset-offsets --to-earliest
kafka-consumer-groups --reset-offsets --to-earliest --all-topics
kafka-consumer-groups --group g@ --reset-offsets --all-topics
kafka-consumer-groups --group g@ --reset-offsets --all-topics --to-earliest --to-latest
kafka-consumer-groups --group g@ --reset-offsets --all-topics --to-earliest --execute --dry-run
kafka-consumer-groups --group g@ --topic G@ --all-topics --reset-offsets --to-earliest
kafka-consumer-groups --describe --group g@
kafka-consumer-groups --describe --group h@ --offsets
kafka-consumer-groups --describe --group g@ --members
kafka-consumer-groups --describe --group g@ --members --verbose
kafka-consumer-groups --describe --group g@ --state
kafka-consumer-groups --describe --group g@ --state --verbose
kafka-consumer-groups --describe --group g@ --offsets --verbose
kafka-consumer-groups --describe --group g@ --members --state
kafka-consumer-groups --describe --group nope
kafka-consumer-groups --describe --group nope --members
kafka-consumer-groups --describe --group nope --state
kafka-consumer-groups --describe --group g@ --group h@ --state
kafka-consumer-groups --describe --group g@ --group h@
kafka-consumer-groups --describe
kafka-consumer-groups --describe --group g@ --all-groups
~ kafka-consumer-groups --list --state
~ kafka-consumer-groups --list --state Empty
kafka-consumer-groups --list --state Stable,Dead
kafka-consumer-groups --list --state foo
~ kafka-consumer-groups --list --type
~ kafka-consumer-groups --list --type classic
kafka-consumer-groups --list --type consumer
kafka-consumer-groups --list --type foo
~ kafka-consumer-groups --list --state --type
kafka-consumer-groups --list --group g@
kafka-consumer-groups --list --describe
kafka-consumer-groups --delete-offsets --group h@ --topic G@:0
kafka-consumer-groups --delete-offsets --group h@ --topic G@:1
kafka-consumer-groups --delete-offsets --group h@ --topic nope
kafka-consumer-groups --delete-offsets --group nope --topic G@
kafka-consumer-groups --delete-offsets --group g@ --topic G@
kafka-consumer-groups --delete-offsets --group g@
kafka-consumer-groups --delete-offsets --topic G@
kafka-consumer-groups --describe --group h@
kafka-consumer-groups --describe --group g@
kafka-consumer-groups --delete --group nope
kafka-consumer-groups --delete --group h@ --group nope
kafka-consumer-groups --delete --group g@
kafka-consumer-groups --delete
kafka-consumer-groups --delete --group g@ --topic G@
kafka-consumer-groups --delete --all-groups
~ kafka-consumer-groups --list
kafka-consumer-groups --describe --all-groups
kafka-consumer-groups
kafka-consumer-groups --list --timeout x
""", topics=["G"], files={"reset.csv": "G@,0,5\nG@,1,0\n",
                          "groups.csv": "g@,G@,0,5\nh@,G@,2,0\n"})


@test
def kafka_console_producer_and_kafka_console_consumer():
    compare(r"""
kafka-topics --create --topic P@
kafka-console-producer --topic P@ <<< one\ntwo\n
kafka-console-producer --topic P@ --property parse.key=true <<< k\tv\nl\tw\n
kafka-console-producer --topic P@ --property parse.key=true --property key.separator=: <<< k:v\n:\nm:\n
kafka-console-producer --topic P@ --property parse.key=true <<< nokey\n
kafka-console-producer --topic P@ --property parse.key=true --property ignore.error=true <<< nokey\n
kafka-console-producer --topic P@ --property parse.headers=true <<< a:1,b:2\tv\n
kafka-console-producer --topic P@ --property parse.headers=true --property parse.key=true <<< a:1\tk\tv\n
kafka-console-producer --topic P@ --property parse.headers=true <<< a\tv\n
kafka-console-producer --topic P@ --property parse.headers=true <<< nothing\n
kafka-console-producer --topic P@ --property parse.key=true --property null.marker=NULL <<< NULL\tv\nk\tNULL\n
kafka-console-producer --topic P@ --compression-codec lz4 <<< lz4\n
kafka-console-producer --topic P@ --request-required-acks 1 --sync <<< acked\n
kafka-console-producer --topic P@ --producer-property acks=1 <<< acked\n
kafka-console-producer --topic P@ --request-required-acks 7 <<< x\n
kafka-console-producer --topic P@ --compression-codec foo <<< x\n
kafka-console-producer --topic P@ --compression-codec <<< gz\n
kafka-console-producer --topic P@ --property parse.headers=true --property headers.delimiter=, <<< x\n
kafka-console-producer --topic P@ --property parse.headers=true --property null.marker=NULL <<< NULL:1\tv\n
kafka-console-producer --topic P@ --property parse.headers=true --property null.marker=NULL <<< a:NULL,b:\tv\n
kafka-console-producer --topic P@ --property foo=bar --reader-config FILES/reader <<< k=v\n
kafka-console-producer --topic I@ <<< abcd\nabcde\n
kafka-console-producer
kafka-console-producer --topic P@ --foo
kafka-console-producer --topic P@ --batch-size x
kafka-console-consumer --topic P@ --partition 0 --offset 2 --max-messages 2
kafka-console-consumer --topic P@ --partition 0 --offset earliest --max-messages 1
kafka-console-consumer --topic P@ --from-beginning --max-messages 9 --property print.key=true
kafka-console-consumer --topic P@ --from-beginning --max-messages 14 --timeout-ms 4000 --property print.key=true --property print.headers=true --property print.partition=true --property print.offset=true --property print.timestamp=true
kafka-console-consumer --topic P@ --from-beginning --max-messages 14 --timeout-ms 4000 --property print.key=true --property key.separator=: --property null.literal=NONE --property headers.separator=! --property line.separator=; --property print.headers=true
kafka-console-consumer --topic P@ --from-beginning --max-messages 14 --timeout-ms 4000 --property print.value=false --property print.offset=true
kafka-console-consumer --topic P@ --from-beginning --max-messages 2 --formatter org.apache.kafka.tools.consumer.LoggingMessageFormatter
kafka-console-consumer --include P@ --from-beginning --max-messages 1
kafka-console-consumer --topic P@ --include P@
kafka-console-consumer --topic P@ --offset 3
kafka-console-consumer --topic P@ --partition 0 --from-beginning --offset 3
kafka-console-consumer --topic P@ --partition 0 --offset foo
kafka-console-consumer --topic P@ --partition 0 --offset -3
kafka-console-consumer --topic P@ --partition 0 --group g@
kafka-console-consumer --topic P@ --group c@ --from-beginning --max-messages 3
kafka-consumer-groups --describe --group c@ --offsets
kafka-console-consumer --topic P@ --consumer-property auto.offset.reset=earliest --max-messages 1
kafka-console-consumer --topic P@ --consumer-property auto.offset.reset=latest --from-beginning
kafka-console-consumer --topic P@ --value-deserializer org.apache.kafka.common.serialization.StringDeserializer --from-beginning --max-messages 1
kafka-console-consumer
kafka-console-consumer --foo
kafka-console-consumer --topic P@ --from-beginning --max-messages 18 --timeout-ms 4000 --formatter-config FILES/props
kafka-console-consumer --topic P@ --from-beginning --max-messages 2 --timeout-ms 4000 --formatter org.apache.kafka.tools.consumer.NoOpMessageFormatter
kafka-console-consumer --topic P@ --from-beginning --max-messages 2 --timeout-ms 4000 --property print.epoch=true --property print.delivery=true --property foo=1
kafka-console-consumer --topic I@ --from-beginning --max-messages 1 --value-deserializer org.apache.kafka.common.serialization.IntegerDeserializer
kafka-console-consumer --topic I@ --from-beginning --max-messages 1 --property value.deserializer=org.apache.kafka.common.serialization.IntegerDeserializer
kafka-console-consumer --topic P@ --partition 0 --include a
kafka-console-consumer --include P@|I@ --from-beginning --max-messages 1 --partition 0
""", files={"reader": "parse.key=true\nkey.separator==\n",
            "props": "print.key=true\nprint.headers=true\n"})


@test
def kafka_dump_log():
    compare(r"""
kafka-console-consumer --topic F@ --from-beginning --max-messages 3 --group d@
kafka-dump-log --files LOGS/F@-0/00000000000000000000.log
kafka-dump-log --files LOGS/F@-0/00000000000000000000.log --print-data-log
kafka-dump-log --files LOGS/F@-0/00000000000000000000.log --deep-iteration
kafka-dump-log --files LOGS/F@-0/00000000000000000000.log --print-data-log --skip-record-metadata
kafka-dump-log --files LOGS/F@-0/00000000000000000000.log --max-bytes 100
kafka-dump-log --files LOGS/F@-0/00000000000000000000.log --max-message-size 10
kafka-dump-log --files LOGS/F@-0/partition.metadata
kafka-dump-log --files LOGS/meta.properties
kafka-dump-log --files LOGS/__consumer_offsets-2/00000000000000000000.log --offsets-decoder
kafka-dump-log --files LOGS/__consumer_offsets-3/00000000000000000000.log --offsets-decoder
""", topics=["F"])


@test
def wrong_command_lines():
    compare(r"""
kafka-get-offsets --foo
kafka-get-offsets --time
kafka-delete-records --foo
kafka-delete-records --offset-json-file
kafka-delete-records --offset-json-file a --offset-json-file b
kafka-log-dirs --foo
kafka-log-dirs --describe --broker-list
kafka-broker-api-versions --foo
kafka-leader-election --foo
kafka-configs --foo
kafka-configs --describe --entity-type
kafka-topics --list --topic
kafka-topics --create --topic y --partitions x
kafka-topics --list --topic a --topic b
""")


@test
def kafka_configs_of_other_kinds():
    compare(r"""
kafka-configs --alter --entity-type brokers --entity-name 1 --add-config log.retention.ms=100000
kafka-configs --alter --entity-type brokers --entity-default --add-config message.max.bytes=2000000
kafka-configs --alter --entity-type brokers --entity-name 1 --add-config node.id=7
kafka-configs --alter --entity-type brokers --entity-name 1 --add-config log.retention.ms=foo
kafka-configs --describe --entity-type brokers --entity-name 1
kafka-configs --describe --entity-type brokers --entity-default
kafka-configs --describe --entity-type brokers
kafka-configs --describe --broker-defaults
kafka-configs --alter --entity-type brokers --entity-default --delete-config log.segment.bytes
kafka-configs --alter --topic D@ --add-config retention.ms=foo
kafka-configs --alter --topic D@ --add-config retention.ms=-7
kafka-configs --alter --topic D@ --add-config cleanup.policy=foo
kafka-configs --alter --topic D@ --add-config min.cleanable.dirty.ratio=2
kafka-configs --alter --topic D@ --add-config foo=bar
kafka-configs --alter --topic D@ --add-config preallocate=maybe
kafka-configs --alter --topic D@ --add-config compression.type=foo
kafka-configs --alter --topic D@ --add-config min.compaction.lag.ms=9,max.compaction.lag.ms=3
kafka-configs --alter --topic D@ --add-config retention.ms=1000,segment.ms=7777
kafka-configs --describe --topic D@
kafka-configs --describe --topic D@ --all
kafka-configs --alter --topic nope --add-config retention.ms=1000
kafka-configs --alter --group cg@ --add-config consumer.session.timeout.ms=50000
kafka-configs --describe --group cg@
kafka-configs --describe --entity-type groups --entity-name cg@
kafka-configs --alter --group cg@ --delete-config consumer.session.timeout.ms
kafka-configs --alter --entity-type client-metrics --entity-name m@ --add-config interval.ms=5000,metrics=[a,b]
kafka-configs --describe --client-metrics m@
kafka-configs --alter --client-metrics m@ --delete-config interval.ms,metrics
kafka-configs --alter --entity-type users --entity-name u@ --add-config producer_byte_rate=1000
kafka-configs --alter --entity-type clients --entity-name c@ --add-config consumer_byte_rate=1000,request_percentage=50
kafka-configs --alter --entity-type users --entity-name u@ --entity-type clients --entity-name c@ --add-config producer_byte_rate=2000
kafka-configs --alter --entity-type users --entity-default --add-config producer_byte_rate=3000
kafka-configs --alter --entity-type ips --entity-name 10.0.0.1 --add-config connection_creation_rate=10
kafka-configs --describe --entity-type users --entity-name u@
kafka-configs --describe --entity-type clients --entity-name c@
kafka-configs --describe --entity-type users --entity-name u@ --entity-type clients --entity-name c@
kafka-configs --describe --entity-type users --entity-default
kafka-configs --describe --user-defaults
kafka-configs --describe --entity-type ips
kafka-configs --alter --entity-type users --entity-name u@ --delete-config producer_byte_rate
kafka-configs --alter --entity-type users --entity-name u@ --add-config foo=1000
kafka-configs --alter --entity-type users --entity-name u@ --add-config producer_byte_rate=x
kafka-configs --describe --entity-type users --entity-name u@
kafka-configs --alter --broker-logger 1 --add-config kafka.server.KafkaApis=DEBUG
kafka-configs --alter --broker-logger 1 --add-config kafka.server.KafkaApis=FOO
""", topics=["D"])


@test
def kafka_cluster():
    compare(r"""
kafka-cluster cluster-id
kafka-cluster list-endpoints
kafka-cluster list-endpoints --include-fenced-brokers
""")


with peers:
    main(sys.argv[2:])
