/** Hostile requests to every endpoint in token mode, fewer than in open mode. */
import t from 'tap'
import { endpoints } from '../contract/contract.ts'
import { fuzzEndpoints } from './endpoints.ts'
import { INPUTS } from './target.ts'

const numbers = endpoints.map(({ number }) => number)
await fuzzEndpoints(t, numbers, 'token', Math.ceil(INPUTS / 20))
