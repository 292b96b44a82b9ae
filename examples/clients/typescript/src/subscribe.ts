// Subscriptions over a WebSocket. Only for Node: a page's WebSocket can't send a token.

import { MadangError } from "./client.js";
import type { Client, ErrorInit, EventOptions } from "./client.js";
import type { Event, EventCursor, EventEpoch } from "./api.js";

const OPEN_TIMEOUT_MS = 90_000;
/** The node's pings aren't seen here: when a connection was silent for so long, a call tells whether the node is still there. */
const SILENCE_MS = 60_000;
/** Events that wait to be asked for, after which the node is told to stop: it goes on from there later. */
const MOST_WAITING = 1_000;
const ACKNOWLEDGED_AT_ONCE = 100;
const PAUSE_MS = 250;

/** A WebSocket as Node has it, which takes headers. */
type Opened = new (url: string, options: { headers: Record<string, string> }) => WebSocket;

/**
 * Gives the same as `client.events`, over a WebSocket on which the node sends events as they come: for many events, or soon. Needs
 * Node 22, or from 20.10 on `--experimental-websocket`.
 */
export async function* subscribe(
  client: Client,
  options: Omit<EventOptions, "limit"> = {},
): AsyncGenerator<Event, void, undefined> {
  const { filter, acknowledge = false, signal } = options;
  let { after, epoch } = options;
  if (after === undefined && acknowledge) after = "ack";
  let handled: { cursor: EventCursor; epoch: EventEpoch } | undefined;
  const acknowledgeHandled = async () => {
    const last = handled;
    handled = undefined;
    if (acknowledge && last) await client.persist(() => client.event.ack(last, signal), signal);
  };
  try {
    if (after === undefined) {
      const now = await client.persist(() => client.event.poll({ limit: 1, timeout_ms: 0 }, signal), signal);
      after = now.next;
      epoch = now.epoch;
    }
    for (;;) {
      const begin: object = { after, ...(epoch === undefined ? {} : { epoch }), ...(filter === undefined ? {} : { filter }) };
      const subscription: Subscription = await client.persist(() => Subscription.open(client, begin, signal), signal);
      try {
        for (let unacknowledged = 0; ; unacknowledged += 1) {
          if (unacknowledged >= ACKNOWLEDGED_AT_ONCE || subscription.mustWait()) {
            await acknowledgeHandled();
            unacknowledged = 0;
          }
          const event = await subscription.next();
          if (event === undefined) break;
          yield event;
          handled = { cursor: event.cursor, epoch: event.epoch };
          after = event.cursor;
          epoch = event.epoch;
        }
      } catch (error) {
        if (!(error instanceof MadangError) || !error.retryable) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      } finally {
        subscription.close();
      }
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    // After a `break`: what was handled before the event at which it came. If that can't be said now, it only comes again.
    if (acknowledge && handled && !signal?.aborted) await client.event.ack(handled, signal).catch(() => undefined);
  }
}

/** A WebSocket with one subscription. */
class Subscription {
  readonly #client: Client;
  readonly #socket: WebSocket;
  readonly #waiting: Event[] = [];
  /** Why nothing more comes; nothing but that it was closed here. */
  #ended: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #silence: NodeJS.Timeout | undefined;

  static async open(client: Client, begin: object, signal: AbortSignal | undefined): Promise<Subscription> {
    if (typeof WebSocket === "undefined") throw new Error("subscriptions need Node 22, or --experimental-websocket");
    const { url, token } = await client.place();
    // `http` becomes `ws`, and `https` `wss`.
    const headers = { authorization: `Bearer ${token}` };
    const socket = new (WebSocket as unknown as Opened)(url.replace(/^http/, "ws"), { headers });
    const subscription = new Subscription(client, socket, signal);
    await subscription.#begun(begin);
    return subscription;
  }

  private constructor(client: Client, socket: WebSocket, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#socket = socket;
    const aborted = () => this.#end(signal?.reason);
    if (signal?.aborted) aborted();
    signal?.addEventListener("abort", aborted, { once: true });
    socket.addEventListener("close", () => {
      signal?.removeEventListener("abort", aborted);
      this.#end(unreachable());
    });
    socket.addEventListener("error", () => this.#end(unreachable()));
  }

  /** Whether no event is there yet. */
  mustWait(): boolean {
    return this.#waiting.length === 0;
  }

  /** Waits for an event; none if the rest is to be subscribed to anew. */
  async next(): Promise<Event | undefined> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      if (this.#ended) {
        if (this.#ended.error !== undefined) throw this.#ended.error;
        return undefined;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#end(undefined);
  }

  async #begun(begin: object): Promise<void> {
    const deadline = setTimeout(() => this.#end(unreachable()), OPEN_TIMEOUT_MS);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wake = () => this.#ended && reject(this.#ended.error);
        if (this.#ended) reject(this.#ended.error);
        this.#socket.addEventListener("open", () => {
          this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "event.subscribe", params: begin }));
        });
        this.#socket.addEventListener("message", ({ data }) => {
          this.#heard();
          const said = JSON.parse(data as string) as Said;
          const error = said.error ?? said.params?.error;
          if (error) this.#end(new MadangError(error.message, error.data ?? { code: String(error.code), retryable: false }));
          else if (said.params?.result) this.#take(said.params.result);
          else resolve();
        });
      });
    } catch (error) {
      // The status of a refused handshake isn't shown: a call tells whether it is the token.
      if (error instanceof MadangError && error.code === "unreachable") await this.#client.app.self().catch(notOwner);
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  #take(event: Event): void {
    if (this.#ended) return;
    this.#waiting.push(event);
    if (this.#waiting.length >= MOST_WAITING) this.#end(undefined);
    this.#wake?.();
  }

  /** A connection that has broken off without a word isn't noticed by itself. */
  #heard(): void {
    clearTimeout(this.#silence);
    if (this.#ended) return;
    this.#silence = setTimeout(() => {
      this.#client.event.poll({ limit: 1, timeout_ms: 0 }).then(
        () => this.#heard(),
        (error: unknown) => this.#end(error),
      );
    }, SILENCE_MS);
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = { error };
    clearTimeout(this.#silence);
    this.#socket.close();
    this.#wake?.();
  }
}

interface Said {
  error?: Refusal;
  params?: { result?: Event; error?: Refusal };
}

interface Refusal {
  code: number;
  message: string;
  data?: ErrorInit;
}

function unreachable(): MadangError {
  return new MadangError("the connection to the node has ended", { code: "unreachable", retryable: true });
}

/** Passes on what stands in a call's way, but that the token is the owner's, who is no app. */
function notOwner(error: unknown): void {
  if (!(error instanceof MadangError) || error.code !== "not_found") throw error;
}
