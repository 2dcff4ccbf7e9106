/** Hostile requests to the endpoints of groups; FUZZ_INPUTS and FUZZ_SEED say how many and which. */
import t from 'tap'
import { fuzzEndpoints } from './endpoints.ts'

await fuzzEndpoints(t, [14, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26])
