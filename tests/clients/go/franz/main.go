// franz-go (kgo, kadm), which asks for every request in the newest version there is.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	. "sluice/clients/tap"
)

var ctx = context.Background()

func client(options ...kgo.Opt) *kgo.Client {
	options = append([]kgo.Opt{kgo.SeedBrokers(Address), kgo.RetryBackoffFn(
		func(int) time.Duration { return 50 * time.Millisecond })}, options...)
	return Must(kgo.NewClient(options...))
}

var shared = kadm.NewClient(client())

func create(topic string, partitions int32, configs ...string) {
	settings := map[string]*string{}
	for i := 0; i < len(configs); i += 2 {
		settings[configs[i]] = &configs[i+1]
	}
	Check(Must(shared.CreateTopic(ctx, partitions, 1, settings, topic)).Err)
}

func send(topic string, partitions int, values ...string) {
	producer := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	for i, value := range values {
		Check(producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: int32(i % partitions),
			Value: []byte(value)}).FirstErr())
	}
}

func read(consumer *kgo.Client, count int) (records []*kgo.Record) {
	limited, cancel := context.WithTimeout(ctx, 100*time.Second)
	defer cancel()
	for len(records) < count {
		fetches := consumer.PollFetches(limited)
		for _, failure := range fetches.Errors() {
			Check(failure.Err)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

func reader(topic string, from kgo.Offset, options ...kgo.Opt) *kgo.Client {
	return client(append(options, kgo.ConsumePartitions(
		map[string]map[int32]kgo.Offset{topic: {0: from}}))...)
}

func readAll(topic string, count int) []*kgo.Record {
	consumer := reader(topic, kgo.NewOffset().AtStart())
	defer consumer.Close()
	return read(consumer, count)
}

func values(records []*kgo.Record) (all []string) {
	for _, record := range records {
		all = append(all, string(record.Value))
	}
	return all
}

// ---- Records ----------------------------------------------------------------------------

func plain(record *kgo.Record) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%q %v %q %v %d", record.Key, record.Key == nil, record.Value,
		record.Value == nil, record.Timestamp.UnixMilli())
	for _, header := range record.Headers {
		fmt.Fprintf(&text, " %s=%q %v", header.Key, header.Value, header.Value == nil)
	}
	return text.String()
}

func recordsComeBack(topic string, codec kgo.CompressionCodec) {
	create(topic, 1)
	var wanted, got []string
	for _, acks := range []kgo.Acks{kgo.AllISRAcks(), kgo.LeaderAck(), kgo.NoAck()} {
		options := []kgo.Opt{kgo.RequiredAcks(acks), kgo.ProducerBatchCompression(codec),
			kgo.ProducerLinger(20 * time.Millisecond)}
		if acks != kgo.AllISRAcks() {
			options = append(options, kgo.DisableIdempotentWrite())
		}
		producer := client(options...)
		for i := range 50 {
			record := &kgo.Record{Topic: topic, Timestamp: time.UnixMilli(1700000000000 + int64(i))}
			if i%5 != 0 {
				record.Key = fmt.Appendf(nil, "k%d", i)
			}
			if i%7 != 0 {
				record.Value = []byte(strings.Repeat("x", i*20))
			}
			if i%3 != 0 {
				record.Headers = []kgo.RecordHeader{{Key: "a", Value: fmt.Append(nil, i)},
					{Key: "b"}, {Key: "a", Value: []byte{}}}
			}
			wanted = append(wanted, plain(record))
			producer.Produce(ctx, record, func(_ *kgo.Record, err error) { Check(err) })
		}
		Check(producer.Flush(ctx))
		producer.Close()
	}
	for i, record := range readAll(topic, len(wanted)) {
		Equal(record.Offset, int64(i))
		got = append(got, plain(record))
	}
	Equal(got, wanted)
}

func appendTime() {
	create("append", 1, "message.timestamp.type", "LogAppendTime")
	before := time.Now().UnixMilli()
	producer := client()
	defer producer.Close()
	sent := Must(producer.ProduceSync(ctx, &kgo.Record{Topic: "append", Value: []byte("a"),
		Timestamp: time.UnixMilli(1000)}).First())
	Equal(sent.Offset, int64(0))
	record := readAll("append", 1)[0]
	Equal(record.Attrs.TimestampType(), int8(1))
	at := record.Timestamp.UnixMilli()
	Equal(at >= before && at <= time.Now().UnixMilli(), true)
}

func idempotent() {
	create("idempotent", 1)
	producer := client(kgo.ProducerBatchMaxBytes(1000), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	wanted := Numbered(3000)
	var lock sync.Mutex
	offsets := map[string]int64{}
	for i, value := range wanted {
		producer.Produce(ctx, &kgo.Record{Topic: "idempotent", Value: []byte(value)},
			func(record *kgo.Record, err error) {
				Check(err)
				lock.Lock()
				offsets[string(record.Value)] = record.Offset
				lock.Unlock()
			})
		if i == 1500 {
			Broker("crash")
		}
	}
	Check(producer.Flush(ctx))
	producer.Close()
	Equal(values(readAll("idempotent", len(wanted))), wanted)
	for i, value := range wanted {
		Equal(offsets[value], int64(i))
	}
}

func tooLarge() {
	create("large", 1, "max.message.bytes", "2000")
	producer := client(kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer producer.Close()
	err := producer.ProduceSync(ctx, &kgo.Record{Topic: "large",
		Value: []byte(strings.Repeat("x", 3000))}).FirstErr()
	Equal(errors.Is(err, kerr.MessageTooLarge), true)
	sent := Must(producer.ProduceSync(ctx, &kgo.Record{Topic: "large", Value: []byte("x")}).First())
	Equal(sent.Offset, int64(0))
}

func anywhere() {
	create("anywhere", 1)
	producer := client()
	for i, value := range Numbered(20) {
		Check(producer.ProduceSync(ctx, &kgo.Record{Topic: "anywhere", Value: []byte(value),
			Timestamp: time.UnixMilli(1700000000000 + int64(i)*1000)}).FirstErr())
	}
	producer.Close()
	for _, one := range []struct {
		from kgo.Offset
		want []string
	}{
		{kgo.NewOffset().At(15), Numbered(20)[15:]},
		{kgo.NewOffset().AtEnd().Relative(-2), Numbered(20)[18:]},
		{kgo.NewOffset().AfterMilli(1700000007001), Numbered(20)[8:]},
	} {
		consumer := reader("anywhere", one.from, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		Equal(values(read(consumer, len(one.want))), one.want)
		consumer.Close()
	}
	at := func(offsets kadm.ListedOffsets, err error) int64 {
		found, _ := Must(offsets, err).Lookup("anywhere", 0)
		Check(found.Err)
		return found.Offset
	}
	Equal(at(shared.ListStartOffsets(ctx, "anywhere")), int64(0))
	Equal(at(shared.ListEndOffsets(ctx, "anywhere")), int64(20))
	Equal(at(shared.ListCommittedOffsets(ctx, "anywhere")), int64(20))
	Equal(at(shared.ListMaxTimestampOffsets(ctx, "anywhere")), int64(19))
	Equal(at(shared.ListOffsetsAfterMilli(ctx, 1700000007000, "anywhere")), int64(7))
}

func waiting() {
	create("waiting", 1)
	consumer := reader("waiting", kgo.NewOffset().AtStart(), kgo.FetchMaxWait(5*time.Second))
	defer consumer.Close()
	for _, value := range []string{"a", "b"} {
		send("waiting", 1, value)
		Equal(values(read(consumer, 1)), []string{value})
	}
}

// ---- Admin ------------------------------------------------------------------------------

func refused(err error, wanted *kerr.Error) {
	if !errors.Is(err, wanted) {
		panic(fmt.Sprintf("got %v, wanted %v", err, wanted))
	}
}

func topics() {
	made := func(name string, partitions int32, replicas int16, configs map[string]*string) error {
		return Must(shared.CreateTopics(ctx, partitions, replicas, configs, name))[name].Err
	}
	soon, minute := "soon", "60000"
	Check(made("made", 2, 1, map[string]*string{"retention.ms": &minute}))
	refused(made("made", 2, 1, nil), kerr.TopicAlreadyExists)
	refused(made("m", 0, 1, nil), kerr.InvalidPartitions)
	refused(made("m", 1, 3, nil), kerr.InvalidReplicationFactor)
	refused(made("m/n", 1, 1, nil), kerr.InvalidTopicException)
	refused(made("m", 1, 1, map[string]*string{"retention.ms": &soon}), kerr.InvalidConfig)
	Check(Must(shared.UpdatePartitions(ctx, 4, "made"))["made"].Err)
	refused(Must(shared.UpdatePartitions(ctx, 3, "made"))["made"].Err, kerr.InvalidPartitions)
	details := Must(shared.ListTopics(ctx, "made"))["made"]
	Equal(details.Partitions.Numbers(), []int32{0, 1, 2, 3})
	Equal(details.ID == kadm.TopicID{}, false)
	Check(Must(shared.DeleteTopic(ctx, "made")).Err)
	Equal(Must(shared.ListTopics(ctx)).Has("made"), false)
	deleted, _ := shared.DeleteTopic(ctx, "made")
	refused(deleted.Err, kerr.UnknownTopicOrPartition)
	metadata := Must(shared.BrokerMetadata(ctx))
	Equal(fmt.Sprintf("%s:%d", metadata.Brokers[0].Host, metadata.Brokers[0].Port), Address)
	Equal(metadata.Controller, metadata.Brokers[0].NodeID)
	Equal(len(metadata.Cluster), 22)
}

func configs() {
	create("configured", 1, "retention.ms", "60000")
	describe := func() map[string]string {
		described := Must(shared.DescribeTopicConfigs(ctx, "configured"))[0]
		Check(described.Err)
		all := map[string]string{}
		for _, one := range described.Configs {
			all[one.Key] = one.MaybeValue()
		}
		return all
	}
	Equal(describe()["retention.ms"], "60000")
	Equal(len(describe()) > 20, true)
	size, compact := "2000000", "compact"
	Check(Must(shared.AlterTopicConfigs(ctx, []kadm.AlterConfig{
		{Op: kadm.DeleteConfig, Name: "retention.ms"},
		{Op: kadm.SetConfig, Name: "segment.bytes", Value: &size},
		{Op: kadm.AppendConfig, Name: "cleanup.policy", Value: &compact},
	}, "configured"))[0].Err)
	now := describe()
	Equal([]string{now["retention.ms"], now["segment.bytes"], now["cleanup.policy"]},
		[]string{"604800000", "2000000", "delete,compact"})
	refused(Must(shared.AlterTopicConfigs(ctx, []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "no.such", Value: &size}}, "configured"))[0].Err,
		kerr.InvalidConfig)
}

func deleteRecords() {
	create("shortened", 1)
	send("shortened", 1, Numbered(10)...)
	var offsets kadm.Offsets
	offsets.AddOffset("shortened", 0, 6, -1)
	deleted, _ := Must(shared.DeleteRecords(ctx, offsets)).Lookup("shortened", 0)
	Check(deleted.Err)
	Equal(deleted.LowWatermark, int64(6))
	Equal(values(readAll("shortened", 4)), Numbered(10)[6:])
}

// ---- Groups -----------------------------------------------------------------------------

// A consumer of a group in a goroutine, that notes what it gets and owns.
type member struct {
	*kgo.Client
	lock    sync.Mutex
	got     []string
	parts   []int32
	revoked int
	failure error
	stop    context.CancelFunc
	done    chan struct{}
}

func join(group, topic string, options ...kgo.Opt) *member {
	m := &member{done: make(chan struct{})}
	m.Client = client(append([]kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(3 * time.Second), kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.RebalanceTimeout(10 * time.Second), kgo.Balancers(kgo.RangeBalancer()),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, added map[string][]int32) {
			m.lock.Lock()
			m.parts = append(m.parts, added[topic]...)
			m.lock.Unlock()
		}),
		kgo.OnPartitionsRevoked(m.remove), kgo.OnPartitionsLost(m.remove)}, options...)...)
	running, cancel := context.WithCancel(ctx)
	m.stop = cancel
	go m.run(running)
	return m
}

