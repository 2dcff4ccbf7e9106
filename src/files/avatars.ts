import { isStoredUrl } from '../messages/gate/html.ts'

/**
 * Whether a person or group may show a picture: one that this server stores, because the client
 * appends the address to the server's and `@evil.example/a.png` would lead elsewhere.
 *
 * @param shown what is shown now; it may stay, wherever it was imported from
 */
export function mayShow(url: string, shown?: string): boolean {
  return url === shown || isStoredUrl(url)
}
