// What needs Node: finding a node of the same user by its data directory, and subscriptions.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { Client, MadangError } from "./client.js";
import type { ClientOptions, Place } from "./client.js";

export { subscribe } from "./subscribe.js";

/** The node whose data directory this is, with its cookie or else with an app's token. */
export function connect(data: string, options: ClientOptions & { token?: string } = {}): Client {
  const find = async (): Promise<Place> => {
    const [places, cookie] = await Promise.all([
      read(join(data, "rpc.json")),
      options.token ?? read(join(data, "cookie")),
    ]);
    return { url: (JSON.parse(places) as { http: string }).http, token: cookie.trim() };
  };
  return new Client(find, options);
}

/** Where the node listens whose data directory this is. */
export async function urlOf(data: string): Promise<string> {
  return (JSON.parse(await read(join(data, "rpc.json"))) as { http: string }).http;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new MadangError(`no node runs here: ${path} can't be read`, { code: "unreachable", retryable: true }, { cause: error });
  }
}
