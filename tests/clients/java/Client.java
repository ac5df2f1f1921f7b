/* Apache Kafka's own client, which asks for every request in the newest version there is. */
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.*;

public class Client {
    static String address;
    static final Cases cases = new Cases();
    static int groups;

    // ---- Words of the cases -----------------------------------------------------------

    static Properties properties(Object... pairs) {
        Properties made = new Properties();
        made.put("bootstrap.servers", address);
        for (int i = 0; i < pairs.length; i += 2) {
            made.put(pairs[i], pairs[i + 1]);
        }
        return made;
    }

    static Producer<String, String> producer(Object... pairs) {
        return new KafkaProducer<>(properties(pairs), new StringSerializer(),
                                   new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(Object... pairs) {
        Properties settings = properties("auto.offset.reset", "earliest",
                                         "enable.auto.commit", "false");
        settings.putAll(properties(pairs));
        return new KafkaConsumer<>(settings, new StringDeserializer(),
                                   new StringDeserializer());
    }

    static Admin admin() {
        return Admin.create(properties());
    }

    static void create(String topic, int partitions, String... configs) throws Exception {
        Map<String, String> settings = new TreeMap<>();
        for (int i = 0; i < configs.length; i += 2) {
            settings.put(configs[i], configs[i + 1]);
        }
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short)1)
                                           .configs(settings))).all().get();
        }
    }

    static void send(String topic, int partitions, String... values) throws Exception {
        try (Producer<String, String> producer = producer()) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < values.length; i++) {
                sent.add(producer.send(
                    new ProducerRecord<>(topic, i % partitions, null, values[i])));
            }
            for (Future<RecordMetadata> one : sent) {
                one.get();
            }
        }
    }

    static String[] numbered(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).toArray(String[]::new);
    }

    static List<ConsumerRecord<String, String>> read(Consumer<String, String> consumer,
                                                     int count) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        Cases.until(() -> records.size() >= count,
                    () -> consumer.poll(Duration.ofMillis(200)).forEach(records::add),
                    () -> records);
        return records;
    }

    static List<String> values(List<ConsumerRecord<String, String>> records) {
        return records.stream().map(ConsumerRecord::value).collect(Collectors.toList());
    }

    static List<ConsumerRecord<String, String>> readAll(String topic, int count) {
        try (Consumer<String, String> consumer = consumer()) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            return read(consumer, count);
        }
    }

    /* A consumer of a group that notes what it gets and owns. */
    static class Member implements ConsumerRebalanceListener, AutoCloseable {
        final KafkaConsumer<String, String> consumer;
        final List<String> values = new ArrayList<>();
        int revoked, lost;

        Member(String group, String topic, Object... pairs) {
            Properties settings =
                properties("auto.offset.reset", "earliest", "enable.auto.commit", "false",
                           "group.id", group, "session.timeout.ms", "6000",
                           "heartbeat.interval.ms", "200");
            settings.putAll(properties(pairs));
            consumer = new KafkaConsumer<>(settings, new StringDeserializer(),
                                           new StringDeserializer());
            consumer.subscribe(List.of(topic), this);
        }

        void poll() {
            consumer.poll(Duration.ofMillis(50)).forEach(one -> values.add(one.value()));
        }

        Set<Integer> owned() {
            return consumer.assignment().stream().map(TopicPartition::partition)
                .collect(Collectors.toCollection(TreeSet::new));
        }

        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            revoked += partitions.size();
        }

        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        }

        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            lost += partitions.size();
        }

        public void close() {
            consumer.close();
        }
    }

    static Runnable poll(Member... members) {
        return () -> Arrays.stream(members).forEach(Member::poll);
    }

    static List<Set<Integer>> owned(Member... members) {
        return Arrays.stream(members).map(Member::owned).collect(Collectors.toList());
    }

    static void awaitShares(Member[] members, Integer... sizes) {
        Cases.until(() -> owned(members).stream().map(Set::size).sorted()
                              .collect(Collectors.toList()).equals(Arrays.asList(sizes)),
                    poll(members), () -> owned(members));
    }

    static Set<Integer> all(Member... members) {
        return owned(members).stream().flatMap(Set::stream)
            .collect(Collectors.toCollection(TreeSet::new));
    }

    // ---- Records ----------------------------------------------------------------------

    static List<Object> plain(String key, String value, Long timestamp, Header[] headers) {
        List<Object> flat = new ArrayList<>(Arrays.asList(key, value, timestamp));
        for (Header one : headers) {
            flat.add(one.key());
            flat.add(one.value() == null ? null : new String(one.value(), StandardCharsets.UTF_8));
        }
        return flat;
    }

    static void recordsComeBack(String compression) throws Exception {
        String topic = "records-" + compression;
        create(topic, 1);
        List<List<Object>> wanted = new ArrayList<>();
        for (String acks : List.of("all", "1", "0")) {
            try (Producer<String, String> producer =
                     producer("acks", acks, "compression.type", compression, "linger.ms", "20",
                              "enable.idempotence", String.valueOf(acks.equals("all")))) {
                for (int i = 0; i < 60; i++) {
                    List<Header> headers =
                        i % 3 == 0 ? List.of()
                                   : List.of(new RecordHeader("a", ("" + i).getBytes()),
                                             new RecordHeader("b", null),
                                             new RecordHeader("a", new byte[0]));
                    ProducerRecord<String, String> one = new ProducerRecord<>(
                        topic, 0, 1700000000000L + i, i % 5 == 0 ? null : "k" + i,
                        i % 7 == 0 ? null : acks + i + "x".repeat(i * 20), headers);
                    producer.send(one);
                    wanted.add(plain(one.key(), one.value(), one.timestamp(),
                                     one.headers().toArray()));
                }
                producer.flush();
            }
        }
        List<ConsumerRecord<String, String>> records = readAll(topic, wanted.size());
        List<List<Object>> got = new ArrayList<>();
        for (ConsumerRecord<String, String> one : records) {
            Cases.equal(one.offset(), (long)got.size());
            Cases.equal(one.timestampType(), TimestampType.CREATE_TIME);
            got.add(plain(one.key(), one.value(), one.timestamp(), one.headers().toArray()));
        }
        Cases.equal(got, wanted);
    }

    static void appendTime() throws Exception {
        create("append", 1, "message.timestamp.type", "LogAppendTime");
        long before = System.currentTimeMillis();
        RecordMetadata told;
        try (Producer<String, String> producer = producer()) {
            told = producer.send(new ProducerRecord<>("append", 0, 1000L, null, "a")).get();
        }
        Cases.equal(told.timestamp() >= before && told.timestamp() <= System.currentTimeMillis(),
                    true);
        ConsumerRecord<String, String> record = readAll("append", 1).get(0);
        Cases.equal(record.timestampType(), TimestampType.LOG_APPEND_TIME);
        Cases.equal(record.timestamp(), told.timestamp());
    }

    static void idempotent() throws Exception {
        create("idempotent", 1);
        String[] values = numbered("", 3000);
        try (Producer<String, String> producer =
                 producer("enable.idempotence", "true", "batch.size", "400", "retries", "100",
                          "retry.backoff.ms", "20", "reconnect.backoff.ms", "20")) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < values.length; i++) {
                sent.add(producer.send(new ProducerRecord<>("idempotent", values[i])));
                if (i == 1500) {
                    Cases.broker("crash"); // Batches under way are sent again.
                }
            }
            for (int i = 0; i < values.length; i++) {
                Cases.equal(sent.get(i).get().offset(), (long)i);
            }
        }
        Cases.equal(values(readAll("idempotent", values.length)), Arrays.asList(values));
    }

    static void tooLarge() throws Exception {
        create("large", 1, "max.message.bytes", "2000");
        try (Producer<String, String> producer = producer()) {
            Cases.equal(Cases.thrown(producer.send(
                            new ProducerRecord<>("large", "x".repeat(3000)))::get),
                        "RecordTooLargeException");
            Cases.equal(producer.send(new ProducerRecord<>("large", "x")).get().offset(), 0L);
        }
    }

    static void anywhere() throws Exception {
        create("anywhere", 1);
        try (Producer<String, String> producer = producer()) {
            for (int i = 0; i < 20; i++) {
                producer.send(new ProducerRecord<>("anywhere", 0, 1700000000000L + 1000 * i, null,
                                                   "v" + i)).get();
            }
        }
        TopicPartition partition = new TopicPartition("anywhere", 0);
        try (Consumer<String, String> consumer = consumer("isolation.level", "read_committed")) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, 15);
            Cases.equal(values(read(consumer, 5)), List.of("v15", "v16", "v17", "v18", "v19"));
            Cases.equal(consumer.position(partition), 20L);
            Cases.equal(consumer.beginningOffsets(List.of(partition)), Map.of(partition, 0L));
            Cases.equal(consumer.endOffsets(List.of(partition)), Map.of(partition, 20L));
            OffsetAndTimestamp found =
                consumer.offsetsForTimes(Map.of(partition, 1700000007001L)).get(partition);
            Cases.equal(List.of(found.offset(), found.timestamp()), List.of(8L, 1700000008000L));
            Cases.equal(consumer.offsetsForTimes(Map.of(partition, 1800000000000L)).get(partition),
                        null);
            consumer.seek(partition, 99); // Out of range: from the earliest again.
            Cases.equal(values(read(consumer, 20)).get(0), "v0");
        }
        try (Admin admin = admin()) {
            for (Map.Entry<OffsetSpec, Long> one : Map.of(
                     OffsetSpec.earliest(), 0L, OffsetSpec.latest(), 20L, OffsetSpec.maxTimestamp(),
                     19L, OffsetSpec.forTimestamp(1700000003000L), 3L).entrySet()) {
                Cases.equal(admin.listOffsets(Map.of(partition, one.getKey()))
                                .partitionResult(partition).get().offset(), one.getValue());
            }
        }
    }

    static void waiting() throws Exception {
        create("waiting", 1);
        TopicPartition partition = new TopicPartition("waiting", 0);
        try (Consumer<String, String> consumer =
                 consumer("fetch.max.wait.ms", "3000", "fetch.min.bytes", "1")) {
            consumer.assign(List.of(partition));
            consumer.poll(Duration.ofMillis(200));
            for (String value : List.of("a", "b")) {
                send("waiting", 1, value);
                Cases.equal(values(read(consumer, 1)), List.of(value));
            }
        }
    }

    // ---- Admin ------------------------------------------------------------------------

    static String refused(Admin admin, NewTopic topic) throws Exception {
        return Cases.thrown(admin.createTopics(List.of(topic)).all()::get);
    }

    static void topics() throws Exception {
        try (Admin admin = admin()) {
            CreateTopicsResult made = admin.createTopics(List.of(
                new NewTopic("made", 2, (short)1).configs(Map.of("retention.ms", "60000"))));
            Cases.equal(made.numPartitions("made").get(), 2);
            Cases.equal(made.replicationFactor("made").get(), 1);
            Cases.equal(made.config("made").get().get("retention.ms").value(), "60000");
            Uuid id = made.topicId("made").get();
            Cases.equal(refused(admin, new NewTopic("made", 1, (short)1)), "TopicExistsException");
            Cases.equal(refused(admin, new NewTopic("m", 0, (short)1)), "InvalidPartitionsException");
            Cases.equal(refused(admin, new NewTopic("m", 1, (short)3)),
                        "InvalidReplicationFactorException");
            Cases.equal(refused(admin, new NewTopic("m/n", 1, (short)1)), "InvalidTopicException");
            Cases.equal(refused(admin, new NewTopic("m", 1, (short)1)
                                           .configs(Map.of("retention.ms", "soon"))),
                        "InvalidConfigurationException");
            admin.createTopics(List.of(new NewTopic("only-asked", 1, (short)1)),
                               new CreateTopicsOptions().validateOnly(true)).all().get();
            admin.createPartitions(Map.of("made", NewPartitions.increaseTo(4))).all().get();
            Cases.equal(Cases.thrown(admin.createPartitions(
                            Map.of("made", NewPartitions.increaseTo(3))).all()::get),
                        "InvalidPartitionsException");
            TopicDescription described =
                admin.describeTopics(List.of("made")).allTopicNames().get().get("made");
            Cases.equal(described.topicId(), id);
            Cases.equal(described.partitions().stream().map(TopicPartitionInfo::partition)
                            .collect(Collectors.toList()), List.of(0, 1, 2, 3));
            Cases.equal(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id)))
                            .allTopicIds().get().get(id).name(), "made");
            Set<String> names = admin.listTopics().names().get();
            Cases.equal(names.contains("made"), true);
            Cases.equal(names.contains("only-asked"), false);
            Cases.equal(names.contains("__consumer_offsets"), false); // Internal.
            admin.deleteTopics(List.of("made")).all().get();
            Cases.equal(Cases.thrown(admin.deleteTopics(List.of("made")).all()::get),
                        "UnknownTopicOrPartitionException");
            Cases.equal(Cases.thrown(admin.describeTopics(List.of("made")).allTopicNames()::get),
                        "UnknownTopicOrPartitionException");
            Cases.equal(Cases.thrown(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id)))
                                         .allTopicIds()::get), "UnknownTopicIdException");
            DescribeClusterResult cluster = admin.describeCluster();
            Node node = cluster.nodes().get().iterator().next();
            Cases.equal(node.host() + ":" + node.port(), address);
            Cases.equal(cluster.controller().get(), node);
            Cases.equal(cluster.clusterId().get().length(), 22);
        }
    }

    static void configs() throws Exception {
        create("configured", 1, "retention.ms", "60000");
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "configured");
        try (Admin admin = admin()) {
            Callable<Config> describe =
                () -> admin.describeConfigs(List.of(topic),
                                            new DescribeConfigsOptions().includeSynonyms(true)
                                                .includeDocumentation(true))
                          .all().get().get(topic);
            ConfigEntry entry = describe.call().get("retention.ms");
            Cases.equal(List.of(entry.value(), entry.source(), entry.type(), entry.isDefault()),
                        List.of("60000", ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG,
                                ConfigEntry.ConfigType.LONG, false));
            Cases.equal(describe.call().get("cleanup.policy").isDefault(), true);
            admin.incrementalAlterConfigs(Map.of(topic, List.of(
                new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE),
                new AlterConfigOp(new ConfigEntry("segment.bytes", "2000000"),
                                  AlterConfigOp.OpType.SET),
                new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"),
                                  AlterConfigOp.OpType.APPEND)))).all().get();
            Config after = describe.call();
            Cases.equal(List.of(after.get("retention.ms").value(), after.get("segment.bytes").value(),
                                after.get("cleanup.policy").value()),
                        List.of("604800000", "2000000", "delete,compact"));
            Cases.equal(Cases.thrown(admin.incrementalAlterConfigs(Map.of(topic, List.of(
                            new AlterConfigOp(new ConfigEntry("no.such", "1"),
                                              AlterConfigOp.OpType.SET)))).all()::get),
                        "InvalidConfigurationException");
            ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
            Cases.equal(admin.describeConfigs(List.of(broker)).all().get().get(broker)
                            .get("message.max.bytes").value(), "2000000");
        }
    }

    static void deleteRecords() throws Exception {
        create("shortened", 1);
        send("shortened", 1, numbered("v", 10));
        TopicPartition partition = new TopicPartition("shortened", 0);
        try (Admin admin = admin()) {
            Cases.equal(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(6)))
                            .lowWatermarks().get(partition).get().lowWatermark(), 6L);
            Cases.equal(Cases.thrown(admin.deleteRecords(
                            Map.of(partition, RecordsToDelete.beforeOffset(99))).all()::get),
                        "OffsetOutOfRangeException");
        }
        Cases.equal(values(readAll("shortened", 4)), List.of("v6", "v7", "v8", "v9"));
    }

    // ---- Groups -----------------------------------------------------------------------

    static void membersShare(String assignor) throws Exception {
        String topic = "shared-" + assignor.toLowerCase();
        create(topic, 6);
        String strategy = "org.apache.kafka.clients.consumer." + assignor;
        Object[] settings = {"partition.assignment.strategy", strategy};
        Member one = new Member(topic, topic, settings);
        awaitShares(new Member[] {one}, 6);
        Member two = new Member(topic, topic, settings), three = new Member(topic, topic, settings);
        Member[] members = {one, two, three};
        awaitShares(members, 2, 2, 2);
        Cases.equal(all(members), Set.of(0, 1, 2, 3, 4, 5));
        Cases.equal(one.revoked >= 6, !assignor.startsWith("Cooperative"));
        String[] values = numbered("v", 60);
        send(topic, 6, values);
        Callable<List<String>> got = () -> Arrays.stream(members).flatMap(m -> m.values.stream())
                                               .sorted().collect(Collectors.toList());
        Cases.until(() -> Arrays.stream(members).mapToInt(m -> m.values.size()).sum() >= 60,
                    poll(members), () -> owned(members));
        Cases.equal(got.call(), Arrays.stream(values).sorted().collect(Collectors.toList()));
        one.close();
        awaitShares(new Member[] {two, three}, 3, 3);
        two.close();
        three.close();
    }

    static void staticMember() throws Exception {
        create("static", 2);
        Member one = new Member("static", "static", "group.instance.id", "one");
        Member two = new Member("static", "static", "group.instance.id", "two");
        awaitShares(new Member[] {one, two}, 1, 1);
        Set<Integer> before = two.owned();
        int revoked = one.revoked;
        two.close(); // It does not leave.
        Member again = new Member("static", "static", "group.instance.id", "two");
        Cases.until(() -> !again.owned().isEmpty(), poll(one, again), () -> owned(one, again));
        Cases.equal(again.owned(), before);
        Cases.equal(one.revoked, revoked);
        Member fencing = new Member("static", "static", "group.instance.id", "two");
        String[] told = {"nothing"};
        Cases.until(() -> !told[0].equals("nothing"), () -> {
            fencing.poll();
            one.poll();
            try {
                again.poll();
            } catch (KafkaException thrown) {
                told[0] = thrown.getClass().getSimpleName();
            }
        }, () -> told[0]);
        Cases.equal(told[0], "FencedInstanceIdException");
        again.close();
        try (Admin admin = admin()) {
            fencing.close();
            admin.removeMembersFromConsumerGroup("static", new RemoveMembersFromConsumerGroupOptions(
                List.of(new MemberToRemove("two")))).all().get();
        }
        awaitShares(new Member[] {one}, 2);
        one.close();
    }

    static void sessionExpires() throws Exception {
        create("expiring", 2);
        Member one = new Member("expiring", "expiring", "session.timeout.ms", "2000");
        Member two = new Member("expiring", "expiring", "session.timeout.ms", "2000",
                                "max.poll.interval.ms", "2000", "group.instance.id", "sleepy");
        awaitShares(new Member[] {one, two}, 1, 1);
        two.close(); // Static: only its session's end gives its partition away.
        awaitShares(new Member[] {one}, 2);
        one.close();
    }

    static void commitsSurvive() throws Exception {
        create("crashed", 1);
        send("crashed", 1, numbered("v", 10));
        TopicPartition partition = new TopicPartition("crashed", 0);
        Member one = new Member("crashed", "crashed", "session.timeout.ms", "20000");
        Cases.until(() -> one.values.size() == 10, one::poll, () -> one.values);
        one.consumer.commitSync(Map.of(partition, new OffsetAndMetadata(7, "why")));
        Cases.broker("crash");
        OffsetAndMetadata found = one.consumer.committed(Set.of(partition)).get(partition);
        Cases.equal(List.of(found.offset(), found.metadata()), List.of(7L, "why"));
        send("crashed", 1, "after");
        Cases.until(() -> one.values.size() == 11, one::poll, () -> one.values);
        Cases.equal(one.values.get(10), "after");
        one.consumer.commitSync();
        Cases.equal(one.revoked + one.lost, 0); // The generation is the one of before.
        Cases.equal(Cases.thrown(() -> {
            one.consumer.commitSync(Map.of(partition, new OffsetAndMetadata(8, "x".repeat(5000))));
            return null;
        }), "OffsetMetadataTooLarge");
        one.close();
        try (KafkaConsumer<String, String> simple = consumer("group.id", "simple")) {
            simple.assign(List.of(partition));
            simple.commitSync(Map.of(partition, new OffsetAndMetadata(3)));
            Cases.equal(simple.committed(Set.of(partition)).get(partition).offset(), 3L);
        }
    }

    static void groupsAdministered() throws Exception {
        create("grouped", 2);
        send("grouped", 2, "a", "b");
        try (Admin admin = admin()) {
            Member member = new Member("grouped", "grouped", "client.id", "somebody");
            awaitShares(new Member[] {member}, 2);
            member.consumer.commitSync(Map.of(new TopicPartition("grouped", 0),
                                              new OffsetAndMetadata(1, "why")));
            List<String> stable =
                admin.listConsumerGroups(new ListConsumerGroupsOptions().inStates(
                         Set.of(ConsumerGroupState.STABLE))).all().get().stream()
                    .map(ConsumerGroupListing::groupId).filter("grouped"::equals)
                    .collect(Collectors.toList());
            Cases.equal(stable, List.of("grouped"));
            Cases.equal(admin.listConsumerGroups(new ListConsumerGroupsOptions().inStates(
                                Set.of(ConsumerGroupState.EMPTY))).all().get().stream()
                            .anyMatch(one -> one.groupId().equals("grouped")), false);
            ConsumerGroupDescription described =
                admin.describeConsumerGroups(List.of("grouped")).all().get().get("grouped");
            Cases.equal(described.state(), ConsumerGroupState.STABLE);
            Cases.equal(described.partitionAssignor(), "range");
            MemberDescription its = described.members().iterator().next();
            Cases.equal(List.of(its.clientId(), its.host(),
                                new TreeSet<>(its.assignment().topicPartitions().stream()
                                    .map(TopicPartition::partition).collect(Collectors.toSet()))),
                        List.of("somebody", "/127.0.0.1", Set.of(0, 1)));
            Cases.equal(Cases.thrown(admin.deleteConsumerGroups(List.of("grouped")).all()::get),
                        "GroupNotEmptyException");
            TopicPartition partition = new TopicPartition("grouped", 0);
            Cases.equal(Cases.thrown(admin.deleteConsumerGroupOffsets("grouped", Set.of(partition))
                                         .all()::get), "GroupSubscribedToTopicException");
            member.close();
            Map<TopicPartition, OffsetAndMetadata> offsets =
                admin.listConsumerGroupOffsets("grouped").partitionsToOffsetAndMetadata().get();
            Cases.equal(offsets, Map.of(partition, new OffsetAndMetadata(1, offsets.get(partition)
                                                                                .leaderEpoch(), "why")));
            TopicPartition other = new TopicPartition("grouped", 1);
            admin.alterConsumerGroupOffsets("grouped", Map.of(other, new OffsetAndMetadata(1)))
                .all().get();
            admin.deleteConsumerGroupOffsets("grouped", Set.of(partition)).all().get();
            Cases.equal(admin.listConsumerGroupOffsets("grouped").partitionsToOffsetAndMetadata()
                            .get().keySet(), Set.of(other));
            admin.deleteConsumerGroups(List.of("grouped")).all().get();
            Cases.equal(Cases.thrown(admin.deleteConsumerGroups(List.of("grouped")).all()::get),
                        "GroupIdNotFoundException");
        }
    }

    static void newProtocol() throws Exception {
        create("classic-only", 1);
        try (KafkaConsumer<String, String> consumer =
                 consumer("group.id", "classic-only", "group.protocol", "consumer")) {
            consumer.subscribe(List.of("classic-only"));
            Cases.equal(Cases.thrown(() -> {
                Cases.until(() -> false, () -> consumer.poll(Duration.ofMillis(200)), () -> "");
                return null;
            }), "UnsupportedVersionException");
        }
    }

    public static void main(String[] args) {
        address = args[0];
        for (String compression : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            cases.add("records_come_back_with_" + compression + "_and_every_acks",
                      () -> recordsComeBack(compression));
        }
        cases.add("append_time_replaces_the_time_of_a_record", Client::appendTime);
        cases.add("an_idempotent_producer_writes_once_over_a_crash", Client::idempotent);
        cases.add("a_record_over_the_limit_is_refused", Client::tooLarge);
        cases.add("a_consumer_starts_anywhere", Client::anywhere);
        cases.add("a_waiting_consumer_gets_what_comes", Client::waiting);
        cases.add("topics_are_created_described_grown_and_deleted", Client::topics);
        cases.add("configs_are_described_and_altered", Client::configs);
        cases.add("deleted_records_are_gone", Client::deleteRecords);
        for (String assignor : List.of("RangeAssignor", "CooperativeStickyAssignor")) {
            cases.add("members_share_with_" + assignor, () -> membersShare(assignor));
        }
        cases.add("a_static_member_comes_back_and_is_fenced", Client::staticMember);
        cases.add("the_end_of_a_session_frees_partitions", Client::sessionExpires);
        cases.add("commits_survive_a_crash_and_members_go_on", Client::commitsSurvive);
        cases.add("groups_are_listed_described_and_deleted", Client::groupsAdministered);
        cases.add("the_consumer_protocol_is_refused_at_once", Client::newProtocol);
        boolean good = cases.run(Arrays.asList(args).subList(1, args.length));
        System.exit(good ? 0 : 1);
    }
}