func (m *member) remove(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	m.lock.Lock()
	defer m.lock.Unlock()
	for _, numbers := range lost {
		m.revoked += len(numbers)
		m.parts = slices.DeleteFunc(m.parts, func(one int32) bool { return slices.Contains(numbers, one) })
	}
}

func (m *member) run(running context.Context) {
	defer close(m.done)
	for running.Err() == nil {
		fetches := m.PollFetches(running)
		m.lock.Lock()
		m.got = append(m.got, values(fetches.Records())...)
		if err := fetches.Err(); err != nil && running.Err() == nil {
			m.failure = err
		}
		m.lock.Unlock()
	}
}

func (m *member) leave() {
	m.stop()
	<-m.done
	m.Close()
}

func (m *member) owned() []int32 {
	m.lock.Lock()
	defer m.lock.Unlock()
	owned := slices.Clone(m.parts)
	slices.Sort(owned)
	return owned
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

func membersShare(topic string, balancer kgo.GroupBalancer) {
	create(topic, 6)
	one := join(topic, topic, kgo.Balancers(balancer))
	awaitShares([]int{6}, one)
	two, three := join(topic, topic, kgo.Balancers(balancer)), join(topic, topic, kgo.Balancers(balancer))
	awaitShares([]int{2, 2, 2}, one, two, three)
	Equal(one.revoked >= 6, !balancer.IsCooperative())
	wanted := Numbered(60)
	send(topic, 6, wanted...)
	all := func() []string {
		return slices.Concat(one.values(), two.values(), three.values())
	}
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

func staticMember() {
	create("static", 2)
	session := kgo.SessionTimeout(20 * time.Second)
	one := join("static", "static", kgo.InstanceID("one"), session)
	two := join("static", "static", kgo.InstanceID("two"), session)
	awaitShares([]int{1, 1}, one, two)
	before, revoked := two.owned(), one.revoked
	two.leave() // It does not tell the broker.
	again := join("static", "static", kgo.InstanceID("two"), session)
	awaitShares([]int{1, 1}, one, again)
	Equal(again.owned(), before)
	Equal(one.revoked, revoked)
	fencing := join("static", "static", kgo.InstanceID("two"), session)
	Until(func() bool {
		again.lock.Lock()
		defer again.lock.Unlock()
		return errors.Is(again.failure, kerr.FencedInstanceID)
	}, func() any { return again.failure })
	again.leave()
	fencing.leave()
	left := Must(shared.LeaveGroup(ctx, kadm.LeaveGroup("static").InstanceIDs("two")))
	Check(left.Error())
	awaitShares([]int{2}, one)
	one.leave()
}

func sessionExpires() {
	create("expiring", 2)
	one := join("expiring", "expiring")
	two := join("expiring", "expiring", kgo.InstanceID("sleepy"), kgo.SessionTimeout(2*time.Second))
	awaitShares([]int{1, 1}, one, two)
	two.leave()
	awaitShares([]int{2}, one)
	one.leave()
}

func commit(group string, metadata string, offset int64) error {
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: "crashed", At: offset, LeaderEpoch: -1, Metadata: metadata})
	return Must(shared.CommitOffsets(ctx, group, offsets)).Error()
}

