// @platformatic/kafka. It shows the time that the producer set where the broker's counts, so
// append time is left to the others.
import assert from 'node:assert'
import zlib from 'node:zlib'
import {
  Admin, Consumer, Producer, stringSerializers, stringDeserializers, ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes, MessagesStreamModes, MessagesStreamFallbackModes
} from '@platformatic/kafka'
import tap from './tap.js'

const { test, until, thrown, main } = tap

const base = (broker, clientId = 'me') =>
  ({ clientId, bootstrapBrokers: [broker.address], retries: 5, retryDelay: 100 })

async function withAdmin (broker, use) {
  const admin = new Admin(base(broker))
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}

const createTopic = (broker, topic, partitions = 1, configs = []) => withAdmin(broker, (admin) =>
  admin.createTopics({ topics: [topic], partitions, replicas: 1, configs }))

async function send (broker, messages, options = {}) {
  const producer = new Producer({ ...base(broker), serializers: stringSerializers })
  try {
    return await producer.send({ messages, ...options })
  } finally {
    await producer.close()
  }
}

const plain = ({ key, value, headers, timestamp, offset, partition }) =>
  ({ key, value, headers: Object.fromEntries(headers), timestamp, offset, partition })

// A consumer of a group, whose stream notes what it gets.
class Member {
  constructor (broker, groupId, topic, { clientId, offsets, ...settings } = {}) {
    this.topic = topic
    this.offsets = offsets
    this.records = []
    this.joins = 0
    this.consumer = new Consumer({
      ...base(broker, clientId), groupId, deserializers: stringDeserializers, autocommit: false,
      sessionTimeout: 3000, heartbeatInterval: 200, rebalanceTimeout: 5000, maxWaitTime: 300, ...settings
    })
    this.consumer.on('consumer:group:join', () => { this.joins++ })
  }

  get owned () {
    const [its] = this.consumer.assignments || []
    return its ? [...its.partitions].sort() : []
  }

  async run () {
    this.stream = await this.consumer.consume({
      topics: [this.topic], mode: this.offsets ? MessagesStreamModes.MANUAL : MessagesStreamModes.COMMITTED,
      fallbackMode: MessagesStreamFallbackModes.EARLIEST, ...(this.offsets && { offsets: this.offsets })
    })
    this.stream.on('data', (message) => this.records.push(plain(message)))
    this.stream.on('error', (error) => { this.error = error })
    return this
  }

  async has (count) {
    await until(() => this.records.length >= count, () => [this.records, this.error])
    return this.records
  }

  async stop () {
    await this.stream.close()
    await this.consumer.close(true)
  }
}

let groups = 0
async function readAll (broker, topic, count, settings) {
  const member = await new Member(broker, `reader-${++groups}`, topic, settings).run()
  const records = await member.has(count)
  await member.stop()
  return records
}

const values = (records) => records.map(({ value }) => value)
const numbered = (count) => Array.from({ length: count }, (_, i) => `v${i}`)

// The codes of a group of errors, at any depth.
function codes (error) {
  const inner = [...(error.errors || []), ...(error.cause ? [error.cause] : [])]
  return [...(error.apiId ? [error.apiId] : []), ...inner.flatMap(codes)]
}

async function refused (call, code) {
  const error = await thrown(call)
  assert(codes(error).includes(code), `${code} is not in ${codes(error)}: ${error.stack}`)
}

const codecs = ['none', 'gzip', 'snappy', 'lz4', ...(zlib.zstdCompressSync ? ['zstd'] : [])]
for (const compression of codecs) {
  test(`records_come_back_with_${compression}_and_every_acks`, async (broker) => {
    const topic = `records-${compression}`
    await createTopic(broker, topic)
    const wanted = []
    for (const acks of [-1, 1, 0]) {
      const messages = Array.from({ length: 50 }, (_, i) => ({
        topic, partition: 0, key: `k${i}`, value: `v${acks}-${i}-${'x'.repeat(i * 10)}`,
        headers: i % 3 ? { a: `${i}`, b: '' } : {}, timestamp: 1700000000000n + BigInt(i)
      }))
      const told = await send(broker, messages, { acks, compression })
      if (acks !== 0) {
        assert.deepStrictEqual(told.offsets, [{ topic, partition: 0, offset: BigInt(wanted.length) }])
      }
      for (const { topic: _, ...message } of messages) {
        wanted.push({ ...message, offset: BigInt(wanted.length) })
      }
    }
    assert.deepStrictEqual(await readAll(broker, topic, 150), wanted)
  })
}

