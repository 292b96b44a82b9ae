// A share button. The card goes to the visitor's own node behind the # of an address, which no server sees; there the visitor chooses chats
// and confirms. This page learns whether it was sent, and nothing of to whom.

const CARD = {
  version: 1,
  template: "commerce",
  fallback: { text: "Sourdough, baked this morning: ₩6,400 until noon", url: "https://bakery.example/sourdough" },
  content: {
    title: "Sourdough, baked this morning",
    description: "Rye and wheat, risen for twenty hours.",
    link: { url: "https://bakery.example/sourdough" },
  },
  price: { currency: "KRW", regular: 8000, discounted: 6400, rate_percent: 20 },
  buttons: [{ label: "Reserve one", action: "open", link: { url: "https://bakery.example/reserve" } }],
};

const state = document.getElementById("state");
const node = document.getElementById("node");

document.getElementById("share").addEventListener("click", () => {
  const picker = new URL("/share", node.value);
  picker.hash = link({ share: CARD });
  const opened = window.open(picker, "madang", "popup,width=460,height=760");
  // Where windows are blocked, the visitor goes there and comes back.
  if (opened === null) location.assign(picker);
});

addEventListener("message", ({ origin, data }) => {
  if (origin !== new URL(node.value).origin || data?.madang !== "share") return;
  state.textContent = data.state === "sent" ? `Shared with ${data.to.length}.` : "Not shared.";
});

/** `madang:share?d=` and the card's JSON in base64url. */
function link(shared) {
  const bytes = new TextEncoder().encode(JSON.stringify(shared));
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `madang:share?d=${base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}