func commitsSurvive() {
	create("crashed", 1)
	send("crashed", 1, Numbered(10)...)
	one := join("crashed", "crashed", kgo.SessionTimeout(20*time.Second))
	Until(func() bool { return len(one.values()) == 10 }, func() any { return one.values() })
	one.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{"crashed": {0: {Epoch: -1, Offset: 7}}},
		nil)
	Broker("crash")
	Until(func() bool { // The first request may meet a connection of before.
		offsets, err := shared.FetchOffsets(ctx, "crashed")
		found, _ := offsets.Lookup("crashed", 0)
		return err == nil && found.Err == nil && found.At == 7
	}, func() any { return "the offset is not there" })
	send("crashed", 1, "after")
	Until(func() bool { return len(one.values()) == 11 }, func() any { return one.values() })
	Check(one.CommitUncommittedOffsets(ctx))
	found, _ := Must(shared.FetchOffsets(ctx, "crashed")).Lookup("crashed", 0)
	Equal(found.At, int64(11))
	Equal(one.revoked, 0) // The generation is the one of before.
	one.leave()
	Check(commit("simple", "why", 3))
	found, _ = Must(shared.FetchOffsets(ctx, "simple")).Lookup("crashed", 0)
	Equal([]any{found.At, found.Metadata}, []any{int64(3), "why"})
	refused(commit("simple", strings.Repeat("x", 5000), 4), kerr.OffsetMetadataTooLarge)
}

