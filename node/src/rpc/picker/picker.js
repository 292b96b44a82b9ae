// The share picker: shows a card and who stands for it, lets the user choose chats, and sends nothing before the user says so.
//
// Other pages may open this one or send the user here, and say nothing to it but what stands behind the # of its address. It listens to no
// messages. What it shows is text, never markup; what is sent is the card that the node showed, by its number.

"use strict";

const ENGLISH = {
  title: "Share with Madang",
  connect: "This browser isn't connected to your node yet. In a terminal, run\n\nmadang share browser\n\nand open the address that it prints here.",
  entered: "This browser is connected. Pages and apps can now offer you cards here; nothing is sent until you confirm it.",
  badCode: "This address has been used, or its time is over. Run madang share browser again.",
  nothing: "Nothing waits for you here.",
  choose: "Choose where it goes. Nothing has been sent yet.",
  replyAsks: "An app wants to answer this card. Nothing has been sent yet.",
  find: "Send to",
  findHint: "Find a chat",
  noChats: "No chat is called that.",
  send: (count) => (count === 0 ? "Choose a chat" : count === 1 ? "Send to 1 chat" : `Send to ${count} chats`),
  sendReply: "Send the answer",
  cancel: "Don't send",
  sending: "Sending…",
  sent: (count) => (count === 0 ? "Sent." : count === 1 ? "Sent to 1 chat." : `Sent to ${count} chats.`),
  cancelled: "Nothing was sent.",
  gone: "This card doesn't wait any more.",
  close: "You can close this window.",
  by: (name) => `From the app “${name}”`,
  signed: (key) => `Signed by its key ${key}`,
  page: (origin) => `From the page ${origin}`,
  claim: "Not signed: whoever gets it sees this page only as your word.",
  nobody: "From a page that doesn't say which it is",
  group: "group",
  picture: "with a picture",
  unreachable: "Your node can't be reached.",
  most: "Ten chats at most.",
};
const KOREAN = {
  title: "마당으로 공유",
  connect: "이 브라우저는 아직 내 노드와 연결되지 않았습니다. 터미널에서\n\nmadang share browser\n\n를 실행하고 나오는 주소를 여기서 여세요.",
  entered: "이 브라우저가 연결되었습니다. 이제 페이지와 앱이 여기로 카드를 내밀 수 있습니다. 확인하기 전에는 아무것도 보내지 않습니다.",
  badCode: "이미 쓰였거나 시간이 지난 주소입니다. madang share browser를 다시 실행하세요.",
  nothing: "기다리는 것이 없습니다.",
  choose: "보낼 곳을 고르세요. 아직 아무것도 보내지 않았습니다.",
  replyAsks: "앱이 이 카드에 답하려고 합니다. 아직 아무것도 보내지 않았습니다.",
  find: "보낼 곳",
  findHint: "대화 찾기",
  noChats: "그런 이름의 대화가 없습니다.",
  send: (count) => (count === 0 ? "대화를 고르세요" : `대화 ${count}개에 보내기`),
  sendReply: "답 보내기",
  cancel: "보내지 않기",
  sending: "보내는 중…",
  sent: (count) => (count === 0 ? "보냈습니다." : `대화 ${count}개에 보냈습니다.`),
  cancelled: "아무것도 보내지 않았습니다.",
  gone: "이 카드는 더 기다리지 않습니다.",
  close: "이 창을 닫아도 됩니다.",
  by: (name) => `앱 “${name}”`,
  signed: (key) => `키 ${key}로 서명됨`,
  page: (origin) => `페이지 ${origin}`,
  claim: "서명 없음: 받는 사람에게는 보내는 사람의 말로만 보입니다.",
  nobody: "어디인지 밝히지 않은 페이지",
  group: "그룹",
  picture: "사진 있음",
  unreachable: "노드에 연결할 수 없습니다.",
  most: "대화는 열 개까지입니다.",
};
const korean = navigator.language.startsWith("ko");
const t = korean ? KOREAN : ENGLISH;

/** Where this browser keeps its token; no other origin, nor another port, can read it. */
const KEPT = "madang-picker";
/** How many chats a card may go to at once. */
const MOST = 10;
/** How long the page must have been in front before it takes a decision: a click that was meant for another page is none. */
const ARMED_MS = 800;

const at = (id) => document.getElementById(id);
const [title, state, offer, by, card, choice, find, list, send, cancel] = [
  "title", "state", "offer", "by", "card", "choice", "find", "chats", "send", "cancel",
].map(at);

/** The page that sent the user here, as the browser says: never as the page does. */
const origin = (() => {
  try {
    const from = new URL(document.referrer).origin;
    return from === location.origin || from === "null" ? undefined : from;
  } catch {
    return undefined;
  }
})();

