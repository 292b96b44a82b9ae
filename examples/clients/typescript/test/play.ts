// Plays with two nodes that share a chat: `node play.js ALICE_DATA BOB_DATA CHAT ALICE_URL`. `cargo test --test contract` starts it.

import assert from "node:assert/strict";

import { MadangError, all, requestToken, Client } from "madang-client";
import type { Event, Sent } from "madang-client";
import { connect, subscribe } from "madang-client/node";

const [aliceData, bobData, chat, url] = process.argv.slice(2) as [string, string, string, string];
const alice = connect(aliceData);
const bob = connect(bobData);

/** Awaits a refusal. */
async function refusal(call: Promise<unknown>): Promise<MadangError> {
  const error: unknown = await call.then(() => assert.fail("it isn't refused"), (error: unknown) => error);
  assert(error instanceof MadangError, String(error));
  return error;
}

/** Reads until an event is there; gives all that were read. */
async function until(events: AsyncIterable<Event>, found: (event: Event) => boolean): Promise<Event[]> {
  const read: Event[] = [];
  for await (const event of events) {
    read.push(event);
    if (found(event)) break;
  }
  return read;
}

const says = (text: string) => (event: Event) =>
  event.kind === "message.received" && event.data.body.kind === "text" && event.data.body.text === text;

// Results are typed, and a send can be repeated.
assert.equal((await alice.node.info()).account, (await alice.account.get()).account);
const send = (text: string): Promise<Sent> =>
  alice.message.send({ chat, body: { kind: "text", text }, idempotency_key: `typescript ${text}` });
assert.equal((await send("one")).message, (await send("one")).message);
await send("two");

// The event at which a reader left comes again, and none before it.
const first = await until(bob.events({ acknowledge: true }), says("two"));
assert(first.some(says("one")));
const second = await until(bob.events({ acknowledge: true }), says("two"));
assert(!second.some(says("one")));
const kinds = await until(bob.events({ after: "0", filter: { kinds: ["message.received"] }, limit: 1 }), says("two"));
assert(kinds.every((event) => event.kind === "message.received"));
const none = await until(bob.events({ signal: AbortSignal.timeout(50) }), () => false);
assert.deepEqual(none, []);

// The same by a subscription.
const again = await until(subscribe(bob, { after: "0", filter: { kinds: ["message.received"] } }), says("two"));
assert.deepEqual(again.map((event) => event.cursor), kinds.map((event) => event.cursor));
const third = await until(subscribe(bob, { acknowledge: true }), says("two"));
assert(!third.some(says("one")));
assert.deepEqual(await until(subscribe(bob, { signal: AbortSignal.timeout(50) }), () => false), []);
const wrong = await refusal(subscribe(bob, { after: "no cursor" }).next());
assert.deepEqual([wrong.code, wrong.field], ["invalid_params", "after"]);
const strange = new Client({ url, token: "strange" });
assert.equal((await refusal(subscribe(strange, { after: "0" }).next())).code, "unauthorized");

// Lists, page by page.
const group = await alice.chat.create({ name: "Two", members: [(await bob.account.get()).account] });
const chats: string[] = [];
for await (const { chat } of all((page) => alice.chat.list({ ...page, limit: 1 }))) chats.push(chat);
assert.deepEqual(chats.sort(), [chat, group.chat].sort());

// Errors.
const unknown = await refusal(alice.message.get({ message: "00".repeat(32) }));
assert.deepEqual([unknown.code, unknown.field, unknown.retryable], ["not_found", "message", false]);
const large = await refusal(alice.message.send({ chat, body: { kind: "text", text: "x".repeat(32_769) } }));
assert.deepEqual([large.code, large.field, large.limit], ["too_large", "body.text", 32_768]);
const nobody = await refusal(new Client({ url: "http://127.0.0.1:1", token: "" }).node.info());
assert.deepEqual([nobody.code, nobody.retryable], ["unreachable", true]);

// A token of one's own.
const asked = await requestToken(url, { name: "TypeScript", scopes: ["chat:read"] });
const app = new Client({ url, token: asked.token });
assert.equal((await refusal(app.app.self())).code, "unauthorized");
const approved = app.approved();
await alice.app.approve({ app: asked.app });
await approved;
assert.equal((await app.chat.list()).items.length, 2);
assert.equal((await refusal(app.node.info())).scope, "node:read");
// Here both share connections of `fetch`, which are cut with the token: an answer may be lost.
await alice.app.revoke({ app: asked.app }).catch((error: MadangError) => assert.equal(error.code, "unreachable"));
let ended: MadangError;
do ended = await refusal(app.app.self());
while (ended.code === "unreachable");
assert.equal(ended.code, "unauthorized");

// A node that starts again, at another port, is found again.
const { next, epoch } = await bob.event.poll();
const later = [bob.events({ after: next, epoch }), subscribe(bob, { after: next, epoch })];
const found = later.map((events) => until(events, says("after the restart")));
console.log("restart");
await Promise.all(found);
console.log("done");
