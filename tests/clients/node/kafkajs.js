// kafkajs, the client for Node.js that speaks the oldest versions of requests.
'use strict'

const assert = require('node:assert')
const {
  Kafka, CompressionTypes, ConfigResourceTypes, AssignerProtocol, logLevel
} = require('kafkajs')
const { test, until, thrown, main } = require('./tap.js')

const client = (broker, clientId = 'me') => new Kafka({
  clientId, brokers: [broker.address], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50 }
})

async function withAdmin (broker, use) {
  const admin = client(broker).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

const createTopic = (broker, topic, numPartitions = 1, configEntries = []) =>
  withAdmin(broker, (admin) => admin.createTopics({
    topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true
  }))

async function send (broker, topic, messages, { acks = -1, compression, ...settings } = {}) {
  const producer = client(broker).producer(settings)
  await producer.connect()
  try {
    return await producer.send({ topic, acks, compression, messages })
  } finally {
    await producer.disconnect()
  }
}

const text = (bytes) => (bytes === null ? null : bytes.toString())
const plain = ({ key, value, headers, timestamp, offset }) => ({
  offset, key: text(key), value: text(value), timestamp,
  headers: Object.fromEntries(Object.entries(headers).map(([name, one]) => [name, text(one)]))
})

// A consumer that notes what it gets and owns.
class Member {
  constructor (broker, groupId, topic, { from, ...settings } = {}) {
    this.records = []
    this.owned = []
    this.joins = 0
    this.consumer = client(broker, settings.clientId).consumer({
      groupId, sessionTimeout: 3000, heartbeatInterval: 200, rebalanceTimeout: 3000,
      maxWaitTimeInMs: 500, ...settings
    })
    this.consumer.on('consumer.group_join', ({ payload }) => {
      this.joins++
      this.owned = payload.memberAssignment[topic] || []
    })
    this.topic = topic
    this.start = from
  }

  async run (settings = {}) {
    await this.consumer.connect()
    await this.consumer.subscribe({ topic: this.topic, fromBeginning: true })
    await this.consumer.run({
      eachMessage: async ({ message, partition }) => {
        this.records.push({ partition, ...plain(message) })
      },
      ...settings
    })
    if (this.start !== undefined) {
      this.consumer.seek({ topic: this.topic, partition: 0, offset: String(this.start) })
    }
    return this
  }

  async has (count) {
    await until(() => this.records.length >= count, () => this.records)
    return this.records
  }

  stop () { return this.consumer.disconnect() }
}

let groups = 0
async function readAll (broker, topic, count, settings) {
  const member = await new Member(broker, `reader-${++groups}`, topic, settings).run()
  const records = await member.has(count)
  await member.stop()
  return records
}

const values = (records) => records.map(({ value }) => value)

for (const [name, compression] of [['none', CompressionTypes.None],
  ['gzip', CompressionTypes.GZIP]]) {
  test(`records_come_back_with_${name}_and_every_acks`, async (broker) => {
    const topic = `records-${name}`
    await createTopic(broker, topic)
    const wanted = []
    for (const acks of [-1, 1, 0]) {
      const messages = Array.from({ length: 50 }, (_, i) => ({
        key: i % 5 ? `k${i}` : null,
        value: i % 7 ? `v${acks}-${i}-${'x'.repeat(i * 10)}` : null,
        headers: i % 3 ? { a: `${i}`, b: '' } : {},
        timestamp: String(1700000000000 + i)
      }))
      const told = await send(broker, topic, messages, { acks, compression })
      if (acks !== 0) {
        assert.strictEqual(told[0].errorCode, 0)
        assert.strictEqual(told[0].baseOffset, String(wanted.length))
      }
      for (const message of messages) {
        wanted.push({ partition: 0, offset: String(wanted.length), ...message })
      }
    }
    const records = await readAll(broker, topic, 150)
    const order = (one) => JSON.stringify(one, Object.keys(one).sort().concat(['a', 'b']))
    assert.deepStrictEqual(records.map(order), wanted.map(order))
  })
}

test('append_time_replaces_the_time_of_a_record', async (broker) => {
  await createTopic(broker, 'append', 1, [{ name: 'message.timestamp.type', value: 'LogAppendTime' }])
  const before = Date.now()
  const [told] = await send(broker, 'append', [{ value: 'a', timestamp: '1000' }])
  const after = Date.now()
  assert(Number(told.logAppendTime) >= before && Number(told.logAppendTime) <= after, told.logAppendTime)
  const [record] = await readAll(broker, 'append', 1)
  assert.strictEqual(record.timestamp, told.logAppendTime)
})

test('an_idempotent_producer_writes_once_in_order', async (broker) => {
  await createTopic(broker, 'idempotent')
  const producer = client(broker).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (let i = 0; i < 30; i++) {
    const [told] = await producer.send({ topic: 'idempotent', messages: [{ value: `${2 * i}` }, { value: `${2 * i + 1}` }] })
    assert.strictEqual(told.baseOffset, String(2 * i))
  }
  await producer.disconnect()
  assert.deepStrictEqual(values(await readAll(broker, 'idempotent', 60)),
    Array.from({ length: 60 }, (_, i) => `${i}`))
})

test('a_consumer_starts_anywhere', async (broker) => {
  await createTopic(broker, 'anywhere')
  const messages = Array.from({ length: 20 }, (_, i) => ({ value: `v${i}`, timestamp: String(1700000000000 + 1000 * i) }))
  for (const message of messages) await send(broker, 'anywhere', [message])
  const late = await new Member(broker, 'anywhere', 'anywhere', { from: 15 }).run()
  await until(() => late.records.some(({ value }) => value === 'v19'), () => late.records)
  await late.stop()
  assert.deepStrictEqual(values(late.records.slice(-5)), ['v15', 'v16', 'v17', 'v18', 'v19'])
  await withAdmin(broker, async (admin) => {
    assert.deepStrictEqual(await admin.fetchTopicOffsets('anywhere'),
      [{ partition: 0, offset: '20', high: '20', low: '0' }])
    const at = async (when) => (await admin.fetchTopicOffsetsByTimestamp('anywhere', when))[0].offset
    assert.strictEqual(await at(1700000007000), '7')
    assert.strictEqual(await at(1700000007001), '8')
    assert.strictEqual(await at(1800000000000), '20') // kafkajs: none is the end.
  })
})

test('a_waiting_consumer_gets_what_comes', async (broker) => {
  await createTopic(broker, 'waiting')
  const member = await new Member(broker, 'waiting', 'waiting', { maxWaitTimeInMs: 4000 }).run()
  await until(() => member.owned.length === 1, () => member.owned)
  for (const value of ['a', 'b']) {
    await send(broker, 'waiting', [{ value }])
    await until(() => values(member.records).includes(value), () => member.records, 15000)
  }
  await member.stop()
})

test('topics_are_created_described_grown_and_deleted', async (broker) => {
  await withAdmin(broker, async (admin) => {
    const topics = [{ topic: 'made', numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '60000' }] }]
    assert.strictEqual(await admin.createTopics({ topics }), true)
    assert.strictEqual(await admin.createTopics({ topics }), false) // It exists.
    const refused = await thrown(() => admin.createTopics({
      topics: [{ topic: 'bad', configEntries: [{ name: 'retention.ms', value: 'soon' }] }]
    }))
    assert.strictEqual(refused.errors[0].type, 'INVALID_CONFIG')
    const replicas = await thrown(() => admin.createTopics({ topics: [{ topic: 'bad', replicationFactor: 3 }] }))
    assert.strictEqual(replicas.errors[0].type, 'INVALID_REPLICATION_FACTOR')
    const invalid = await thrown(() => admin.createTopics({ topics: [{ topic: 'no/slash' }] }))
    assert.strictEqual(invalid.errors[0].type, 'INVALID_TOPIC_EXCEPTION')
    await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 4 }] })
    const shrunk = await thrown(() => admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 3 }] }))
    assert.strictEqual(shrunk.type, 'INVALID_PARTITIONS')
    const { topics: [described] } = await admin.fetchTopicMetadata({ topics: ['made'] })
    assert.deepStrictEqual(described.partitions.map(({ partitionId, leader, replicas, isr, partitionErrorCode }) =>
      ({ partitionId, leader, replicas, isr, partitionErrorCode })).sort((a, b) => a.partitionId - b.partitionId),
    [0, 1, 2, 3].map((partitionId) => ({ partitionId, leader: described.partitions[0].leader, replicas: [described.partitions[0].leader], isr: [described.partitions[0].leader], partitionErrorCode: 0 })))
    await admin.deleteTopics({ topics: ['made'] })
    assert(!(await admin.listTopics()).includes('made'))
    const gone = await thrown(() => admin.deleteTopics({ topics: ['made'], timeout: 1000 }))
    assert.strictEqual(gone.cause.type, 'UNKNOWN_TOPIC_OR_PARTITION')
    const { brokers, clusterId } = await admin.describeCluster()
    assert.strictEqual(brokers.length, 1)
    assert.strictEqual(`${brokers[0].host}:${brokers[0].port}`, broker.address)
    assert.strictEqual(typeof clusterId, 'string')
  })
})

