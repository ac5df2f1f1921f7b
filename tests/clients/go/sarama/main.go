// sarama, which asks for every request in the version of the Kafka it is told it talks to.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	. "sluice/clients/tap"
)

func settings(change ...func(*sarama.Config)) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	if os.Getenv("SARAMA_VERSION") != "" {
		config.Version = Must(sarama.ParseKafkaVersion(os.Getenv("SARAMA_VERSION")))
	}
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = 3 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	config.Consumer.Group.Rebalance.Timeout = 5 * time.Second
	config.Metadata.Retry.Backoff = 50 * time.Millisecond
	for _, one := range change {
		one(config)
	}
	return config
}

func withAdmin(use func(sarama.ClusterAdmin)) {
	admin := Must(sarama.NewClusterAdmin([]string{Address}, settings()))
	defer admin.Close()
	use(admin)
}

func detail(partitions int32, configs ...string) *sarama.TopicDetail {
	made := &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1,
		ConfigEntries: map[string]*string{}}
	for i := 0; i < len(configs); i += 2 {
		made.ConfigEntries[configs[i]] = &configs[i+1]
	}
	return made
}

func create(topic string, partitions int32, configs ...string) {
	withAdmin(func(admin sarama.ClusterAdmin) {
		Check(admin.CreateTopic(topic, detail(partitions, configs...), false))
	})
}

func producer(change ...func(*sarama.Config)) sarama.SyncProducer {
	return Must(sarama.NewSyncProducer([]string{Address}, settings(change...)))
}

func send(topic string, partitions int, values ...string) {
	sender := producer()
	defer sender.Close()
	for i, value := range values {
		_, _, err := sender.SendMessage(&sarama.ProducerMessage{Topic: topic,
			Partition: int32(i % partitions), Value: sarama.StringEncoder(value)})
		Check(err)
	}
}

func read(topic string, from int64, count int, change ...func(*sarama.Config)) (records []*sarama.ConsumerMessage) {
	consumer := Must(sarama.NewConsumer([]string{Address}, settings(change...)))
	defer consumer.Close()
	partition := Must(consumer.ConsumePartition(topic, 0, from))
	defer partition.Close()
	timeout := time.After(100 * time.Second)
	for len(records) < count {
		select {
		case record := <-partition.Messages():
			records = append(records, record)
		case <-timeout:
			panic(fmt.Sprintf("%d of %d came", len(records), count))
		}
	}
	return records
}

func values(records []*sarama.ConsumerMessage) (all []string) {
	for _, record := range records {
		all = append(all, string(record.Value))
	}
	return all
}

func refused(err error, wanted sarama.KError) {
	if !errors.Is(err, wanted) && !strings.Contains(fmt.Sprint(err), wanted.Error()) {
		panic(fmt.Sprintf("got %v, wanted %v", err, wanted))
	}
}

// ---- Records ----------------------------------------------------------------------------

func plain(key, value []byte, at time.Time, headers []string) string {
	return fmt.Sprintf("%q %v %q %v %d %q", key, key == nil, value, value == nil, at.UnixMilli(), headers)
}

func encoder(text []byte) sarama.Encoder {
	if text == nil {
		return nil
	}
	return sarama.ByteEncoder(text)
}

func recordsComeBack(topic string, codec sarama.CompressionCodec) {
	create(topic, 1)
	var wanted, got []string
	for _, acks := range []sarama.RequiredAcks{sarama.WaitForAll, sarama.WaitForLocal, sarama.NoResponse} {
		sender := producer(func(config *sarama.Config) {
			config.Producer.RequiredAcks = acks
			config.Producer.Compression = codec
		})
		var lot []*sarama.ProducerMessage
		for i := range 50 {
			var key, value []byte
			var headers []sarama.RecordHeader
			var flat []string
			if i%5 != 0 {
				key = fmt.Appendf(nil, "k%d", i)
			}
			if i%7 != 0 {
				value = bytes.Repeat([]byte("x"), 1+i*20)
			}
			if i%3 != 0 {
				headers = []sarama.RecordHeader{{Key: []byte("a"), Value: fmt.Append(nil, i)}, {Key: []byte("b"), Value: []byte{}}}
				flat = []string{"a", fmt.Sprint(i), "b", ""}
			}
			at := time.UnixMilli(1700000000000 + int64(i))
			lot = append(lot, &sarama.ProducerMessage{Topic: topic, Key: encoder(key),
				Value: encoder(value), Headers: headers, Timestamp: at})
			wanted = append(wanted, plain(key, value, at, flat))
		}
		Check(sender.SendMessages(lot))
		Check(sender.Close())
	}
	for i, record := range read(topic, sarama.OffsetOldest, len(wanted)) {
		var flat []string
		for _, header := range record.Headers {
			flat = append(flat, string(header.Key), string(header.Value))
		}
		Equal(record.Offset, int64(i))
		got = append(got, plain(record.Key, record.Value, record.Timestamp, flat))
	}
	Equal(got, wanted)
}