func groups() {
	create("grouped", 2)
	m := join("grouped", "grouped", kgo.ClientID("somebody"))
	awaitShares([]int{2}, m)
	m.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{"grouped": {0: {Epoch: -1}}}, nil)
	has := func(states ...string) bool {
		_, found := Must(shared.ListGroups(ctx, states...))["grouped"]
		return found
	}
	Equal([]bool{has(), has("Stable"), has("Empty")}, []bool{true, true, false})
	described := Must(shared.DescribeGroups(ctx, "grouped", "nobody"))
	group := described["grouped"]
	Equal([]string{group.State, group.ProtocolType, group.Protocol}, []string{"Stable", "consumer", "range"})
	Equal([]string{group.Members[0].ClientID, group.Members[0].ClientHost},
		[]string{"somebody", "/127.0.0.1"})
	Equal(group.AssignedPartitions()["grouped"], map[int32]struct{}{0: {}, 1: {}})
	refused(described["nobody"].Err, kerr.GroupIDNotFound)
	deleted, _ := shared.DeleteGroup(ctx, "grouped")
	refused(deleted.Err, kerr.NonEmptyGroup)
	first := kadm.TopicsSet{}
	first.Add("grouped", 0)
	busy, _ := Must(shared.DeleteOffsets(ctx, "grouped", first)).Lookup("grouped", 0)
	refused(busy, kerr.GroupSubscribedToTopic)
	m.leave()
	var more kadm.Offsets
	more.AddOffset("grouped", 1, 0, -1)
	Check(Must(shared.CommitOffsets(ctx, "grouped", more)).Error())
	Check(Must(shared.DeleteOffsets(ctx, "grouped", first)).Error())
	offsets := Must(shared.FetchOffsets(ctx, "grouped")).Offsets()
	_, gone := offsets.Lookup("grouped", 0)
	kept, _ := offsets.Lookup("grouped", 1)
	Equal([]any{gone, kept.At}, []any{false, int64(0)})
	Check(Must(shared.DeleteGroup(ctx, "grouped")).Err)
	deleted, _ = shared.DeleteGroup(ctx, "grouped")
	refused(deleted.Err, kerr.GroupIDNotFound)
}

func main() {
	for name, codec := range map[string]kgo.CompressionCodec{"none": kgo.NoCompression(),
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()} {
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
	Test("members_share_eagerly", func() { membersShare("shared", kgo.RangeBalancer()) })
	Test("members_share_cooperatively",
		func() { membersShare("shared-cooperative", kgo.CooperativeStickyBalancer()) })
	Test("a_static_member_comes_back_and_is_fenced", staticMember)
	Test("the_end_of_a_session_frees_partitions", sessionExpires)
	Test("commits_survive_a_crash_and_members_go_on", commitsSurvive)
	Test("groups_are_listed_described_and_deleted", groups)
	Main()
}