test('configs_are_described_and_altered', async (broker) => {
  await createTopic(broker, 'configured', 1, [{ name: 'retention.ms', value: '60000' }])
  await withAdmin(broker, async (admin) => {
    const describe = async (configNames) => {
      const { resources: [{ errorCode, configEntries }] } = await admin.describeConfigs({
        includeSynonyms: true, resources: [{ type: ConfigResourceTypes.TOPIC, name: 'configured', configNames }]
      })
      assert.strictEqual(errorCode, 0)
      return Object.fromEntries(configEntries.map(({ configName, configValue, isDefault }) => [configName, [configValue, isDefault]]))
    }
    assert.deepStrictEqual(await describe(['retention.ms', 'cleanup.policy']),
      { 'retention.ms': ['60000', false], 'cleanup.policy': ['delete', true] })
    assert(Object.keys(await describe(undefined)).length > 20)
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: 'configured', configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }]
    })
    assert.deepStrictEqual(await describe(['retention.ms', 'cleanup.policy']), // It replaces all.
      { 'retention.ms': ['604800000', true], 'cleanup.policy': ['compact', false] })
    const refused = await thrown(() => admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: 'configured', configEntries: [{ name: 'segment.bytes', value: '-1' }] }]
    }))
    assert.strictEqual(refused.type, 'INVALID_CONFIG')
  })
})