test('an_idempotent_producer_writes_once_in_order', async (broker) => {
  await createTopic(broker, 'idempotent')
  const producer = new Producer({ ...base(broker), serializers: stringSerializers, idempotent: true })
  for (let i = 0; i < 30; i++) {
    const { offsets: [told] } = await producer.send({
      acks: -1, messages: [0, 1].map((j) => ({ topic: 'idempotent', value: `v${2 * i + j}` }))
    })
    assert.strictEqual(told.offset, BigInt(2 * i))
  }
  await producer.close()
  assert.deepStrictEqual(values(await readAll(broker, 'idempotent', 60)), numbered(60))
})

test('a_consumer_starts_anywhere', async (broker) => {
  await createTopic(broker, 'anywhere')
  for (const [i, value] of numbered(20).entries()) {
    await send(broker, [{ topic: 'anywhere', value, timestamp: 1700000000000n + BigInt(1000 * i) }])
  }
  const late = await readAll(broker, 'anywhere', 5, { offsets: [{ topic: 'anywhere', partition: 0, offset: 15n }] })
  assert.deepStrictEqual(values(late), numbered(20).slice(15))
  const { consumer } = new Member(broker, 'anywhere', 'anywhere')
  const at = async (timestamp) => (await consumer.listOffsets({ topics: ['anywhere'], timestamp })).get('anywhere')[0]
  assert.deepStrictEqual(await Promise.all([-2n, -1n, 1700000007000n, 1700000007001n, 1800000000000n].map(at)),
    [0n, 20n, 7n, 8n, -1n])
  await consumer.close(true)
})

test('a_waiting_consumer_gets_what_comes', async (broker) => {
  await createTopic(broker, 'waiting')
  const member = await new Member(broker, 'waiting', 'waiting', { maxWaitTime: 3000 }).run()
  for (const value of ['a', 'b']) {
    await send(broker, [{ topic: 'waiting', value }])
    await until(() => values(member.records).includes(value), () => member.records)
  }
  await member.stop()
})

test('topics_are_created_grown_and_deleted', (broker) => withAdmin(broker, async (admin) => {
  const create = (topic, options) => admin.createTopics({ topics: [topic], partitions: 2, replicas: 1, ...options })
  const [{ id, ...made }] = await create('made', { configs: [{ name: 'retention.ms', value: '60000' }] })
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.deepStrictEqual([made.name, made.partitions, made.replicas, made.configuration['retention.ms']], ['made', 2, 1, '60000'])
  await refused(() => create('made'), 'TOPIC_ALREADY_EXISTS')
  await refused(() => create('m', { replicas: 3 }), 'INVALID_REPLICATION_FACTOR')
  await refused(() => create('m/n'), 'INVALID_TOPIC_EXCEPTION')
  await refused(() => create('m', { configs: [{ name: 'retention.ms', value: 'soon' }] }), 'INVALID_CONFIG')
  await admin.createPartitions({ topics: [{ name: 'made', count: 4, assignments: null }] })
  await refused(() => admin.createPartitions({ topics: [{ name: 'made', count: 3, assignments: null }] }), 'INVALID_PARTITIONS')
  const metadata = await admin.metadata({ topics: ['made'], forceUpdate: true })
  assert.strictEqual(metadata.topics.get('made').partitionsCount, 4)
  assert.strictEqual(metadata.topics.get('made').id, id)
  assert((await admin.listTopics()).includes('made'))
  await admin.deleteTopics({ topics: ['made'] })
  assert(!(await admin.listTopics()).includes('made'))
  await refused(() => admin.deleteTopics({ topics: ['made'] }), 'UNKNOWN_TOPIC_OR_PARTITION')
}))

test('configs_are_described_and_altered', async (broker) => {
  await createTopic(broker, 'configured', 1, [{ name: 'retention.ms', value: '60000' }])
  await withAdmin(broker, async (admin) => {
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: 'configured' }
    const describe = async () => {
      const [{ configs }] = await admin.describeConfigs({ resources: [{ ...resource, configurationKeys: null }] })
      return Object.fromEntries(configs.map(({ name, value }) => [name, value]))
    }
    assert.strictEqual((await describe())['retention.ms'], '60000')
    const { SET, DELETE, APPEND } = IncrementalAlterConfigOperationTypes
    const alter = (...configs) => admin.incrementalAlterConfigs({
      resources: [{ ...resource, configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })) }]
    })
    await alter(['retention.ms', DELETE, null], ['segment.bytes', SET, '2000000'], ['cleanup.policy', APPEND, 'compact'])
    const now = await describe()
    assert.deepStrictEqual([now['retention.ms'], now['segment.bytes'], now['cleanup.policy']], ['604800000', '2000000', 'delete,compact'])
    await refused(() => alter(['no.such', SET, '1']), 'INVALID_CONFIG')
  })
})