func appendTime() {
	create("append", 1, "message.timestamp.type", "LogAppendTime")
	before := time.Now().UnixMilli()
	sender := producer()
	defer sender.Close()
	sent := &sarama.ProducerMessage{Topic: "append", Value: sarama.StringEncoder("a"), Timestamp: time.UnixMilli(1000)}
	_, _, err := sender.SendMessage(sent)
	Check(err)
	at := read("append", sarama.OffsetOldest, 1)[0].Timestamp.UnixMilli()
	Equal(at >= before && at <= time.Now().UnixMilli(), true)
	Equal(sent.Timestamp.UnixMilli(), at)
}

func idempotent() {
	create("idempotent", 1)
	sender := Must(sarama.NewAsyncProducer([]string{Address}, settings(func(config *sarama.Config) {
		config.Producer.Idempotent = true
		config.Producer.RequiredAcks = sarama.WaitForAll
		config.Net.MaxOpenRequests = 1
		config.Producer.Retry.Max = 100
		config.Producer.Retry.Backoff = 50 * time.Millisecond
		config.Producer.Flush.MaxMessages = 20
	})))
	wanted := Numbered(2000)
	offsets := map[string]int64{}
	done := make(chan error, 1)
	go func() {
		for len(offsets) < len(wanted) {
			select {
			case sent := <-sender.Successes():
				offsets[string(Must(sent.Value.Encode()))] = sent.Offset
			case failed := <-sender.Errors():
				done <- failed
				return
			}
		}
		done <- nil
	}()
	for i, value := range wanted {
		sender.Input() <- &sarama.ProducerMessage{Topic: "idempotent", Value: sarama.StringEncoder(value)}
		if i == 1000 {
			Broker("crash")
		}
	}
	Check(<-done)
	Check(sender.Close())
	Equal(values(read("idempotent", sarama.OffsetOldest, len(wanted))), wanted)
	for i, value := range wanted {
		Equal(offsets[value], int64(i))
	}
}

func tooLarge() {
	create("large", 1, "max.message.bytes", "2000")
	sender := producer()
	defer sender.Close()
	_, _, err := sender.SendMessage(&sarama.ProducerMessage{Topic: "large",
		Value: sarama.StringEncoder(strings.Repeat("x", 3000))})
	refused(err, sarama.ErrMessageSizeTooLarge)
	_, offset, err := sender.SendMessage(&sarama.ProducerMessage{Topic: "large", Value: sarama.StringEncoder("x")})
	Check(err)
	Equal(offset, int64(0))
}

func anywhere() {
	create("anywhere", 1)
	sender := producer()
	for i, value := range Numbered(20) {
		_, _, err := sender.SendMessage(&sarama.ProducerMessage{Topic: "anywhere",
			Value: sarama.StringEncoder(value), Timestamp: time.UnixMilli(1700000000000 + int64(i)*1000)})
		Check(err)
	}
	Check(sender.Close())
	Equal(values(read("anywhere", 15, 5, func(config *sarama.Config) {
		config.Consumer.IsolationLevel = sarama.ReadCommitted
	})), Numbered(20)[15:])
	client := Must(sarama.NewClient([]string{Address}, settings()))
	defer client.Close()
	for when, offset := range map[int64]int64{sarama.OffsetOldest: 0, sarama.OffsetNewest: 20,
		1700000007000: 7, 1700000007001: 8, 1800000000000: -1} {
		Equal(Must(client.GetOffset("anywhere", 0, when)), offset)
	}
	consumer := Must(sarama.NewConsumerFromClient(client))
	_, err := consumer.ConsumePartition("anywhere", 0, 99)
	refused(err, sarama.ErrOffsetOutOfRange)
}

