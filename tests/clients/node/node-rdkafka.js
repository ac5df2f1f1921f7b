// librdkafka 2.12 through node-rdkafka, which compiles it: built once, then it is kept.
'use strict'

const assert = require('node:assert')
const rdkafka = require('node-rdkafka')
const { test, until, thrown, main } = require('./tap.js')

const settings = (broker, more) => ({
  'metadata.broker.list': broker.address, 'reconnect.backoff.max.ms': 200, ...more
})

// What a call gives to its callback, as a promise.
const given = (call) => new Promise((resolve, reject) =>
  call((error, value) => (error ? reject(error) : resolve(value))))

const admins = new Map()
function admin (broker) {
  if (!admins.has(broker)) admins.set(broker, rdkafka.AdminClient.create(settings(broker)))
  return admins.get(broker)
}

const create = (broker, topic, partitions = 1, config = {}, replicas = 1) => given((done) =>
  admin(broker).createTopic({ topic, num_partitions: partitions, replication_factor: replicas, config }, done))

// Sends records as [value, key, timestamp, headers, partition], and returns their reports.
async function send (broker, topic, records, more = {}) {
  const producer = new rdkafka.Producer(settings(broker, { dr_cb: true, ...more }))
  const reports = []
  producer.on('delivery-report', (error, report) => reports.push({ error, ...report }))
  await given((done) => producer.connect({}, done))
  producer.setPollInterval(20)
  for (const [value, key, timestamp, headers, partition = 0] of records) {
    producer.produce(topic, partition, value === null ? null : Buffer.from(value), key, timestamp, null, headers)
  }
  await until(() => reports.length === records.length, () => reports)
  await given((done) => producer.disconnect(done))
  return reports
}

const plain = ({ value, key, timestamp, headers, offset, partition }) => ({
  offset, partition, timestamp, value: value && value.toString(), key: key ? key.toString() : null,
  headers: (headers || []).map((one) => Object.entries(one).map(([name, text]) => [name, text.toString()])[0])
})

// A consumer that notes what it gets.
class Member {
  constructor (broker, group, more = {}) {
    this.records = []
    this.errors = []
    this.consumer = new rdkafka.KafkaConsumer(settings(broker, {
      'group.id': group, 'enable.auto.commit': false, 'session.timeout.ms': 3000,
      'heartbeat.interval.ms': 200, 'fetch.wait.max.ms': 200, rebalance_cb: true, ...more
    }), { 'auto.offset.reset': 'earliest' })
    this.consumer.on('data', (message) => this.records.push(plain(message)))
    this.consumer.on('event.error', (error) => this.errors.push(error))
  }

  async start (use) {
    await given((done) => this.consumer.connect({}, done))
    use(this.consumer)
    this.consumer.setDefaultConsumeTimeout(100)
    this.consumer.consume()
    return this
  }

  subscribe (topic) { return this.start((consumer) => consumer.subscribe([topic])) }
  assign (topic, offset) { return this.start((consumer) => consumer.assign([{ topic, partition: 0, offset }])) }

  get owned () { return this.consumer.assignments().map(({ partition }) => partition).sort() }

  async has (count) {
    await until(() => this.records.length >= count, () => [this.records, this.errors])
    return this.records
  }

  stop () { return given((done) => this.consumer.disconnect(done)) }
}

async function readAll (broker, topic, count) {
  const member = await new Member(broker, 'reader').assign(topic, 0)
  const records = await member.has(count)
  await member.stop()
  return records
}

const values = (records) => records.map(({ value }) => value)
const numbered = (count) => Array.from({ length: count }, (_, i) => `v${i}`)

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`records_come_back_with_${codec}_and_every_acks`, async (broker) => {
    const topic = `records-${codec}`
    await create(broker, topic)
    const wanted = []
    for (const acks of [-1, 1, 0]) {
      const records = Array.from({ length: 50 }, (_, i) => [
        i % 7 ? 'x'.repeat(i * 20) : null, i % 5 ? `k${i}` : null, 1700000000000 + i,
        i % 3 ? [{ a: `${i}` }, { b: '' }] : []
      ])
      const reports = await send(broker, topic, records,
        { 'request.required.acks': acks, 'compression.codec': codec, 'queue.buffering.max.ms': 20 })
      assert.deepStrictEqual(reports.map(({ error }) => error), Array(50).fill(null))
      for (const [value, key, timestamp, headers] of records) {
        wanted.push({
          offset: wanted.length, partition: 0, timestamp, value, key,
          headers: headers.map((one) => Object.entries(one)[0])
        })
      }
    }
    assert.deepStrictEqual(await readAll(broker, topic, 150), wanted)
  })
}

test('append_time_replaces_the_time_of_a_record', async (broker) => {
  await create(broker, 'append', 1, { 'message.timestamp.type': 'LogAppendTime' })
  const before = Date.now()
  await send(broker, 'append', [['a', null, 1000]])
  const after = Date.now()
  const [{ timestamp }] = await readAll(broker, 'append', 1)
  assert(timestamp >= before && timestamp <= after, `${timestamp}`)
})

test('an_idempotent_producer_writes_once_in_order', async (broker) => {
  await create(broker, 'idempotent')
  const reports = await send(broker, 'idempotent', numbered(2000).map((value) => [value]),
    { 'enable.idempotence': true, 'batch.num.messages': 20 })
  assert.deepStrictEqual(reports.map(({ offset }) => offset), Array.from({ length: 2000 }, (_, i) => i))
  assert.deepStrictEqual(values(await readAll(broker, 'idempotent', 2000)), numbered(2000))
})

