/** Hostile requests to the endpoints of accounts and friends; FUZZ_INPUTS and FUZZ_SEED say how many and which. */
import t from 'tap'
import { fuzzEndpoints } from './endpoints.ts'

await fuzzEndpoints(t, [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13])