func waiting() {
	create("waiting", 1)
	for i, value := range []string{"a", "b"} {
		sent := make(chan bool)
		go func() { send("waiting", 1, value); close(sent) }()
		Equal(values(read("waiting", int64(i), 1, func(config *sarama.Config) {
			config.Consumer.MaxWaitTime = 5 * time.Second
		})), []string{value})
		<-sent
	}
}

// ---- Admin ------------------------------------------------------------------------------

func topics() {
	withAdmin(func(admin sarama.ClusterAdmin) {
		Check(admin.CreateTopic("made", detail(2, "retention.ms", "60000"), false))
		refused(admin.CreateTopic("made", detail(2), false), sarama.ErrTopicAlreadyExists)
		refused(admin.CreateTopic("m", detail(0), false), sarama.ErrInvalidPartitions)
		refused(admin.CreateTopic("m", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 3}, false),
			sarama.ErrInvalidReplicationFactor)
		refused(admin.CreateTopic("m/n", detail(1), false), sarama.ErrInvalidTopic)
		refused(admin.CreateTopic("m", detail(1, "retention.ms", "soon"), false), sarama.ErrInvalidConfig)
		Check(admin.CreateTopic("only-asked", detail(1), true))
		Check(admin.CreatePartitions("made", 4, nil, false))
		refused(admin.CreatePartitions("made", 3, nil, false), sarama.ErrInvalidPartitions)
		described := Must(admin.DescribeTopics([]string{"made", "only-asked"}))
		Equal(len(described[0].Partitions), 4)
		Equal(described[1].Err, sarama.ErrUnknownTopicOrPartition)
		listed := Must(admin.ListTopics())["made"]
		Equal([]any{listed.NumPartitions, listed.ReplicationFactor, *listed.ConfigEntries["retention.ms"]},
			[]any{int32(4), int16(1), "60000"})
		Check(admin.DeleteTopic("made"))
		refused(admin.DeleteTopic("made"), sarama.ErrUnknownTopicOrPartition)
		brokers, controller, err := admin.DescribeCluster()
		Check(err)
		Equal([]any{len(brokers), brokers[0].Addr(), brokers[0].ID()}, []any{1, Address, controller})
	})
}

func configs() {
	create("configured", 1, "retention.ms", "60000")
	withAdmin(func(admin sarama.ClusterAdmin) {
		describe := func() map[string]string {
			all := map[string]string{}
			for _, one := range Must(admin.DescribeConfig(sarama.ConfigResource{
				Type: sarama.TopicResource, Name: "configured"})) {
				all[one.Name] = one.Value
			}
			return all
		}
		Equal(describe()["retention.ms"], "60000")
		Equal(len(describe()) > 20, true)
		size, compact := "2000000", "compact"
		Check(admin.IncrementalAlterConfig(sarama.TopicResource, "configured",
			map[string]sarama.IncrementalAlterConfigsEntry{
				"retention.ms":   {Operation: sarama.IncrementalAlterConfigsOperationDelete},
				"segment.bytes":  {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &size},
				"cleanup.policy": {Operation: sarama.IncrementalAlterConfigsOperationAppend, Value: &compact},
			}, false))
		now := describe()
		Equal([]string{now["retention.ms"], now["segment.bytes"], now["cleanup.policy"]},
			[]string{"604800000", "2000000", "delete,compact"})
		Check(admin.AlterConfig(sarama.TopicResource, "configured", map[string]*string{"cleanup.policy": &compact}, false))
		now = describe() // It replaces all.
		Equal([]string{now["segment.bytes"], now["cleanup.policy"]}, []string{"1073741824", "compact"})
		refused(admin.AlterConfig(sarama.TopicResource, "configured", map[string]*string{"no.such": &size}, false),
			sarama.ErrInvalidConfig)
	})
}

func deleteRecords() {
	create("shortened", 1)
	send("shortened", 1, Numbered(10)...)
	withAdmin(func(admin sarama.ClusterAdmin) {
		Check(admin.DeleteRecords("shortened", map[int32]int64{0: 6}))
		refused(admin.DeleteRecords("shortened", map[int32]int64{0: 99}), sarama.ErrOffsetOutOfRange)
	})
	Equal(values(read("shortened", sarama.OffsetOldest, 4)), Numbered(10)[6:])
}

