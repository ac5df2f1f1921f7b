// segmentio's kafka-go, whose reader speaks the first versions of the group's requests.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	. "sluice/clients/tap"
)

var (
	ctx    = context.Background()
	client = &kafka.Client{Addr: kafka.TCP(Address), Timeout: 20 * time.Second}
)

func made(topic kafka.TopicConfig) error {
	if topic.ReplicationFactor == 0 {
		topic.ReplicationFactor = 1
	}
	answer := Must(client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}}))
	return answer.Errors[topic.Topic]
}

func create(topic string, partitions int, configs ...string) {
	config := kafka.TopicConfig{Topic: topic, NumPartitions: partitions}
	for i := 0; i < len(configs); i += 2 {
		config.ConfigEntries = append(config.ConfigEntries,
			kafka.ConfigEntry{ConfigName: configs[i], ConfigValue: configs[i+1]})
	}
	Check(made(config))
}

func write(topic string, acks kafka.RequiredAcks, codec kafka.Compression, lot ...kafka.Message) error {
	writer := &kafka.Writer{Addr: kafka.TCP(Address), Topic: topic, RequiredAcks: acks, Compression: codec,
		BatchTimeout: 10 * time.Millisecond, Balancer: kafka.BalancerFunc(
			func(record kafka.Message, partitions ...int) int { return record.Partition })}
	defer writer.Close()
	for i := range lot {
		lot[i].Topic = ""
	}
	return writer.WriteMessages(ctx, lot...)
}

func send(topic string, partitions int, values ...string) {
	lots := make([]kafka.Message, len(values))
	for i, value := range values {
		lots[i].Value = []byte(value)
	}
	if partitions == 1 {
		Check(write(topic, kafka.RequireAll, 0, lots...))
		return
	}
	writer := &kafka.Writer{Addr: kafka.TCP(Address), Topic: topic, Balancer: &kafka.RoundRobin{},
		BatchTimeout: 10 * time.Millisecond}
	defer writer.Close()
	Check(writer.WriteMessages(ctx, lots...))
}

func read(reader *kafka.Reader, count int) (records []kafka.Message) {
	limited, cancel := context.WithTimeout(ctx, 100*time.Second)
	defer cancel()
	for len(records) < count {
		records = append(records, Must(reader.FetchMessage(limited)))
	}
	return records
}

func reader(topic string) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{Address}, Topic: topic, MaxWait: 3 * time.Second})
}

func readAll(topic string, count int) []kafka.Message {
	one := reader(topic)
	defer one.Close()
	return read(one, count)
}

func values(records []kafka.Message) (all []string) {
	for _, record := range records {
		all = append(all, string(record.Value))
	}
	return all
}

func refused(err error, wanted kafka.Error) {
	if !errors.Is(err, wanted) {
		panic(fmt.Sprintf("got %v, wanted %v", err, wanted))
	}
}

// ---- Records ----------------------------------------------------------------------------

func plain(record kafka.Message) string {
	text := fmt.Sprintf("%q %q %d", record.Key, record.Value, record.Time.UnixMilli())
	for _, header := range record.Headers {
		text += fmt.Sprintf(" %s=%q", header.Key, header.Value)
	}
	return text
}

func recordsComeBack(topic string, codec kafka.Compression) {
	create(topic, 1)
	var wanted, got []string
	for _, acks := range []kafka.RequiredAcks{kafka.RequireAll, kafka.RequireOne, kafka.RequireNone} {
		var lot []kafka.Message
		for i := range 50 {
			record := kafka.Message{Time: time.UnixMilli(1700000000000 + int64(i)),
				Value: []byte(strings.Repeat("x", i*20))}
			if i%5 != 0 {
				record.Key = fmt.Appendf(nil, "k%d", i)
			}
			if i%3 != 0 {
				record.Headers = []kafka.Header{{Key: "a", Value: fmt.Append(nil, i)}, {Key: "b", Value: []byte{}}}
			}
			lot = append(lot, record)
			wanted = append(wanted, plain(record))
		}
		Check(write(topic, acks, codec, lot...))
	}
	for i, record := range readAll(topic, len(wanted)) {
		Equal(record.Offset, int64(i))
		got = append(got, plain(record))
	}
	Equal(got, wanted)
}

func tooLarge() {
	create("large", 1, "max.message.bytes", "2000")
	err := write("large", kafka.RequireAll, 0, kafka.Message{Value: []byte(strings.Repeat("x", 3000))})
	var each kafka.WriteErrors
	Equal(errors.As(err, &each), true)
	refused(each[0], kafka.MessageSizeTooLarge)
	send("large", 1, "x")
	Equal(readAll("large", 1)[0].Offset, int64(0))
}

