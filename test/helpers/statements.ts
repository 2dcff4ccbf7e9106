import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import pg from 'pg'

/** Counts the SQL statements that a server of this process sends for each HTTP request. */
export interface StatementCounter {
  /** The statements of the one request that `work` makes, in order. */
  statementsOf(work: () => Promise<unknown>): Promise<readonly string[]>
  /** The named statements that are sent while `work` runs, whatever for. */
  namesDuring(work: () => Promise<unknown>): Promise<readonly string[]>
  stop(): void
}

const REQUEST_STARTS = 'http.server.request.start'

/**
 * Follows each request through the server by its asynchronous context, so that what the server
 * does for itself, or for an earlier request, is not counted.
 */
export function countStatements(): StatementCounter {
  const current = new AsyncLocalStorage<string[]>()
  let requests: string[][] = []
  let names: string[] = []
  const begin = () => {
    const texts: string[] = []
    requests.push(texts)
    current.enterWith(texts)
  }
  subscribe(REQUEST_STARTS, begin)

  // Every statement passes here, whether from the pool or inside a transaction.
  const prototype = pg.Client.prototype as { query: (...args: unknown[]) => unknown }
  const { query } = prototype
  prototype.query = function (...args) {
    const [first] = args
    const name = (first as { name?: string }).name
    if (name !== undefined) names.push(name)
    current.getStore()?.push(typeof first === 'string' ? first : (first as { text: string }).text)
    return query.apply(this, args)
  }

  return {
    async statementsOf(work) {
      requests = []
      await work()
      const [only, ...others] = requests
      if (only === undefined || others.length > 0) {
        throw new Error(`${requests.length} requests came where one was expected`)
      }
      return only
    },
    async namesDuring(work) {
      names = []
      await work()
      return names
    },
    stop() {
      unsubscribe(REQUEST_STARTS, begin)
      prototype.query = query
    },
  }
}