let pick;
let chosen = new Set();
let inFrontSince = performance.now();

document.documentElement.lang = korean ? "ko" : "en";
document.title = t.title;
title.textContent = t.title;
at("find-label").textContent = t.find;
find.placeholder = t.findHint;
cancel.textContent = t.cancel;

// A page that opened this window can change what stands behind the #: then all begins anew, and nothing that was chosen stays.
addEventListener("hashchange", () => location.reload());
addEventListener("storage", (event) => {
  if (event.key === KEPT && event.newValue !== null && pick === undefined) begin().catch(fail);
});
for (const name of ["focus", "resize", "pageshow"]) addEventListener(name, disarm);
document.addEventListener("visibilitychange", disarm);
find.addEventListener("input", filter);
choice.addEventListener("submit", (event) => {
  event.preventDefault();
  if (isArmed()) decide().catch(fail);
});
cancel.addEventListener("click", () => decline().catch(fail));

const fragment = location.hash.slice(1);
begin().catch(fail);

async function begin() {
  const code = /^code=([0-9a-f]{64})$/.exec(fragment)?.[1];
  if (code !== undefined) {
    // The code works once, and isn't to be seen any more.
    history.replaceState(null, "", location.pathname);
    return enter(code);
  }
  if (localStorage.getItem(KEPT) === null) return say(t.connect);
  const waiting = /^pick=([0-9a-f]{64})$/.exec(fragment)?.[1];
  if (waiting !== undefined) return show(await call("share.shown", { pick: waiting }));
  if (!fragment.startsWith("madang:share?")) {
    const { items } = await call("share.picks", {});
    return items.length === 0 ? say(t.nothing) : show(items[0]);
  }
  show(await call("share.offer", { link: fragment, origin }));
}

async function enter(code) {
  try {
    const { token } = await ask("/app", undefined, "share.enter", { code });
    localStorage.setItem(KEPT, token);
    say(t.entered);
  } catch (error) {
    if (error.code !== "not_found") throw error;
    say(t.badCode);
  }
}

async function show(shown) {
  pick = shown;
  showBy(shown.card.by);
  showCard(shown.card);
  offer.hidden = false;
  if (shown.reply !== undefined) {
    const answer = element("p", shown.reply);
    answer.className = "price";
    card.append(answer);
    find.hidden = at("find-label").hidden = list.hidden = true;
    say(t.replyAsks);
  } else {
    say(t.choose);
    await showChats();
  }
  choice.hidden = false;
  disarm();
}

function showBy(who) {
  const [name, more] =
    who.kind === "app" ? [t.by(who.name), t.signed(`${who.app.slice(0, 8)}…${who.app.slice(-8)}`)]
    : who.kind === "page" ? [t.page(who.origin), t.claim]
    : [t.nobody, t.claim];
  by.className = who.kind === "app" ? "" : "claim";
  const mark = element("span", who.kind === "app" ? [...who.name][0] ?? "?" : "?");
  mark.className = "mark";
  mark.setAttribute("aria-hidden", "true");
  const words = document.createElement("div");
  words.className = "who";
  words.append(isolated("strong", name), element("small", more));
  by.replaceChildren(mark, words);
}

function showCard(shown) {
  const share = shown.share;
  const content = share.content ?? share.slides?.[0]?.content ?? {};
  const parts = [];
  if (content.image !== undefined) {
    const picture = document.createElement("div");
    picture.className = "picture";
    picture.append(element("span", content.image.alt ?? t.picture));
    parts.push(picture);
  }
  const heading = content.title ?? share.header?.title;
  if (heading !== undefined) parts.push(isolated("h2", heading));
  for (const text of [content.description, share.text]) if (text !== undefined) parts.push(isolated("p", text));
  for (const row of share.contents ?? []) parts.push(isolated("p", `• ${row.title}`));
  for (const slide of (share.slides ?? []).slice(1)) parts.push(isolated("p", `• ${slide.content.title}`));
  if (share.location !== undefined) parts.push(isolated("p", `📍 ${share.location.title ?? share.location.address}`));
  if (share.calendar?.starts_s !== undefined) parts.push(element("p", `📅 ${when(share.calendar.starts_s)}`));
  if (share.price !== undefined) parts.push(price(share.price));
  if (share.details !== undefined) parts.push(details(share.details));
  if (parts.length === 0) parts.push(isolated("p", share.fallback.text));
  const buttons = document.createElement("div");
  buttons.className = "buttons";
  for (const button of share.buttons ?? []) buttons.append(isolated("span", button.label));
  if (buttons.childElementCount > 0) parts.push(buttons);
  const address = isolated("p", share.fallback.url);
  address.className = "address";
  parts.push(address);
  card.replaceChildren(...parts);
}

