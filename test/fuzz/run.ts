/** The fuzzer alone, with ten times as many inputs as in `npm test`. */
process.env.FUZZ_INPUTS ??= '20000'
const files = ['accounts', 'groups', 'writings', 'files', 'events', 'token']
process.argv.push('--timeout=7200', ...files.map((name) => `test/fuzz/${name}.test.ts`))
await import('../run.ts')
