// Tells of each message that arrives: prints a line, or runs a command. It may be stopped and killed at any moment: the node keeps how far
// it has come, and what it missed is told when it runs again. A message may be told twice, never not at all.

import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { requestToken } from "madang-client";
import type { Message } from "madang-client";
import { connect, urlOf } from "madang-client/node";

const NAME = "Notifier";
const USAGE = `notifier --data DIR [--token-file FILE] [--command PROGRAM]

  --data DIR         data directory of the node
  --token-file FILE  keeps the notifier's own token (notifier.token)
  --command PROGRAM  is run with a title and a text, as notify-send is; without it a line is printed`;

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    "token-file": { type: "string", default: "notifier.token" },
    command: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help || values.data === undefined) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
const { data, command } = values;

const client = connect(data, { token: await ownToken(values["token-file"]) });
console.log(`waiting for you: madang app approve "${NAME}"`);
await client.approved();
if ((await client.app.self()).acknowledged === "0") {
  // What came before it is no news.
  const now = await client.event.poll({});
  await client.event.ack({ cursor: now.next, epoch: now.epoch });
}
console.log("ready");
for await (const event of client.events({ acknowledge: true, filter: { kinds: ["message.received", "gap"] } })) {
  if (event.kind === "message.received") await tell(event.data);
  else if (event.kind === "gap") console.error("some events were gone before they could be read");
}

/** The token that it has, or one that it asks for. */
async function ownToken(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const { token } = await requestToken(await urlOf(data as string), { name: NAME, scopes: ["chat:read"] });
  // For this user alone, from the first byte on.
  await writeFile(file, `${token}\n`, { mode: 0o600, flag: "wx" });
  return token;
}

async function tell(message: Message): Promise<void> {
  const from = clean(message.name ?? "Somebody");
  const { body } = message;
  const text = clean(body.kind === "text" ? body.text : body.kind === "poll" ? body.question : body.kind === "unknown" ? body.fallback : "");
  if (command === undefined) {
    console.log(`${from}: ${text}`);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    // Never through a shell: what others write is no command.
    spawn(command, [from, text], { stdio: "inherit" }).on("error", reject).on("exit", () => resolve());
  });
}

/** One line without characters that steer a terminal or turn its writing direction. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
}
