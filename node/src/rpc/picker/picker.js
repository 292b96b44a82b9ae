// The share picker: shows a card and who stands for it, lets the user choose chats, and sends nothing before the user says so.
//
// Other pages may open this one or send the user here, and say nothing to it but what stands behind the # of its address. It listens to no
// messages. The card is HTML that the node has made, in a frame in which no script runs; all else is text. What is sent is the card that the
// node showed, by its number.

"use strict";

const ENGLISH = {
  title: "Share with Madang",
  connect: "This browser isn't connected to your node yet. In a terminal, run\n\nmadang share browser\n\nand open the address that it prints here.",
  entered: "This browser is connected. Pages and apps can now offer you cards here; nothing is sent until you confirm it.",
  badCode: "This address has been used, or its time is over. Run madang share browser again.",
  nothing: "Nothing waits for you here.",
  choose: "Choose where it goes. Nothing has been sent yet.",
  replyAsks: "An app wants to answer this card. Nothing has been sent yet.",
  card: "What is sent",
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
  group: "group",
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
  card: "보낼 카드",
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
  group: "그룹",
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
const [title, state, offer, card, answer, choice, find, list, send, cancel] = [
  "title", "state", "offer", "card", "answer", "choice", "find", "chats", "send", "cancel",
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
card.title = t.card;
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
addEventListener("resize", fit);
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
  if (waiting !== undefined) return show(waiting);
  if (!fragment.startsWith("madang:share?")) {
    const { items } = await call("share.picks", {});
    return items.length === 0 ? say(t.nothing) : show(items[0].pick);
  }
  const offered = await call("share.offer", { link: fragment, origin });
  return show(offered.pick);
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

async function show(waiting) {
  pick = await call("share.shown", { pick: waiting, lang: korean ? "ko" : "en" });
  await showCard(pick.html);
  if (pick.reply !== undefined) {
    answer.textContent = pick.reply;
    answer.hidden = false;
    find.hidden = at("find-label").hidden = list.hidden = true;
    say(t.replyAsks);
  } else {
    say(t.choose);
    await showChats();
  }
  choice.hidden = false;
  disarm();
}

/** Shows HTML in the frame, which has the looks of this page and none of its rights. */
async function showCard(html) {
  const look = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="${location.origin}/share/card.css">`;
  const page = URL.createObjectURL(new Blob([look, html], { type: "text/html" }));
  offer.hidden = false;
  await new Promise((loaded) => {
    card.addEventListener("load", loaded, { once: true });
    card.src = page;
  });
  URL.revokeObjectURL(page);
  fit();
}

/** Makes the frame as high as what is in it; where there is less room, it scrolls. */
function fit() {
  const drawn = card.contentDocument?.body;
  if (drawn) card.style.height = `${Math.ceil(drawn.getBoundingClientRect().height)}px`;
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