// ---- Groups -----------------------------------------------------------------------------

// A member of a group, and what it gets and owns; it is the handler of its own sessions.
type member struct {
	group sarama.ConsumerGroup
	topic string
	lock  sync.Mutex
	got   []string
	parts []int32
	joins int
	last  sarama.ConsumerGroupSession
	stop  context.CancelFunc
	done  chan struct{}
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.parts = slices.Clone(session.Claims()[m.topic])
	slices.Sort(m.parts)
	m.joins++
	m.last = session
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.parts = nil
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for record := range claim.Messages() {
		m.lock.Lock()
		m.got = append(m.got, string(record.Value))
		m.lock.Unlock()
		session.MarkMessage(record, "")
		session.Commit()
	}
	return nil
}

func join(group, topic string, change ...func(*sarama.Config)) *member {
	m := &member{topic: topic, done: make(chan struct{})}
	m.group = Must(sarama.NewConsumerGroup([]string{Address}, group, settings(change...)))
	running, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	go func() {
		defer close(m.done)
		for running.Err() == nil {
			m.group.Consume(running, []string{topic}, m)
		}
	}()
	return m
}

func (m *member) leave() {
	m.stop()
	<-m.done
	m.group.Close()
}

func (m *member) owned() []int32 {
	m.lock.Lock()
	defer m.lock.Unlock()
	return slices.Clone(m.parts)
}

func (m *member) values() []string {
	m.lock.Lock()
	defer m.lock.Unlock()
	return slices.Clone(m.got)
}

func awaitShares(sizes []int, members ...*member) {
	shares := func() (all []int32, counts []int) {
		for _, m := range members {
			owned := m.owned()
			all = append(all, owned...)
			counts = append(counts, len(owned))
		}
		slices.Sort(all)
		return all, counts
	}
	Until(func() bool {
		all, counts := shares()
		return slices.Equal(counts, sizes) && len(slices.Compact(all)) == len(all)
	}, func() any { _, counts := shares(); return counts })
}

func membersShare(topic string, strategy sarama.BalanceStrategy) {
	create(topic, 6)
	balance := func(config *sarama.Config) {
		config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	}
	one, two, three := join(topic, topic, balance), join(topic, topic, balance), join(topic, topic, balance)
	awaitShares([]int{2, 2, 2}, one, two, three)
	wanted := Numbered(60)
	send(topic, 6, wanted...)
	all := func() []string { return slices.Concat(one.values(), two.values(), three.values()) }
	Until(func() bool { return len(all()) >= 60 }, func() any { return all() })
	got := all()
	sort.Strings(got)
	sort.Strings(wanted)
	Equal(got, wanted)
	one.leave()
	awaitShares([]int{3, 3}, two, three)
	two.leave()
	three.leave()
}

func instance(name string, session time.Duration) func(*sarama.Config) {
	return func(config *sarama.Config) {
		config.Consumer.Group.InstanceId = name
		config.Consumer.Group.Session.Timeout = session
	}
}

func staticMember() {
	create("static", 2)
	one := join("static", "static", instance("one", 20*time.Second))
	two := join("static", "static", instance("two", 20*time.Second))
	awaitShares([]int{1, 1}, one, two)
	before, joins := two.owned(), one.joins
	two.leave() // It does not tell the broker.
	again := join("static", "static", instance("two", 20*time.Second))
	awaitShares([]int{1, 1}, one, again)
	Equal(again.owned(), before)
	Equal(one.joins, joins)
	again.leave()
	withAdmin(func(admin sarama.ClusterAdmin) {
		left := Must(admin.RemoveMemberFromConsumerGroup("static", []string{"two", "nobody"}))
		Equal(left.Err, sarama.ErrNoError)
		Equal([]sarama.KError{left.Members[0].Err, left.Members[1].Err},
			[]sarama.KError{sarama.ErrNoError, sarama.ErrUnknownMemberId})
	})
	awaitShares([]int{2}, one)
	one.leave()
}

func sessionExpires() {
	create("expiring", 2)
	one := join("expiring", "expiring")
	two := join("expiring", "expiring", instance("sleepy", 2*time.Second))
	awaitShares([]int{1, 1}, one, two)
	two.leave()
	awaitShares([]int{2}, one)
	one.leave()
}

