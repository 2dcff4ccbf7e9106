import type { IncomingMessage } from 'node:http'
import proxyAddr from '@fastify/proxy-addr'

/** Whether a proxy can be trusted by this name: an address, a network such as 10.0.0.0/8, `loopback`. */
export function isProxy(name: string): boolean {
  try {
    return typeof proxyAddr.compile(name) === 'function'
  } catch {
    return false
  }
}

/**
 * Makes what tells who sent a request, as Fastify's `trustProxy` does for its own: the last address
 * of `X-Forwarded-For` that is no trusted proxy. Undefined for a connection that was broken off.
 *
 * @param trusted names of proxies; without any the header is not looked at
 */
export function senderBehind(
  trusted: readonly string[],
): (request: IncomingMessage) => string | undefined {
  const isTrusted = proxyAddr.compile([...trusted])
  return (request) => proxyAddr(request, isTrusted)
}