test('a_consumer_starts_anywhere', async (broker) => {
  await create(broker, 'anywhere')
  await send(broker, 'anywhere', numbered(20).map((value, i) => [value, null, 1700000000000 + 1000 * i]),
    { 'batch.num.messages': 3 })
  const member = await new Member(broker, 'anywhere').assign('anywhere', 15)
  assert.deepStrictEqual(values(await member.has(5)), numbered(20).slice(15))
  assert.deepStrictEqual(await given((done) => member.consumer.queryWatermarkOffsets('anywhere', 0, 5000, done)),
    { lowOffset: 0, highOffset: 20 })
  const at = async (when) => (await given((done) =>
    member.consumer.offsetsForTimes([{ topic: 'anywhere', partition: 0, offset: when }], 5000, done)))[0].offset
  assert.deepStrictEqual([await at(1700000007000), await at(1700000007001)], [7, 8])
  await member.stop()
})

test('a_waiting_consumer_gets_what_comes', async (broker) => {
  await create(broker, 'waiting')
  const member = await new Member(broker, 'waiting', { 'fetch.wait.max.ms': 3000 }).assign('waiting', 0)
  for (const [i, value] of ['a', 'b'].entries()) {
    await send(broker, 'waiting', [[value]])
    assert.strictEqual((await member.has(i + 1))[i].value, value)
  }
  await member.stop()
})

test('topics_are_created_grown_and_deleted', async (broker) => {
  const { ERR_TOPIC_ALREADY_EXISTS, ERR_INVALID_REPLICATION_FACTOR, ERR_INVALID_PARTITIONS, ERR_INVALID_CONFIG, ERR_UNKNOWN_TOPIC_OR_PART } = rdkafka.CODES.ERRORS
  const refused = async (call, code) => assert.strictEqual((await thrown(call)).code, code)
  await create(broker, 'made', 2, { 'retention.ms': '60000' })
  await refused(() => create(broker, 'made'), ERR_TOPIC_ALREADY_EXISTS)
  await refused(() => create(broker, 'm', 1, {}, 3), ERR_INVALID_REPLICATION_FACTOR)
  await refused(() => create(broker, 'm', 1, { 'retention.ms': 'soon' }), ERR_INVALID_CONFIG)
  await given((done) => admin(broker).createPartitions('made', 4, done))
  await refused(() => given((done) => admin(broker).createPartitions('made', 3, done)), ERR_INVALID_PARTITIONS)
  const member = await new Member(broker, 'made').start(() => {})
  const { topics: [described] } = await given((done) => member.consumer.getMetadata({ topic: 'made', timeout: 5000 }, done))
  assert.deepStrictEqual(described.partitions.map(({ id }) => id), [0, 1, 2, 3])
  await member.stop()
  await given((done) => admin(broker).deleteTopic('made', done))
  await refused(() => given((done) => admin(broker).deleteTopic('made', done)), ERR_UNKNOWN_TOPIC_OR_PART)
})

for (const strategy of ['range', 'cooperative-sticky']) {
  test(`members_share_by_${strategy}_and_take_over`, async (broker) => {
    const topic = `shared-${strategy}`
    await create(broker, topic, 6)
    const start = () => new Member(broker, topic, { 'partition.assignment.strategy': strategy }).subscribe(topic)
    const members = await Promise.all([start(), start(), start()])
    const owned = () => members.map((member) => member.owned)
    await until(() => owned().every((one) => one.length === 2), owned)
    assert.deepStrictEqual(owned().flat().sort(), [0, 1, 2, 3, 4, 5])
    await send(broker, topic, numbered(60).map((value, i) => [value, null, undefined, [], i % 6]))
    const all = () => members.flatMap(({ records }) => values(records))
    await until(() => all().length >= 60, all)
    assert.deepStrictEqual(all().sort(), numbered(60).sort())
    await members[0].stop()
    await until(() => members[1].owned.length + members[2].owned.length === 6, () => 'not taken over')
    await members[1].stop()
    await members[2].stop()
  })
}

test('a_static_member_comes_back_to_its_partitions', async (broker) => {
  await create(broker, 'static', 2)
  const start = (name) => new Member(broker, 'static',
    { 'group.instance.id': name, 'session.timeout.ms': 20000 }).subscribe('static')
  const [one, two] = await Promise.all([start('one'), start('two')])
  await until(() => one.owned.length === 1 && two.owned.length === 1, () => [one.owned, two.owned])
  const before = two.owned
  await two.stop()
  const again = await start('two')
  await until(() => again.owned.length === 1, () => again.owned)
  assert.deepStrictEqual([again.owned, one.owned.length], [before, 1])
  await one.stop()
  await again.stop()
})

test('commits_survive_a_crash_and_members_go_on', async (broker) => {
  await create(broker, 'crashed')
  await send(broker, 'crashed', numbered(10).map((value) => [value]))
  const member = await new Member(broker, 'crashed', { 'session.timeout.ms': 20000 }).subscribe('crashed')
  await member.has(10)
  member.consumer.commitSync([{ topic: 'crashed', partition: 0, offset: 7 }])
  await broker.crash()
  const [found] = await given((done) =>
    member.consumer.committed([{ topic: 'crashed', partition: 0 }], 20000, done))
  assert.strictEqual(found.offset, 7)
  await send(broker, 'crashed', [['after']])
  assert.deepStrictEqual(values(await member.has(11)), [...numbered(10), 'after'])
  await member.stop()
})

main()
