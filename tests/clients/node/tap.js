// Cases that are sentences, as TAP; and what the cases of every client for Node.js share.
//
//     test('a_record_comes_back', async (broker) => { … })
//     main()
'use strict'

const readline = require('node:readline')
const assert = require('node:assert')

const cases = []
const test = (name, run) => cases.push({ name, run })

class Broker {
  constructor (address) {
    this.address = address
    this.lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  }

  // Kills it, or stops it in order, and starts it again on the same port.
  async crash () { await this.order('crash') }
  async restart () { await this.order('restart') }

  async order (what) {
    process.stdout.write(`broker ${what}\n`)
    const { value } = await this.lines.next()
    assert.strictEqual(value, 'up')
  }
}

// Waits for a condition that something else brings about.
async function until (isTrue, what, limit = 100000) {
  const deadline = Date.now() + limit
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not after ${limit} ms: ${JSON.stringify(what())}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

// What a call throws; nothing thrown is an error.
async function thrown (call) {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

async function main () {
  const [address, ...words] = process.argv.slice(2)
  const broker = new Broker(address)
  const chosen = cases.filter(({ name }) => !words.length || words.some((w) => name.includes(w)))
  process.stdout.write(`1..${chosen.length}\n`)
  let failed = 0
  for (const [at, { name, run }] of chosen.entries()) {
    try {
      await run(broker)
      process.stdout.write(`ok ${at + 1} - ${name}\n`)
    } catch (error) {
      failed++
      for (const line of String(error.stack || error).split('\n')) process.stdout.write(`# ${line}\n`)
      process.stdout.write(`not ok ${at + 1} - ${name}\n`)
    }
  }
  process.exit(failed > 0 ? 1 : 0)
}

module.exports = { test, until, thrown, main }
