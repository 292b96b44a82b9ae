// A recipe app: offers a signed card, which the user sends where the user wants, and prints what the app of whoever got it answers.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { requestToken } from "madang-client";
import { connect, urlOf } from "madang-client/node";

import { signShare } from "./signing.js";
import type { Members } from "./signing.js";

const NAME = "Recipes";
const USAGE = `recipes share --data DIR --app DIR [--token-file FILE]
recipes answers --data DIR [--token-file FILE]

  --data DIR         data directory of the node
  --app DIR          the app's key and manifest, as "madang app new" made them
  --token-file FILE  keeps the app's own token (recipes.token)`;

/** Seconds that a card can be opened. */
const LIFE_S = 7 * 24 * 3600;

const RECIPE = {
  id: "kimchi-stew",
  title: "Kimchi stew",
  servings: 2,
  ingredients: { kimchi: "300 g", tofu: "half a block", "spring onion": "1", broth: "500 ml" },
  steps: "Fry the kimchi until it smells sweet.\nAdd the broth and boil for 20 minutes.\nLay tofu and spring onion on top.",
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string" },
    app: { type: "string" },
    "token-file": { type: "string", default: "recipes.token" },
    help: { type: "boolean", default: false },
  },
});
const [command] = positionals;
const { data } = values;
if (values.help || data === undefined || (command === "share" ? values.app === undefined : command !== "answers")) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const client = connect(data, { token: await ownToken(values["token-file"]) });
console.log(`waiting for you: madang app approve "${NAME}"`);
await client.approved();
console.log("ready");
if (command === "share") await share(values.app as string);
else await answers();

/** Offers the recipe; which chats there are is the user's alone to know. */
async function share(app: string): Promise<void> {
  const secret = (await readFile(join(app, "app.key"), "utf8")).trim();
  const manifest = JSON.parse(await readFile(join(app, "manifest.json"), "utf8")) as Members;
  let picked = await client.share.pick({ ...signShare(secret, manifest, card()), timeout_ms: 0 });
  console.log(`choose where it goes: ${picked.url}`);
  while (picked.state === "waiting") {
    const { pick } = picked;
    picked = await client.persist(() => client.share.picked({ pick }));
  }
  console.log(picked.state === "sent" ? `shared with ${picked.to?.length ?? 0}` : "not shared");
}

/** Prints what comes back, over kills: the node keeps how far it has come. */
async function answers(): Promise<void> {
  for await (const event of client.events({ acknowledge: true, filter: { kinds: ["share.postback"] } })) {
    if (event.kind !== "share.postback") continue;
    const { key, data: answer, to } = event.data;
    console.log(`${key ?? "a card"}, ${to.kind} chat ${to.pseudonym.slice(0, 8)}: ${clean(answer)}`);
  }
}

function card(): Members {
  const items = Object.entries(RECIPE.ingredients).map(([name, value]) => ({ name, value }));
  const execute = { recipe: RECIPE.id, servings: String(RECIPE.servings) };
  const url = `https://recipes.example/${RECIPE.id}`;
  return {
    version: 1,
    template: "feed",
    // Sent to a chat again it is the same card.
    key: RECIPE.id,
    expires_s: Math.floor(Date.now() / 1000) + LIFE_S,
    fallback: { text: RECIPE.title, url },
    content: {
      title: RECIPE.title,
      description: RECIPE.steps,
      link: { url, platforms: ["linux", "macos", "windows"].map((os) => ({ os, execute })) },
    },
    details: { items },
    buttons: [
      { label: "Cook it", action: "open" },
      { label: "It was good", action: "postback", data: "it was good" },
    ],
  };
}

/** The token that it has, or one that it asks for. */
async function ownToken(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const { token } = await requestToken(await urlOf(data as string), { name: NAME, scopes: ["share:pick"] });
  // For this user alone, from the first byte on.
  await writeFile(file, `${token}\n`, { mode: 0o600, flag: "wx" });
  return token;
}

/** One line without characters that steer a terminal or turn its writing direction. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
}
