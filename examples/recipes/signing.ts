// Signs shares as an app: Ed25519 over texts of sorted JSON, with nothing but Node's own crypto (protocol/spec/share.md, sections 2 and 5).

import { createPrivateKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** What JSON can say, as shares use it: numbers are integers. */
export type Json = string | number | boolean | Json[] | { [member: string]: Json };
/** A JSON object. */
export type Members = { [member: string]: Json };
/** A share with the app that signed it, as the methods take it. */
export type Signed = { share: Members; app: Members; signature: string };

/** What stands before the 32 bytes of an Ed25519 secret in PKCS #8 (RFC 8410). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Signs a share, and the manifest that goes with it, by the key that `madang app new` has made. */
export function signShare(secretHex: string, manifest: Members, share: Members): Signed {
  const der = Buffer.concat([PKCS8, Buffer.from(secretHex, "hex")]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const [saysOfItself, says] = [Buffer.from(canonical(manifest)), Buffer.from(canonical(share))];
  return {
    share,
    app: { manifest, signature: signed(key, "madang/1/app-manifest", saysOfItself) },
    // Under the manifest too: a share can't be shown with another one.
    signature: signed(key, "madang/1/share", Buffer.concat([vector(saysOfItself), vector(says)])),
  };
}

function signed(key: KeyObject, label: string, content: Buffer): string {
  return sign(null, Buffer.concat([vector(Buffer.from(label)), vector(content)]), key).toString("base64url");
}

/** Bytes with their length before them, in one, two or four bytes (RFC 9420, section 2.1.2). */
function vector(bytes: Buffer): Buffer {
  const prefix = bytes.length < 1 << 6 ? Buffer.alloc(1) : bytes.length < 1 << 14 ? Buffer.alloc(2) : Buffer.alloc(4);
  prefix.writeUIntBE(bytes.length, 0, prefix.length);
  prefix[0]! |= prefix.length === 1 ? 0 : prefix.length === 2 ? 0x40 : 0x80;
  return Buffer.concat([prefix, bytes]);
}

/** The one way of writing it (RFC 8785): sorted members, no spaces. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name] as Json)}`).join(",")}}`;
}