func anywhere() {
	create("anywhere", 1)
	for i, value := range Numbered(20) {
		Check(write("anywhere", kafka.RequireAll, 0, kafka.Message{Value: []byte(value),
			Time: time.UnixMilli(1700000000000 + int64(i)*1000)}))
	}
	one := reader("anywhere")
	defer one.Close()
	Check(one.SetOffset(15))
	Equal(values(read(one, 5)), Numbered(20)[15:])
	Check(one.SetOffsetAt(ctx, time.UnixMilli(1700000007001)))
	Equal(values(read(one, 12)), Numbered(20)[8:])
	listed := Must(client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		"anywhere": {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0)}}})).Topics["anywhere"][0]
	Check(listed.Error)
	Equal([]int64{listed.FirstOffset, listed.LastOffset}, []int64{0, 20})
}

func waiting() {
	create("waiting", 1)
	one := reader("waiting")
	defer one.Close()
	for _, value := range []string{"a", "b"} {
		send("waiting", 1, value)
		Equal(values(read(one, 1)), []string{value})
	}
}

// ---- Admin ------------------------------------------------------------------------------

func grow(topic string, count int32) error {
	return Must(client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: count}}})).Errors[topic]
}

func topics() {
	create("made", 2, "retention.ms", "60000")
	refused(made(kafka.TopicConfig{Topic: "made", NumPartitions: 2}), kafka.TopicAlreadyExists)
	refused(made(kafka.TopicConfig{Topic: "m", NumPartitions: 1, ReplicationFactor: 3}), kafka.InvalidReplicationFactor)
	refused(made(kafka.TopicConfig{Topic: "m/n", NumPartitions: 1}), kafka.InvalidTopic)
	refused(made(kafka.TopicConfig{Topic: "m", NumPartitions: 1,
		ConfigEntries: []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "soon"}}}), kafka.InvalidConfiguration)
	Check(grow("made", 4))
	refused(grow("made", 3), kafka.InvalidPartitionNumber)
	fresh := &kafka.Client{Addr: client.Addr, Transport: &kafka.Transport{}} // The other keeps what it knew.
	metadata := Must(fresh.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{"made"}}))
	Equal(len(metadata.Topics[0].Partitions), 4)
	Equal(fmt.Sprintf("%s:%d", metadata.Controller.Host, metadata.Controller.Port), Address)
	remove := func() error {
		return Must(client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{"made"}})).Errors["made"]
	}
	Check(remove())
	refused(remove(), kafka.UnknownTopicOrPartition)
}

func configs() {
	create("configured", 1, "retention.ms", "60000")
	describe := func() map[string]string {
		described := Must(client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
			Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: "configured"}}})).Resources[0]
		Check(described.Error)
		all := map[string]string{}
		for _, one := range described.ConfigEntries {
			all[one.ConfigName] = one.ConfigValue
		}
		return all
	}
	Equal(describe()["retention.ms"], "60000")
	alter := func(configs ...kafka.IncrementalAlterConfigsRequestConfig) error {
		return Must(client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
			Resources: []kafka.IncrementalAlterConfigsRequestResource{{ResourceType: kafka.ResourceTypeTopic,
				ResourceName: "configured", Configs: configs}}})).Resources[0].Error
	}
	Check(alter(kafka.IncrementalAlterConfigsRequestConfig{Name: "retention.ms", ConfigOperation: kafka.ConfigOperationDelete},
		kafka.IncrementalAlterConfigsRequestConfig{Name: "segment.bytes", Value: "2000000"},
		kafka.IncrementalAlterConfigsRequestConfig{Name: "cleanup.policy", Value: "compact", ConfigOperation: kafka.ConfigOperationAppend}))
	now := describe()
	Equal([]string{now["retention.ms"], now["segment.bytes"], now["cleanup.policy"]},
		[]string{"604800000", "2000000", "delete,compact"})
	refused(alter(kafka.IncrementalAlterConfigsRequestConfig{Name: "no.such", Value: "1"}), kafka.InvalidConfiguration)
}

// ---- Groups -----------------------------------------------------------------------------

// A reader of a group in a goroutine; it commits each record.
type member struct {
	*kafka.Reader
	lock sync.Mutex
	got  []string
	stop context.CancelFunc
	done chan struct{}
}

func join(group, topic string, session time.Duration) *member {
	m := &member{done: make(chan struct{})}
	m.Reader = kafka.NewReader(kafka.ReaderConfig{Brokers: []string{Address}, GroupID: group, Topic: topic,
		MaxWait: 300 * time.Millisecond, SessionTimeout: session, HeartbeatInterval: 200 * time.Millisecond,
		RebalanceTimeout: 5 * time.Second, JoinGroupBackoff: 100 * time.Millisecond,
		StartOffset: kafka.FirstOffset})
	running, cancel := context.WithCancel(ctx)
	m.stop = cancel
	go func() {
		defer close(m.done)
		for running.Err() == nil {
			record, err := m.FetchMessage(running)
			if err == nil && m.CommitMessages(running, record) == nil {
				m.lock.Lock()
				m.got = append(m.got, string(record.Value))
				m.lock.Unlock()
			}
		}
	}()
	return m
}

func (m *member) leave() {
	m.stop()
	<-m.done
	Check(m.Close())
}

func (m *member) values() []string {
	m.lock.Lock()
	defer m.lock.Unlock()
	return slices.Clone(m.got)
}