test('deleted_records_are_gone', async (broker) => {
  await createTopic(broker, 'shortened')
  await send(broker, 'shortened', Array.from({ length: 10 }, (_, i) => ({ value: `v${i}` })))
  await withAdmin(broker, async (admin) => {
    await admin.fetchTopicOffsets('shortened') // It has to know the topic.
    await admin.deleteTopicRecords({ topic: 'shortened', partitions: [{ partition: 0, offset: '6' }] })
    assert.deepStrictEqual(await admin.fetchTopicOffsets('shortened'),
      [{ partition: 0, offset: '10', high: '10', low: '6' }])
  })
  assert.deepStrictEqual(values(await readAll(broker, 'shortened', 4)), ['v6', 'v7', 'v8', 'v9'])
})

test('members_share_partitions_and_take_over', async (broker) => {
  await createTopic(broker, 'shared', 6)
  const start = () => new Member(broker, 'shared', 'shared').run()
  const members = await Promise.all([start(), start(), start()])
  const owned = () => members.map((member) => member.owned)
  await until(() => owned().every((one) => one.length === 2), owned)
  assert.deepStrictEqual(owned().flat().sort(), [0, 1, 2, 3, 4, 5])
  const messages = Array.from({ length: 60 }, (_, i) => ({ value: `v${i}`, partition: i % 6 }))
  await send(broker, 'shared', messages)
  await until(() => members.flatMap(({ records }) => records).length >= 60, owned)
  assert.deepStrictEqual(members.flatMap(({ records }) => values(records)).sort(),
    messages.map(({ value }) => value).sort())
  await members[0].stop()
  await until(() => members[1].owned.length + members[2].owned.length === 6, owned)
  await Promise.all([members[1].stop(), members[2].stop()])
})