function price(given) {
  const shown = document.createElement("p");
  shown.className = "price";
  shown.append(money(given.discounted ?? given.regular, given.currency));
  if (given.discounted !== undefined) shown.append(element("s", money(given.regular, given.currency)));
  if (given.rate_percent !== undefined) shown.append(element("em", `−${given.rate_percent} %`));
  return shown;
}

function money(amount, currency) {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

function details(given) {
  const rows = document.createElement("dl");
  for (const item of given.items ?? []) rows.append(isolated("dt", item.name), isolated("dd", item.value));
  if (given.sum !== undefined) {
    const sum = [isolated("dt", given.sum.name), isolated("dd", given.sum.value)];
    for (const part of sum) part.className = "sum";
    rows.append(...sum);
  }
  return rows;
}

function when(seconds) {
  return new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

async function showChats() {
  const rows = [];
  let after;
  do {
    const page = await call("chat.list", { after });
    rows.push(...page.items.filter((chat) => chat.state === "active").map(row));
    after = page.next;
  } while (after !== undefined);
  const none = element("li", t.noChats);
  none.className = "none";
  list.replaceChildren(...rows, none);
  filter();
}

function row(chat) {
  const name = chat.name ?? chat.members.map((member) => member.name ?? member.account.slice(0, 16)).join(", ");
  const item = document.createElement("li");
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.value = chat.chat;
  box.addEventListener("change", () => choose(box));
  const face = element("span", [...name][0] ?? "?");
  face.className = "face";
  face.setAttribute("aria-hidden", "true");
  label.append(box, face, element("bdi", name));
  if (chat.kind === "group") label.append(element("small", t.group));
  item.append(label);
  item.dataset.name = name.toLocaleLowerCase();
  return item;
}

function filter() {
  const wanted = find.value.trim().toLocaleLowerCase();
  let found = 0;
  for (const item of list.children) {
    if (item.className === "none") continue;
    item.hidden = !item.dataset.name.includes(wanted);
    found += item.hidden ? 0 : 1;
  }
  list.lastElementChild.hidden = found > 0;
}

function choose(box) {
  if (box.checked && chosen.size >= MOST) {
    box.checked = false;
    return say(t.most);
  }
  if (box.checked) chosen.add(box.value);
  else chosen.delete(box.value);
  say(t.choose);
  arm();
}

function disarm() {
  inFrontSince = performance.now();
  send.disabled = true;
  setTimeout(arm, ARMED_MS);
}

function isArmed() {
  const long = performance.now() - inFrontSince >= ARMED_MS;
  return pick !== undefined && long && document.visibilityState === "visible" && (chosen.size > 0 || pick.reply !== undefined);
}

function arm() {
  send.textContent = pick?.reply === undefined ? t.send(chosen.size) : t.sendReply;
  send.disabled = !isArmed();
}

async function decide() {
  const chats = pick.reply === undefined ? [...chosen] : undefined;
  send.disabled = cancel.disabled = true;
  say(t.sending);
  try {
    const { to } = await call("share.confirm", { pick: pick.pick, chats });
    done(t.sent(to?.length ?? 0), "sent", to ?? []);
  } catch (error) {
    cancel.disabled = false;
    disarm();
    throw error;
  }
}

async function decline() {
  await call("share.decline", { pick: pick.pick });
  done(t.cancelled, "cancelled", []);
}

/** Says how it ended: to the user, and to the page that opened this window what it may know. */
function done(text, result, to) {
  choice.hidden = true;
  pick = undefined;
  chosen = new Set();
  say(`${text} ${t.close}`);
  if (window.opener !== null && origin !== undefined) window.opener.postMessage({ madang: "share", state: result, to }, origin);
}

function fail(error) {
  if (error.status === 401) {
    localStorage.removeItem(KEPT);
    return say(t.connect);
  }
  if (error.code === "not_found" && error.field === "pick") {
    choice.hidden = offer.hidden = true;
    return say(t.gone);
  }
  say(error instanceof TypeError ? t.unreachable : error.message);
}

function call(method, params) {
  return ask("/", localStorage.getItem(KEPT), method, params);
}

async function ask(path, token, method, params) {
  const headers = { "Content-Type": "application/json" };
  if (token !== undefined) headers.Authorization = `Bearer ${token}`;
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const answer = await fetch(path, { method: "POST", headers, body, credentials: "omit", cache: "no-store" });
  if (answer.status === 401) throw Object.assign(new Error(t.connect), { status: 401 });
  const { result, error } = await answer.json();
  if (error !== undefined) throw Object.assign(new Error(error.message), error.data);
  return result;
}

function say(text) {
  state.textContent = text;
}

function element(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

/** Text of others: its writing direction ends with it. */
function isolated(kind, text) {
  const made = document.createElement(kind);
  made.append(element("bdi", text));
  return made;
}