func committed(group string) int64 {
	var offset int64
	withAdmin(func(admin sarama.ClusterAdmin) {
		found := Must(admin.ListConsumerGroupOffsets(group, map[string][]int32{"crashed": {0}}))
		offset = found.GetBlock("crashed", 0).Offset
	})
	return offset
}

func commitsSurvive() {
	create("crashed", 1)
	send("crashed", 1, Numbered(10)...)
	one := join("crashed", "crashed", instance("", 20*time.Second))
	Until(func() bool { return len(one.values()) == 10 && committed("crashed") == 10 },
		func() any { return one.values() })
	Broker("crash")
	Equal(committed("crashed"), int64(10))
	send("crashed", 1, "after")
	Until(func() bool { return len(one.values()) == 11 && committed("crashed") == 11 },
		func() any { return one.values() })
	one.leave()
	Equal(one.values(), append(Numbered(10), "after"))
}

func groups() {
	create("grouped", 2)
	m := join("grouped", "grouped", func(config *sarama.Config) { config.ClientID = "somebody" })
	awaitShares([]int{2}, m)
	m.last.MarkOffset("grouped", 0, 1, "why")
	m.last.Commit()
	withAdmin(func(admin sarama.ClusterAdmin) {
		Equal(Must(admin.ListConsumerGroups())["grouped"], "consumer")
		described := Must(admin.DescribeConsumerGroups([]string{"grouped"}))[0]
		Equal([]string{described.State, described.ProtocolType, described.Protocol},
			[]string{"Stable", "consumer", "range"})
		for _, one := range described.Members {
			Equal([]string{one.ClientId, one.ClientHost}, []string{"somebody", "/127.0.0.1"})
			parts := Must(one.GetMemberAssignment()).Topics["grouped"]
			slices.Sort(parts)
			Equal(parts, []int32{0, 1})
		}
		refused(admin.DeleteConsumerGroup("grouped"), sarama.ErrNonEmptyGroup)
		refused(admin.DeleteConsumerGroupOffset("grouped", "grouped", 0), sarama.ErrGroupSubscribedToTopic)
		m.leave()
		block := Must(admin.ListConsumerGroupOffsets("grouped", nil)).GetBlock("grouped", 0)
		Equal([]any{block.Offset, block.Metadata}, []any{int64(1), "why"})
		altered := Must(admin.AlterConsumerGroupOffsets("grouped",
			map[string]map[int32]sarama.OffsetAndMetadata{"grouped": {1: {Offset: 0, LeaderEpoch: -1}}}, nil))
		Equal(altered.Errors["grouped"][1], sarama.ErrNoError)
		Check(admin.DeleteConsumerGroupOffset("grouped", "grouped", 0))
		Equal(Must(admin.ListConsumerGroupOffsets("grouped", nil)).GetBlock("grouped", 0) == nil, true)
		Check(admin.DeleteConsumerGroup("grouped"))
		refused(admin.DeleteConsumerGroup("grouped"), sarama.ErrGroupIDNotFound)
	})
}

func main() {
	for name, codec := range map[string]sarama.CompressionCodec{"none": sarama.CompressionNone,
		"gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
		"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD} {
		Test("records_come_back_with_"+name+"_and_every_acks",
			func() { recordsComeBack("records-"+name, codec) })
	}
	Test("append_time_replaces_the_time_of_a_record", appendTime)
	Test("an_idempotent_producer_writes_once_over_a_crash", idempotent)
	Test("a_record_over_the_limit_is_refused", tooLarge)
	Test("a_consumer_starts_anywhere", anywhere)
	Test("a_waiting_consumer_gets_what_comes", waiting)
	Test("topics_are_created_described_grown_and_deleted", topics)
	Test("configs_are_described_and_altered", configs)
	Test("deleted_records_are_gone", deleteRecords)
	Test("members_share_by_range", func() { membersShare("shared", sarama.NewBalanceStrategyRange()) })
	Test("members_share_stickily", func() { membersShare("shared-sticky", sarama.NewBalanceStrategySticky()) })
	Test("a_static_member_comes_back_and_is_removed", staticMember)
	Test("the_end_of_a_session_frees_partitions", sessionExpires)
	Test("commits_survive_a_crash_and_members_go_on", commitsSurvive)
	Test("groups_are_listed_described_and_deleted", groups)
	Main()
}
