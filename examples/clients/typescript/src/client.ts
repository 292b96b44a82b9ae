// Sends the requests of `api.ts`; knows nothing of Node, so that pages can use it too.

import { Methods } from "./api.js";
import type { AppRequestParams, AppToken, ErrorCode, Event, EventCursor, EventEpoch, Filter } from "./api.js";

/** Where a node listens, and what lets this program in. */
export interface Place {
  /** As `http` in the node's `rpc.json`: `http://127.0.0.1:PORT`. */
  url: string;
  /** The cookie, or an app's token. */
  token: string;
}

/** Settings of a client. */
export interface ClientOptions {
  /** How long a call may take, in milliseconds. */
  timeoutMs?: number;
}

/** What the node answered instead of a result, or why it answered nothing. */
export class MadangError extends Error {
  override readonly name = "MadangError";
  /** What to act on: a code of the node, `unauthorized` for a token that doesn't work (yet), `refused` for another HTTP status, or `unreachable`. */
  readonly code: ErrorCode | "unauthorized" | "refused" | "unreachable" | (string & {});
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** The parameter at fault. */
  readonly field: string | undefined;
  /** The bound that was hit. */
  readonly limit: number | undefined;
  /** When to try again. */
  readonly retryAfterMs: number | undefined;
  /** The scope that the token lacks. */
  readonly scope: string | undefined;

  constructor(message: string, data: ErrorInit, options?: ErrorOptions) {
    super(message, options);
    this.code = data.code;
    this.retryable = data.retryable;
    this.field = data.field;
    this.limit = data.limit;
    this.retryAfterMs = data.retry_after_ms;
    this.scope = data.scope;
  }
}

/** What `error.data` says. */
export interface ErrorInit {
  code: string;
  retryable: boolean;
  field?: string;
  limit?: number;
  retry_after_ms?: number;
  scope?: string;
}

/** How events are read. */
export interface EventOptions {
  /** The cursor behind which to begin: `"0"` for the log's start, `"ack"` for what was acknowledged last. By default `"ack"` with `acknowledge`, else now. */
  after?: EventCursor | "ack";
  /** The epoch that came with that cursor. */
  epoch?: EventEpoch;
  /** Which events; all if absent. */
  filter?: Filter;
  /** Whether the node remembers what was dealt with: events count as dealt with once the next one is asked for. */
  acknowledge?: boolean;
  /** Events that are read at once. */
  limit?: number;
  /** Ends the reading. */
  signal?: AbortSignal;
}

const CALL_TIMEOUT_MS = 90_000;
const POLL_MS = 30_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** A node. */
export class Client extends Methods {
  readonly #find: () => Promise<Place>;
  readonly #timeoutMs: number;
  #place: Place | undefined;
  #lastId = 0;

  /** @param place where the node is, or how to find that out; it is asked again when the node can't be reached, as a new start may have another port. */
  constructor(place: Place | (() => Promise<Place>), options: ClientOptions = {}) {
    super();
    this.#find = typeof place === "function" ? place : async () => place;
    this.#timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS;
  }

  /** Where the node is, as far as is known. */
  async place(): Promise<Place> {
    return (this.#place ??= await this.#find());
  }

  override async call<R>(method: string, params: object, signal?: AbortSignal): Promise<R> {
    const { url, token } = await this.place();
    try {
      return await post<R>(url, token, ++this.#lastId, method, params, this.#timeoutMs, signal);
    } catch (error) {
      if (error instanceof MadangError && (error.code === "unreachable" || error.code === "unauthorized")) {
        this.#place = undefined;
      }
      throw error;
    }
  }

  /**
   * Reads events, and waits for more; ends only by its signal, a `break`, or an error that trying again doesn't help. While the node
   * can't be reached it tries again. Unknown kinds must be ignored.
   *
   * With `acknowledge` each event is given at least once: again, if the program ends before it asked for the next one.
   */
  async *events(options: EventOptions = {}): AsyncGenerator<Event, void, undefined> {
    const { filter, limit, acknowledge = false, signal } = options;
    let after = options.after ?? (acknowledge ? "ack" : undefined);
    let epoch = options.epoch;
    let handled: { cursor: EventCursor; epoch: EventEpoch } | undefined;
    try {
      for (;;) {
        const params = { ...given({ after, epoch, filter, limit }), timeout_ms: POLL_MS };
        const page = await this.persist(() => this.event.poll(params, signal), signal);
        for (const event of page.items) {
          yield event;
          handled = { cursor: event.cursor, epoch: event.epoch };
        }
        if (acknowledge && page.items.length > 0) {
          await this.persist(() => this.event.ack({ cursor: page.next, epoch: page.epoch }, signal), signal);
        }
        handled = undefined;
        after = page.next;
        epoch = page.epoch;
      }
    } catch (error) {
      if (!signal?.aborted) throw error;
    } finally {
      // After a `break`: what was handled before the event at which it came. If that can't be said now, it only comes again.
      if (acknowledge && handled && !signal?.aborted) await this.event.ack(handled, signal).catch(() => undefined);
    }
  }

  /** Repeats a call while that may help: for one that changes nothing when it is repeated, as `message.send` with an idempotency key. */
  async persist<R>(call: () => Promise<R>, signal?: AbortSignal): Promise<R> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof MadangError) || !error.retryable) throw error;
        await sleep(error.retryAfterMs ?? pause, signal);
      }
    }
  }

  /** Waits until the user has approved this client's token. */
  async approved(signal?: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.app.self(signal);
        return;
      } catch (error) {
        if (!(error instanceof MadangError) || !(error.code === "unauthorized" || error.retryable)) throw error;
        await sleep(1_000, signal);
      }
    }
  }
}

/** Asks a node for a token of one's own. It works once the user has approved: see `Client.approved`. */
export async function requestToken(url: string, params: AppRequestParams, signal?: AbortSignal): Promise<AppToken> {
  return post<AppToken>(`${url}/app`, undefined, 1, "app.request", params, CALL_TIMEOUT_MS, signal);
}

/** Gives all items of a list, page by page: `all((page) => client.chat.list(page))`. */
export async function* all<T>(
  list: (page: { after?: string }) => Promise<{ items: T[]; next?: string }>,
): AsyncGenerator<T, void, undefined> {
  let page = await list({});
  for (;;) {
    yield* page.items;
    if (page.next === undefined) return;
    page = await list({ after: page.next });
  }
}

async function post<R>(
  url: string,
  token: string | undefined,
  id: number,
  method: string,
  params: object,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<R> {
  const deadline = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new MadangError(`the node at ${url} doesn't answer`, { code: "unreachable", retryable: true }, { cause: error });
  }
  const answer = parsed(text);
  if (answer?.error) {
    const { code, message, data } = answer.error;
    throw new MadangError(message, data ?? { code: String(code), retryable: false });
  }
  if (!response.ok || answer === undefined) {
    const code = response.status === 401 ? "unauthorized" : "refused";
    throw new MadangError(`HTTP ${response.status}: ${text.trim()}`, { code, retryable: response.status === 408 });
  }
  return answer.result as R;
}

interface Answer {
  result?: unknown;
  error?: { code: number; message: string; data?: ErrorInit };
}

function parsed(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

/** The members that are there. */
function given<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const there = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}