func describe(group string) kafka.DescribeGroupsResponseGroup {
	return Must(client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})).Groups[0]
}

// Waits until members of the group own so many partitions each, as the broker tells.
func awaitShares(group string, sizes ...int) {
	shares := func() (counts []int) {
		for _, one := range describe(group).Members {
			for _, topic := range one.MemberAssignments.Topics {
				counts = append(counts, len(topic.Partitions))
			}
		}
		return counts
	}
	Until(func() bool { return slices.Equal(shares(), sizes) }, func() any { return shares() })
}

func membersShare() {
	create("shared", 6)
	one, two, three := join("shared", "shared", 3*time.Second), join("shared", "shared", 3*time.Second), join("shared", "shared", 3*time.Second)
	awaitShares("shared", 2, 2, 2)
	wanted := Numbered(60)
	send("shared", 6, wanted...)
	all := func() []string { // Each once: what a rebalance meets uncommitted comes again.
		got := slices.Concat(one.values(), two.values(), three.values())
		sort.Strings(got)
		return slices.Compact(got)
	}
	sort.Strings(wanted)
	Until(func() bool { return len(all()) >= 60 }, func() any { return all() })
	Equal(all(), wanted)
	one.leave()
	awaitShares("shared", 3, 3)
	two.leave()
	three.leave()
}

func committed(group, topic string) kafka.OffsetFetchPartition {
	return Must(client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group,
		Topics: map[string][]int{topic: {0}}})).Topics[topic][0]
}

func commitsSurvive() {
	create("crashed", 1)
	send("crashed", 1, Numbered(10)...)
	one := join("crashed", "crashed", 20*time.Second)
	Until(func() bool { return len(one.values()) == 10 }, func() any { return one.values() })
	Broker("crash")
	Until(func() bool { // The first request may meet a connection of before.
		answer, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: "crashed", Topics: map[string][]int{"crashed": {0}}})
		return err == nil && answer.Topics["crashed"][0].CommittedOffset == 10
	}, func() any { return "the offset is not there" })
	send("crashed", 1, "after")
	Until(func() bool { return slices.Contains(one.values(), "after") }, func() any { return one.values() })
	one.leave()
	Equal(committed("crashed", "crashed").CommittedOffset, int64(11))
}

func groups() {
	create("grouped", 1)
	send("grouped", 1, "a")
	m := join("grouped", "grouped", 3*time.Second)
	Until(func() bool { return len(m.values()) == 1 }, func() any { return m.values() })
	listed := Must(client.ListGroups(ctx, &kafka.ListGroupsRequest{}))
	Equal(slices.ContainsFunc(listed.Groups, func(one kafka.ListGroupsResponseGroup) bool { return one.GroupID == "grouped" }), true)
	described := describe("grouped")
	Check(described.Error)
	Equal([]string{described.GroupState, described.Members[0].ClientHost}, []string{"Stable", "/127.0.0.1"})
	Equal(described.Members[0].MemberAssignments.Topics, []kafka.GroupMemberTopic{{Topic: "grouped", Partitions: []int{0}}})
	remove := func() error {
		return Must(client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{"grouped"}})).Errors["grouped"]
	}
	refused(remove(), kafka.NonEmptyGroup)
	m.leave()
	Until(func() bool { return describe("grouped").GroupState == "Empty" }, func() any { return describe("grouped") })
	Equal(committed("grouped", "grouped").CommittedOffset, int64(1))
	forget := func() error {
		return Must(client.OffsetDelete(ctx, &kafka.OffsetDeleteRequest{GroupID: "grouped",
			Topics: map[string][]int{"grouped": {0}}})).Topics["grouped"][0].Error
	}
	Check(Must(client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: "grouped", GenerationID: -1,
		Topics: map[string][]kafka.OffsetCommit{"grouped": {{Partition: 0, Offset: 0, Metadata: "why"}}}})).Topics["grouped"][0].Error)
	found := committed("grouped", "grouped")
	Equal([]any{found.CommittedOffset, found.Metadata}, []any{int64(0), "why"})
	Check(forget())
	Equal(committed("grouped", "grouped").CommittedOffset, int64(-1))
	Check(remove())
	refused(remove(), kafka.GroupIdNotFound)
}

func main() {
	for name, codec := range map[string]kafka.Compression{"none": 0, "gzip": kafka.Gzip,
		"snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd} {
		Test("records_come_back_with_"+name+"_and_every_acks",
			func() { recordsComeBack("records-"+name, codec) })
	}
	Test("a_record_over_the_limit_is_refused", tooLarge)
	Test("a_consumer_starts_anywhere", anywhere)
	Test("a_waiting_consumer_gets_what_comes", waiting)
	Test("topics_are_created_described_grown_and_deleted", topics)
	Test("configs_are_described_and_altered", configs)
	Test("members_share_partitions_and_take_over", membersShare)
	Test("commits_survive_a_crash_and_members_go_on", commitsSurvive)
	Test("groups_are_listed_described_and_deleted", groups)
	Main()
}
