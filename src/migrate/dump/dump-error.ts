import { StartupError } from '../../startup-error.ts'

/** A dump that cannot be read; the message is one sentence for the operator. */
export class DumpError extends StartupError {}
