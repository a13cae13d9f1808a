/** Which requests a fault or a count is about; what is left out matches all. */
export interface RequestMatch {
  method?: string
  /** Tested against path and query, as sent. */
  path?: RegExp
}

export interface SeenRequest {
  method: string
  path: string
  at: Date
  userAgent: string
  /** What was answered; absent while it is under way or where the connection was dropped. */
  status?: number
}

/** What goes wrong with a request, in the order the server tries it. */
export type Fault = RequestMatch & {
  /** After so many requests the fault is over; without it, it lasts until removed. */
  times?: number
  /** Milliseconds before anything else. */
  delay?: number
  /** The connection is closed: before the request is carried out, or after it and before the answer. */
  drop?: 'before' | 'after'
  /** Answered in place of the server's own. `retryAfter` in seconds. */
  answer?: { status: number; body?: unknown; contentType?: string; retryAfter?: number }
  /** The answer comes in pieces of so many bytes, `every` milliseconds apart. */
  drip?: { bytes: number; every: number }
  /** Another request in place of the one that came. */
  rewriteRequest?: (request: PlainRequest) => PlainRequest
  /** Another answer in place of the one the server gives. */
  rewriteAnswer?: (answer: PlainAnswer) => PlainAnswer
}

export interface PlainRequest {
  method: string
  /** Path and query. */
  url: string
  body: string
}

export interface PlainAnswer {
  status: number
  body: string
  /** `application/json` where absent. */
  contentType?: string
  headers?: Record<string, string>
}

/** Makes an embedded server misbehave on purpose, and tells what it was asked. */
export interface Faults {
  /** Answers the way to take the fault back. */
  inject(fault: Fault): () => void
  /** Takes all faults back. */
  clear(): void
  requests(match?: RequestMatch): SeenRequest[]
  count(match?: RequestMatch): number
  /** Forgets the requests seen so far. */
  forget(): void
  /** Compacts the store's history: continue tokens and old resource versions answer 410 from now on. */
  expireHistory(): void
}

export interface FaultControl extends Faults {
  see(request: SeenRequest): void
  /** The faults that hold for this request, each counted as used. */
  take(method: string, path: string): Fault[]
}

export function createFaults(expireHistory: () => void): FaultControl {
  let faults: { fault: Fault; left: number }[] = []
  let seen: SeenRequest[] = []
  return {
    expireHistory,
    inject(fault) {
      const entry = { fault, left: fault.times ?? Infinity }
      faults.push(entry)
      return () => {
        faults = faults.filter((other) => other !== entry)
      }
    },
    clear() {
      faults = []
    },
    requests: (match = {}) => seen.filter(({ method, path }) => matches(match, method, path)),
    count: (match = {}) => seen.filter(({ method, path }) => matches(match, method, path)).length,
    forget() {
      seen = []
    },
    see: (request) => seen.push(request),
    take(method, path) {
      const holding = faults.filter(({ fault, left }) => left > 0 && matches(fault, method, path))
      for (const entry of holding) entry.left -= 1
      return holding.map(({ fault }) => fault)
    },
  }
}

const matches = (match: RequestMatch, method: string, path: string): boolean =>
  (match.method === undefined || match.method === method) && (match.path === undefined || match.path.test(path))
