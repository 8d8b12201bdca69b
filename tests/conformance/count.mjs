// Runs the suite through a proxy and counts by the suite's own rules: a test counts only where all
// that it depends on has passed.
//
//   node count.mjs SUITE BASE_URL REQUIRED OPTIMAL
import { pathToFileURL } from 'node:url'
import { createRequire } from 'node:module'
import path from 'node:path'

const [suite, base, required, optimal] = process.argv.slice(2)
const from = file => import(pathToFileURL(path.join(suite, file)).href)
const { runTests, getResults } = await from('client/runner.mjs')
const { determineTestResult } = await from('lib/display.mjs')
const tests = (await from('tests/index.mjs')).default
const fetch = createRequire(path.join(suite, 'package.json'))('node-fetch')

// The suite reports what it sees; only the counts are wanted here.
await runTests(tests, fetch, false, base)
const results = getResults()

const names = { '✅': 'passed', '⛔️': 'failed', '⚠️': 'not done', '⚪️': 'not tested', Y: 'yes', N: 'no' }
const counts = {}
for (const { tests: members } of tests) {
  for (const test of members) {
    if (test.browser_only) continue
    const kind = test.kind ?? 'required'
    const symbol = determineTestResult(tests, test.id, results)[2]
    const name = names[symbol] ?? 'not set up'
    counts[kind] ??= { all: 0 }
    counts[kind].all += 1
    counts[kind][name] = (counts[kind][name] ?? 0) + 1
    if (kind !== 'check' && name !== 'passed') {
      console.log(`${kind}: ${name}: ${test.id}: ${results[test.id]?.[1] ?? 'a test it depends on'}`)
    }
    if (process.env.CHECKS && kind === 'check') {
      console.log(`check: ${name}: ${test.id}: ${results[test.id]?.[1] ?? ''}`)
    }
  }
}

const passed = kind => counts[kind].passed ?? 0
for (const kind of ['required', 'optimal']) {
  console.log(`${kind}: ${passed(kind)} of ${counts[kind].all}`)
}
const failed = counts.required.failed ?? 0
if (failed > 0 || passed('required') < required || passed('optimal') < optimal) {
  console.error(`expected at least ${required} required and ${optimal} optimal, and no required test that fails`)
  process.exit(1)
}
