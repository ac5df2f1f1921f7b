/* One sentence per key, for the manual: docs/broker-configuration.md. */
#include "broker/config/setting_doc.h"
#include <string.h>

typedef struct sentence {
    const char *key, *doc;
} sentence;

static const sentence sentences[] = {
    {"listeners",
     "Where clients can come: NAME://HOST:PORT, several between commas. An "
     "empty host is every address, port 0 a free one."},
    {"advertised.listeners",
     "The addresses that clients are told, by the names of the listeners. "
     "Where there is none, those of the listeners; for every address, the "
     "host's name."},
    {"log.dirs", "The folders of the data, between commas; a new partition goes to the "
                 "one that has the fewest."},
    {"log.dir", "The folder of the data, where there is no log.dirs."},
    {"node.id", "The number of this broker in answers to clients."},
    {"broker.id", "The older name of node.id, which wins where both are given."},
    {"broker.rack", "The rack that clients are told."},
    {"process.roles", "Accepted with Kafka's words; this broker is always both."},
    {"num.network.threads",
     "The threads that serve connections. 0: one for each processor, at most "
     "4."},
    {"socket.request.max.bytes",
     "The longest request. A connection that announces a longer one is "
     "closed, or one whose entries (topics, partitions, names), without records, would "
     "take more than 8 MiB in memory."},
    {"socket.send.buffer.bytes",
     "The kernel's send buffer of a connection. -1: the kernel's choice."},
    {"socket.receive.buffer.bytes",
     "The kernel's receive buffer of a connection. -1: the kernel's choice."},
    {"queued.max.request.bytes",
     "The memory of all connections for requests that are unfinished or wait, and for "
     "answers that are not read; each network thread has its part of it, at least "
     "socket.request.max.bytes. Beyond it, connections that have kept theirs for the "
     "longest time are closed. -1: no limit, as is Kafka's default."},
    {"max.connections",
     "The most connections at once; one more is closed at once, with a line "
     "in the log, at most one a second."},
    {"connections.max.idle.ms",
     "How long a connection may be silent before it is closed. -1 or 0: for "
     "ever."},
    {"metrics.listener",
     "HOST:PORT where Prometheus finds the metrics, at /metrics; port 0 is a free one, "
     "and the address is printed at the start. Not set: nowhere."},
    {"num.partitions",
     "The partitions of a topic that is created without saying how many."},
    {"auto.create.topics.enable",
     "Whether a topic is created when a client asks for one that is not "
     "there, and allows it."},
    {"delete.topic.enable", "Whether topics can be deleted."},
    {"fetch.max.bytes",
     "The most bytes of an answer to a fetch, whatever the client allows; "
     "one batch is always given whole."},
    {"max.incremental.fetch.session.cache.slots",
     "How many fetch sessions are kept; consumers without one send all that they "
     "want with each fetch. 0: none."},
    {"log.retention.check.interval.ms",
     "How often old segments are looked for. While no request comes, the broker waits "
     "until records will be too old."},
    {"log.flush.offset.checkpoint.interval.ms",
     "How often recovery points and indexes are written while requests come, so that a "
     "start after a crash reads less."},
    {"offsets.topic.num.partitions",
     "The partitions of __consumer_offsets, when it is created."},
    {"offsets.topic.segment.bytes",
     "The segment.bytes of __consumer_offsets, when it is created."},
    {"offsets.retention.minutes",
     "How long the offsets of a group without members are kept."},
    {"offsets.retention.check.interval.ms",
     "How often offsets that are too old are looked for."},
    {"offset.metadata.max.bytes",
     "The longest text that a consumer may store with an offset."},
    {"group.initial.rebalance.delay.ms",
     "How long a new group waits for more members before its first "
     "rebalance."},
    {"group.min.session.timeout.ms",
     "The shortest session timeout that a member may ask for."},
    {"group.max.session.timeout.ms",
     "The longest session timeout that a member may ask for."},
    {"group.max.size", "The most members of a group."},
    {"acks.all.sync",
     "Sluice's own. data: acks=all is answered after fdatasync. none: it is "
     "answered at once, and a crash of the machine may lose what was "
     "acknowledged; internal topics are synced all the same."},
    {"message.max.bytes", "Topics' default of max.message.bytes."},
    {"compression.type",
     "How batches are stored. producer: as they came; with another, those that came "
     "otherwise are compressed anew."},
    {"min.insync.replicas",
     "How many replicas acks=all needs. One node has one: with more than 1, "
     "such writes are refused."},
    {"log.cleanup.policy", "Topics' default of cleanup.policy."},
    {"log.retention.ms", "Topics' default of retention.ms."},
    {"log.retention.minutes",
     "The same in minutes, where there is no log.retention.ms."},
    {"log.retention.hours", "The same in hours, where there is neither."},
    {"log.retention.bytes", "Topics' default of retention.bytes."},
    {"log.segment.bytes", "Topics' default of segment.bytes."},
    {"log.segment.delete.delay.ms", "Topics' default of file.delete.delay.ms."},
    {"log.roll.ms", "Topics' default of segment.ms."},
    {"log.roll.hours", "The same in hours, where there is no log.roll.ms."},
    {"log.roll.jitter.ms", "Topics' default of segment.jitter.ms."},
    {"log.index.size.max.bytes", "Topics' default of segment.index.bytes."},
    {"log.index.interval.bytes", "Topics' default of index.interval.bytes."},
    {"log.flush.interval.messages", "Topics' default of flush.messages."},
    {"log.flush.interval.ms", "Topics' default of flush.ms."},
    {"log.preallocate", "Topics' default of preallocate."},
    {"log.message.timestamp.type", "Topics' default of message.timestamp.type."},
    {"log.message.timestamp.before.max.ms",
     "Topics' default of message.timestamp.before.max.ms."},
    {"log.message.timestamp.after.max.ms",
     "Topics' default of message.timestamp.after.max.ms."},
    {"log.cleaner.delete.retention.ms", "Topics' default of delete.retention.ms."},
    {"log.cleaner.min.compaction.lag.ms", "Topics' default of min.compaction.lag.ms."},
    {"log.cleaner.max.compaction.lag.ms", "Topics' default of max.compaction.lag.ms."},
    {"log.cleaner.min.cleanable.ratio",
     "Topics' default of min.cleanable.dirty.ratio."},
    {"producer.id.expiration.ms",
     "How long the sequence numbers of an idempotent producer that is silent "
     "are remembered."},
    {"cleanup.policy",
     "delete: old segments are deleted. compact: records must have keys, and "
     "all are kept: the compaction itself is not done so far."},
    {"compression.gzip.level", "Accepted; batches are kept as producers sent them."},
    {"compression.lz4.level", "Accepted; batches are kept as producers sent them."},
    {"compression.zstd.level", "Accepted; batches are kept as producers sent them."},
    {"delete.retention.ms", "Accepted; it takes effect with compaction."},
    {"file.delete.delay.ms",
     "Accepted; files are deleted at once, since readers keep what they have "
     "open."},
    {"flush.messages",
     "After how many records a partition is synced, whatever producers asked "
     "for."},
    {"flush.ms", "How long records may stay unsynced, whatever producers asked for; "
                 "looked at every log.retention.check.interval.ms."},
    {"index.interval.bytes",
     "How many bytes of records there are between two entries of a segment's "
     "index."},
    {"max.compaction.lag.ms", "Accepted; it takes effect with compaction."},
    {"max.message.bytes", "The largest batch, as it was sent."},
    {"message.timestamp.after.max.ms",
     "How far ahead of the broker's clock a record's timestamp may be."},
    {"message.timestamp.before.max.ms",
     "How far behind the broker's clock a record's timestamp may be."},
    {"message.timestamp.difference.max.ms", "Accepted; the two keys above say more."},
    {"message.timestamp.type",
     "CreateTime: records keep the producer's timestamps. LogAppendTime: "
     "they get the broker's."},
    {"min.cleanable.dirty.ratio", "Accepted; it takes effect with compaction."},
    {"min.compaction.lag.ms", "Accepted; it takes effect with compaction."},
    {"preallocate", "Accepted; segments always grow as they are written."},
    {"retention.bytes",
     "How many bytes of a partition are kept; older segments are deleted. "
     "-1: all."},
    {"retention.ms",
     "How long records are kept; a segment is deleted when its newest record "
     "is older. -1: for ever."},
    {"segment.bytes", "The size at which the next segment begins."},
    {"segment.index.bytes",
     "The size of a segment's index at which the next segment begins."},
    {"segment.jitter.ms", "Accepted; segments roll when they are due."},
    {"segment.ms", "The age at which the next segment begins."},
};

enum { sentence_count = sizeof sentences / sizeof *sentences };

const char *setting_doc(const char *name)
{
    for (size_t i = 0; i < sentence_count; i++) {
        if (strcmp(sentences[i].key, name) == 0) {
            return sentences[i].doc;
        }
    }
    return NULL;
}

const char *setting_doc_key(size_t index)
{
    return index < sentence_count ? sentences[index].key : NULL;
}
