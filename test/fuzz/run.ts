/** The fuzzer alone, with ten times as many inputs as in `npm test`, and others each time. */
process.env.FUZZ_INPUTS ??= '20000'
process.env.TEST_SEED ??= 'random'
const files = ['accounts', 'groups', 'writings', 'files', 'events', 'token']
process.argv.push('--timeout=7200', ...files.map((name) => `test/fuzz/${name}.test.ts`))
await import('../run.ts')