test('groups_are_listed_described_and_deleted', async (broker) => {
  await createTopic(broker, 'grouped', 2)
  await send(broker, 'grouped', [{ value: 'a', partition: 0 }, { value: 'b', partition: 1 }])
  const member = await new Member(broker, 'grouped', 'grouped', { clientId: 'somebody' }).run({ autoCommit: false, eachMessage: async () => {} })
  await until(() => member.owned.length === 2, () => member.owned)
  await member.consumer.commitOffsets([{ topic: 'grouped', partition: 0, offset: '1', metadata: 'why' }])
  await withAdmin(broker, async (admin) => {
    const { groups: listed } = await admin.listGroups()
    assert.deepStrictEqual(listed.filter(({ groupId }) => groupId === 'grouped'),
      [{ groupId: 'grouped', protocolType: 'consumer' }])
    const { groups: [described, unknown] } = await admin.describeGroups(['grouped', 'nobody'])
    assert.deepStrictEqual([described.state, described.protocolType, described.protocol, described.members.length],
      ['Stable', 'consumer', 'RoundRobinAssigner', 1])
    assert.deepStrictEqual([unknown.state, unknown.errorCode], ['Dead', 0])
    const [one] = described.members
    assert.deepStrictEqual([one.clientId, one.clientHost], ['somebody', '/127.0.0.1'])
    assert.deepStrictEqual(AssignerProtocol.MemberAssignment.decode(one.memberAssignment).assignment, { grouped: [0, 1] })
    const busy = await thrown(() => admin.deleteGroups(['grouped']))
    assert.strictEqual(busy.groups[0].error.type, 'NON_EMPTY_GROUP')
    await member.stop()
    const [{ partitions }] = await admin.fetchOffsets({ groupId: 'grouped', topics: ['grouped'] })
    assert.deepStrictEqual(partitions, [{ partition: 0, offset: '1', metadata: 'why' }, { partition: 1, offset: '-1', metadata: null }])
    await admin.setOffsets({ groupId: 'grouped', topic: 'grouped', partitions: [{ partition: 1, offset: '1' }] })
    const [{ partitions: set }] = await admin.fetchOffsets({ groupId: 'grouped', topics: ['grouped'] })
    assert.deepStrictEqual(set.map(({ offset }) => offset), ['1', '1'])
    await admin.deleteGroups(['grouped'])
    const none = await thrown(() => admin.deleteGroups(['grouped']))
    assert.strictEqual(none.groups[0].error.type, 'GROUP_ID_NOT_FOUND')
  })
})

test('commits_survive_a_crash_and_members_go_on', async (broker) => {
  await createTopic(broker, 'crashed')
  await send(broker, 'crashed', Array.from({ length: 10 }, (_, i) => ({ value: `v${i}` })))
  const member = await new Member(broker, 'crashed', 'crashed', { sessionTimeout: 20000 }).run({ autoCommit: false })
  member.consumer.on('consumer.crash', () => {})
  await until(() => member.owned.length === 1, () => member.owned)
  await member.consumer.commitOffsets([{ topic: 'crashed', partition: 0, offset: '7' }])
  await broker.crash()
  await withAdmin(broker, async (admin) => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: 'crashed', topics: ['crashed'] })
    assert.deepStrictEqual(partitions.map(({ offset }) => offset), ['7'])
  })
  await send(broker, 'crashed', [{ value: 'after' }])
  await until(() => values(member.records).includes('after'), () => member.records)
  await member.stop()
})

main()
