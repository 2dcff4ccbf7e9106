/** Hostile requests to the endpoints of files; FUZZ_INPUTS and FUZZ_SEED say how many and which. */
import t from 'tap'
import { fuzzEndpoints } from './endpoints.ts'

await fuzzEndpoints(t, [41, 42, 5, 15, 27, 38, 39, 40])
