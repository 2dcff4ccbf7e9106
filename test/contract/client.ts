import type { Json } from './json.ts'
import { Connection } from './socket.ts'

export type Scalar = string | number | boolean | null | undefined
export type Fields = Record<string, Scalar | readonly Scalar[]>

export interface UploadFile {
  name: string
  data: string | Uint8Array
  type?: string
}

export interface Answer {
  httpStatus: number
  text: string
  /** The parsed body; undefined where it is not JSON. */
  body: Json | undefined
  headers: Headers
}

export interface ClientOptions {
  http: string
  socket: string
  /** Sent as a Bearer token, and in the handshake of sockets; the existing client sends none. */
  token?: string
  headers?: Record<string, string>
  timeout?: number
}

/** What marks a packaged Electron page, and so every request of the existing client. */
export const electron = {
  origin: 'file://',
  'user-agent':
    'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) WaiFChat/1.0.0 ' +
    'Chrome/114.0.5735.289 Electron/25.9.8 Safari/537.36',
}

const accept = 'application/json, text/plain, */*'

const values = (value: Scalar | readonly Scalar[]): readonly Scalar[] =>
  typeof value === 'object' && value !== null ? value : [value]

/** A query string as axios writes it: null and undefined left out, arrays as `key[]`. */
export function encodeQuery(query: Fields): string {
  const encode = (value: Scalar): string =>
    encodeURIComponent(String(value))
      .replace(/%(3A|24|2C|5B|5D)/g, (code) => decodeURIComponent(code))
      .replaceAll('%20', '+')
  return Object.entries(query)
    .flatMap(([key, value]) =>
      values(value)
        .filter((one) => one !== null && one !== undefined)
        .map((one) => `${encode(typeof value === 'object' ? `${key}[]` : key)}=${encode(one)}`),
    )
    .join('&')
}

/** A form as query-string writes it: sorted, undefined left out, null as a bare key. */
export function encodeForm(form: Fields): string {
  const encode = (value: Scalar): string =>
    encodeURIComponent(String(value)).replace(
      /[!'()*]/g,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  return Object.keys(form)
    .sort()
    .flatMap((key) =>
      values(form[key])
        .filter((one) => one !== undefined)
        .map((one) => (one === null ? encode(key) : `${encode(key)}=${encode(one)}`)),
    )
    .join('&')
}

/** A player of the existing client, on the two addresses of a server. */
export class Client {
  readonly http: string
  readonly socketUrl: string
  token: string | undefined
  readonly #headers: Record<string, string>
  readonly #timeout: number

  constructor({ http, socket, token, headers = electron, timeout = 10_000 }: ClientOptions) {
    this.http = http.replace(/\/$/, '')
    this.socketUrl = socket
    this.token = token
    this.#headers = headers
    this.#timeout = timeout
  }

  get(path: string, query: Fields = {}): Promise<Answer> {
    const text = encodeQuery(query)
    return this.request(text === '' ? path : `${path}?${text}`)
  }

  /** Posts a form, urlencoded: what the existing client does nearly everywhere. */
  post(path: string, form: Fields = {}): Promise<Answer> {
    return this.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: encodeForm(form),
    })
  }

  postJson(path: string, body: unknown): Promise<Answer> {
    return this.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  /** Posts multipart form data, its parts in the order of the fields. */
  upload(
    path: string,
    fields: Record<string, string | UploadFile | readonly UploadFile[]>,
  ): Promise<Answer> {
    const body = new FormData()
    for (const [key, field] of Object.entries(fields)) {
      if (typeof field === 'string') {
        body.append(key, field)
        continue
      }
      for (const { name, data, type = '' } of 'name' in field ? [field] : field) {
        const bytes = typeof data === 'string' ? data : new Uint8Array(data)
        body.append(key, new Blob([bytes], { type }), name)
      }
    }
    return this.request(path, { method: 'POST', body })
  }

  /** Any request; headers given here replace the ones that the client would send. */
  async request(path: string, init: RequestInit = {}): Promise<Answer> {
    const bearer = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }
    const headers = new Headers({ accept, ...this.#headers, ...bearer })
    new Headers(init.headers).forEach((value, name) => headers.set(name, value))
    const response = await fetch(this.http + path, {
      redirect: 'manual',
      signal: AbortSignal.timeout(this.#timeout),
      ...init,
      headers,
    })
    const text = await response.text()
    let body: Json | undefined
    try {
      body = JSON.parse(text) as Json
    } catch {
      body = undefined
    }
    return { httpStatus: response.status, text, body, headers: response.headers }
  }

  /** Opens a socket as the client's page does: polling first, then a websocket, no login. */
  connect(): Promise<Connection> {
    const token = this.token === undefined ? {} : { token: this.token }
    return Connection.open(this.socketUrl, {
      ...token,
      headers: this.#headers,
      timeout: this.#timeout,
    })
  }
}
