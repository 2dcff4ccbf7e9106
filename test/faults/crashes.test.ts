import t from 'tap'
import { testCases } from './short.ts'

await testCases(t, ['server killed', 'typed while the server was down', 'server stopped'])
