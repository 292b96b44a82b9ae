// A share button. The card goes to the visitor's own node behind the # of an address, which no server sees; there the visitor chooses chats
// and confirms. This page learns whether it was sent, and nothing of to whom.

const state = document.getElementById("state");
const node = document.getElementById("node");
const button = document.getElementById("share");
const shared = await card();

button.disabled = false;
button.addEventListener("click", () => {
  const picker = new URL("/share", node.value);
  picker.hash = link(shared);
  const opened = window.open(picker, "madang", "popup,width=460,height=760");
  // Where windows are blocked, the visitor goes there and comes back.
  if (opened === null) location.assign(picker);
});

addEventListener("message", ({ origin, data }) => {
  if (origin !== new URL(node.value).origin || data?.madang !== "share") return;
  state.textContent = data.state === "sent" ? `Shared with ${data.to.length}.` : "Not shared.";
});

/** The card as the shop signed it where it keeps its key; a page keeps none, and without that offers it unsigned. */
async function card() {
  const signed = await fetch("signed.json");
  if (signed.ok) return signed.json();
  const plain = await fetch("card.json");
  return { share: await plain.json() };
}

/** `madang:share?d=` and the card's JSON in base64url. */
function link(shared) {
  const bytes = new TextEncoder().encode(JSON.stringify(shared));
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `madang:share?d=${base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}
