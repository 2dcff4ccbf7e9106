import t from 'tap'
import { testCases } from './short.ts'

await testCases(t, [
  'database killed',
  'connections cut',
  'rights lost while away',
  'backends terminated',
])
