/** Hostile requests to the endpoints of spaces, messages and notes; FUZZ_INPUTS and FUZZ_SEED say how many and which. */
import t from 'tap'
import { fuzzEndpoints } from './endpoints.ts'

await fuzzEndpoints(t, [28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 43, 44, 45, 46, 47])