test('deleted_records_are_gone', async (broker) => {
  await createTopic(broker, 'shortened')
  await send(broker, numbered(10).map((value) => ({ topic: 'shortened', value })))
  await withAdmin(broker, async (admin) => {
    assert.deepStrictEqual(await admin.deleteRecords({ topics: [{ name: 'shortened', partitions: [{ partition: 0, offset: 6n }] }] }),
      [{ name: 'shortened', partitions: [{ partition: 0, lowWatermark: 6n }] }])
  })
  assert.deepStrictEqual(values(await readAll(broker, 'shortened', 4)), numbered(10).slice(6))
})

test('members_share_partitions_and_take_over', async (broker) => {
  await createTopic(broker, 'shared', 6)
  const members = await Promise.all([1, 2, 3].map(() => new Member(broker, 'shared', 'shared').run()))
  const owned = () => members.map((member) => member.owned)
  await until(() => owned().every((one) => one.length === 2), owned)
  assert.deepStrictEqual(owned().flat().sort(), [0, 1, 2, 3, 4, 5])
  await send(broker, numbered(60).map((value, i) => ({ topic: 'shared', value, partition: i % 6 })))
  // Each once: a stream may read what came about a rebalance again.
  const all = () => [...new Set(members.flatMap(({ records }) => values(records)))]
  await until(() => all().length >= 60, all)
  assert.deepStrictEqual(all().sort(), numbered(60).sort())
  await members[0].stop()
  await until(() => members[1].owned.length + members[2].owned.length === 6, owned)
  await members[1].stop()
  await members[2].stop()
})

test('groups_are_listed_described_and_deleted', async (broker) => {
  await createTopic(broker, 'grouped', 2)
  const member = await new Member(broker, 'grouped', 'grouped', { clientId: 'somebody' }).run()
  await until(() => member.owned.length === 2, () => member.owned)
  await member.consumer.commit({ offsets: [{ topic: 'grouped', partition: 0, offset: 0n, leaderEpoch: 0 }] })
  await withAdmin(broker, async (admin) => {
    const listed = async (options) => (await admin.listGroups(options)).get('grouped')
    assert.deepStrictEqual(await listed(), { id: 'grouped', state: 'STABLE', groupType: 'classic', protocolType: 'consumer' })
    assert.strictEqual((await listed({ states: ['STABLE'] })).id, 'grouped')
    assert.strictEqual(await listed({ states: ['EMPTY'] }), undefined)
    const described = (await admin.describeGroups({ groups: ['grouped'] })).get('grouped')
    const [its] = described.members.values()
    assert.deepStrictEqual([described.state, described.protocolType, its.clientId, its.clientHost, its.assignments.get('grouped').partitions],
      ['STABLE', 'consumer', 'somebody', '/127.0.0.1', [0, 1]])
    await refused(() => admin.deleteGroups({ groups: ['grouped'] }), 'NON_EMPTY_GROUP')
    await member.stop()
    await admin.alterConsumerGroupOffsets({ groupId: 'grouped', topics: [{ name: 'grouped', partitionOffsets: [{ partition: 1, offset: 0n }] }] })
    const offsets = async () => (await admin.listConsumerGroupOffsets({ groups: ['grouped'] }))[0].topics
      .flatMap(({ partitions }) => partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]))
    assert.deepStrictEqual(await offsets(), [[0, 0n], [1, 0n]])
    await admin.deleteConsumerGroupOffsets({ groupId: 'grouped', topics: [{ name: 'grouped', partitionIndexes: [0] }] })
    assert.deepStrictEqual(await offsets(), [[1, 0n]])
    await admin.deleteGroups({ groups: ['grouped'] })
    await refused(() => admin.deleteGroups({ groups: ['grouped'] }), 'GROUP_ID_NOT_FOUND')
  })
})

test('commits_survive_a_crash_and_members_go_on', async (broker) => {
  await createTopic(broker, 'crashed')
  await send(broker, numbered(10).map((value) => ({ topic: 'crashed', value })))
  const member = await new Member(broker, 'crashed', 'crashed', { sessionTimeout: 20000, rebalanceTimeout: 20000 }).run()
  await member.has(10)
  await member.consumer.commit({ offsets: [{ topic: 'crashed', partition: 0, offset: 7n, leaderEpoch: 0 }] })
  await broker.crash()
  const after = await new Member(broker, 'crashed', 'crashed', { sessionTimeout: 20000, rebalanceTimeout: 20000 })
  const committed = await after.consumer.listCommittedOffsets({ topics: [{ topic: 'crashed', partitions: [0] }] })
  assert.deepStrictEqual(committed.get('crashed'), [7n])
  await after.consumer.close(true)
  await member.stop().catch(() => {})
  const again = await new Member(broker, 'crashed', 'crashed').run()
  await again.has(3)
  assert.deepStrictEqual(values(again.records), ['v7', 'v8', 'v9'])
  await again.stop()
})

main()
