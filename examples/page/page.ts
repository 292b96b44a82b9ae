// Asks the node for a token that may only read chats, and once the user has approved it shows them, up to date.

import { Client, MadangError, all, requestToken } from "madang-client";
import type { Chat } from "madang-client";

const SCOPES = ["chat:read"];
/** Where this page keeps the node's address and its own token. */
const KEPT = "madang";

const ask = element("ask", HTMLFormElement);
const node = element("node", HTMLInputElement);
const forget = element("forget", HTMLButtonElement);
const state = element("state", HTMLElement);
const list = element("chats", HTMLElement);

interface Kept {
  url: string;
  app: string;
  token: string;
}

let reading = new AbortController();

ask.addEventListener("submit", (event) => {
  event.preventDefault();
  const url = node.value.replace(/\/+$/, "");
  requestToken(url, { name: document.title, scopes: SCOPES })
    .then((given) => {
      const kept = { url, ...given };
      localStorage.setItem(KEPT, JSON.stringify(kept));
      return show(kept);
    })
    .catch(say);
});

forget.addEventListener("click", () => {
  const kept = remembered();
  reading.abort();
  localStorage.removeItem(KEPT);
  clear("Disconnected.");
  // The token ends at the node too. If the node doesn't run the user ends it later: madang app revoke.
  if (kept) new Client(kept).app.revoke({ app: kept.app }).catch(() => undefined);
});

const kept = remembered();
if (kept) {
  node.value = kept.url;
  show(kept).catch(say);
}

/** Shows the chats, and reads what happens in them until the page is told to stop. */
async function show(kept: Kept): Promise<void> {
  reading.abort();
  reading = new AbortController();
  const { signal } = reading;
  const client = new Client(kept);
  clear(`Waiting for you. At your node: madang app approve "${document.title}"`);
  forget.hidden = false;
  await client.approved(signal);
  const since = await client.event.poll({}, signal);
  await refresh(client);
  for await (const event of client.events({ after: since.next, epoch: since.epoch, signal })) {
    if (event.kind !== "chat.typing") await refresh(client);
  }
}

async function refresh(client: Client): Promise<void> {
  const rows: HTMLElement[] = [];
  for await (const chat of all((page) => client.chat.list(page))) rows.push(row(chat));
  list.replaceChildren(...rows);
  state.textContent = rows.length === 0 ? "Connected. No chats yet." : "Connected.";
}

function row(chat: Chat): HTMLElement {
  const item = document.createElement("li");
  // Names come from others: never as markup, and isolated, so that their writing direction ends with them.
  const name = document.createElement("bdi");
  name.textContent = chat.name ?? chat.members.map((member) => member.name ?? "?").join(", ");
  item.append(name);
  if (chat.unread > 0) {
    const unread = document.createElement("span");
    unread.className = "unread";
    unread.textContent = String(chat.unread);
    item.append(unread);
  }
  return item;
}

function clear(text: string): void {
  list.replaceChildren();
  forget.hidden = true;
  state.textContent = text;
}

function say(error: unknown): void {
  if (reading.signal.aborted) return;
  state.textContent = error instanceof MadangError ? error.message : String(error);
}

function remembered(): Kept | undefined {
  const text = localStorage.getItem(KEPT);
  return text === null ? undefined : (JSON.parse(text) as Kept);
}

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}
