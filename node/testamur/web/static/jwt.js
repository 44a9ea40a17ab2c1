// @ts-check
/**
 * Compact JWTs: VC-JWT, and the issuer-signed part of an SD-JWT (RFC 7519, RFC 9901).
 *
 * Twin of node/testamur/credentials/jwt.py.
 */

import * as base64url from "./base64url.js";
import { tooLarge, unparsable } from "./errors.js";
import * as sdJwt from "./sd-jwt.js";
import * as strictJson from "./strict-json.js";

/** @typedef {import("./strict-json.js").JsonObject} JsonObject */

/** Size limit, with everything that follows the first `~`. */
export const BYTES_MAX = 4 * 1024 * 1024;

const TRIMMED = new Set([0x20, 0x09, 0x0d, 0x0a]);
const SPACE_WITHIN = /[ \t\n\r\v\f]+/g;
const LOOSE_CHARACTERS = /^[A-Za-z0-9_+/=-]*$/;
const AFTER_JWT = /^[A-Za-z0-9_.~-]*$/;
const PARTS = ["the header", "the payload", "the signature"];
const LETTER_E = 0x65;
const PAD = "=";

/**
 * Tell whether a person would call `bytes` a JWT, well-formed or not.
 *
 * Line breaks within it, padding and the plain base64 alphabet are looked past: a JWT that was
 * damaged on its way is to be refused as one, and not taken for an opaque file.
 *
 * @param {Uint8Array} bytes
 * @returns {boolean}
 */
export function looksLikeJwt(bytes) {
  // An object starts with "{", which in base64 starts with "e": most files end here.
  if (bytes.length > BYTES_MAX || trimmed(bytes)[0] !== LETTER_E) {
    return false;
  }
  const [token] = asText(bytes).replace(SPACE_WITHIN, "").split("~", 1);
  const parts = token.split(".");
  if (parts.length !== PARTS.length || !parts.every((part) => LOOSE_CHARACTERS.test(part))) {
    return false;
  }
  const header = looselyDecoded(parts[0].replace(/=+$/, ""));
  if (header === null) {
    return false;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header)[0] === "{";
  } catch {
    return false;
  }
}

/**
 * Return the ASCII of the issuer-signed JWT in `bytes`, from anyone.
 *
 * White space around it (space, tab, CR, LF) is trimmed. Of an SD-JWT it is the part up to the
 * first `~`, the same for every presentation. The disclosures after it are checked to be the
 * issuer's; a key-binding JWT must have its form and is otherwise ignored. No signature is
 * verified. Without disclosures the payload is bound as it is, unread.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Uint8Array>}
 * @throws {CredentialError} `credential_too_large`: more than {@link BYTES_MAX} bytes;
 *   `unparsable_credential`: not three non-empty parts of canonical base64url, or the header is
 *   not an object that names its algorithm; `unmatched_disclosure`: a disclosure that the payload
 *   does not refer to; and as `strict-json.js` for the header, as `sd-jwt.js` for the payload
 */
export async function issuerSigned(bytes) {
  const { token, payload, disclosures } = read(bytes);
  if (disclosures.length) {
    await sdJwt.disclose(strictJson.parseObject(payload), disclosures);
  }
  return new TextEncoder().encode(token);
}

/**
 * Return the payload with what the disclosures add to it, as a reader is shown it.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<JsonObject>}
 * @throws {CredentialError} as {@link issuerSigned}, and where the payload is not a JSON object
 */
export async function claims(bytes) {
  const { payload, disclosures } = read(bytes);
  const document = strictJson.parseObject(payload);
  return disclosures.length ? sdJwt.disclose(document, disclosures) : document;
}

/**
 * Return the payload as it was signed, whatever it is; disclosures are not looked at.
 *
 * @param {Uint8Array} bytes
 * @returns {Uint8Array}
 * @throws {CredentialError} as {@link issuerSigned}
 */
export function payload(bytes) {
  return read(bytes).payload;
}

/**
 * Refuse a key-binding JWT that has not the form of a JWT; what it says is not read.
 *
 * @param {string} text
 * @throws {CredentialError} `unparsable_credential`: not three non-empty parts of canonical
 *   base64url
 */
export function checkKeyBinding(text) {
  decoded(text, "key-binding JWT");
}

/**
 * Split into the issuer-signed JWT, its payload and the disclosures, in their form.
 *
 * @param {Uint8Array} bytes
 */
function read(bytes) {
  if (bytes.length > BYTES_MAX) {
    throw tooLarge(`${bytes.length} bytes of JWT, the limit is ${BYTES_MAX}`);
  }
  const text = asText(trimmed(bytes));
  const tilde = text.indexOf("~");
  const token = tilde < 0 ? text : text.slice(0, tilde);
  const presentation = tilde < 0 ? "" : text.slice(tilde + 1);
  if (!AFTER_JWT.test(presentation)) {
    throw unparsable("the JWT holds characters that no JWT has");
  }
  const [header, payload] = decoded(token, "JWT");
  if (typeof strictJson.parseObject(header).get("alg") !== "string") {
    throw unparsable("the header of the JWT names no algorithm");
  }
  // RFC 9901 section 4: every disclosure ends with "~"; what follows the last one is the
  // key-binding JWT, or nothing.
  const disclosures = presentation.split("~");
  const keyBinding = disclosures.pop();
  if (keyBinding) {
    checkKeyBinding(keyBinding);
  }
  return { token, payload, disclosures };
}

/**
 * @param {string} token
 * @param {string} what
 */
function decoded(token, what) {
  const parts = token.split(".");
  if (parts.length !== PARTS.length) {
    throw unparsable(`the ${what} has ${parts.length} parts, not three`);
  }
  return parts.map((part, at) => {
    const name = `${PARTS[at]} of the ${what}`;
    if (!part) {
      throw unparsable(`${name} is empty`);
    }
    return base64url.decode(part, name);
  });
}

/**
 * The ASCII characters of `bytes`; what is not ASCII becomes a character that is not, either.
 *
 * @param {Uint8Array} bytes
 */
function asText(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}

/** @param {Uint8Array} bytes */
function trimmed(bytes) {
  let [start, end] = [0, bytes.length];
  while (start < end && TRIMMED.has(bytes[start])) {
    start += 1;
  }
  while (end > start && TRIMMED.has(bytes[end - 1])) {
    end -= 1;
  }
  return bytes.subarray(start, end);
}

/**
 * Decode base64 of either alphabet as Python's lenient decoder does; null where it would not.
 *
 * `=` within the text ends it where it completes four characters, and else counts for nothing.
 *
 * @param {string} text without `=` at its end
 * @returns {Uint8Array | null}
 */
function looselyDecoded(text) {
  const urlSafe = text.replaceAll("+", "-").replaceAll("/", "_");
  const padded = urlSafe + PAD.repeat((4 - (text.length % 4)) % 4);
  /** @type {number[]} */
  const bytes = [];
  let bits = 0;
  let inQuad = 0;
  let pads = 0;
  for (const character of padded) {
    if (character === PAD) {
      pads += inQuad >= 2 ? 1 : 0;
      if (inQuad + pads >= 4) {
        return Uint8Array.from(bytes);
      }
      continue;
    }
    pads = 0;
    bits = ((bits << 6) | base64url.valueOf(character.charCodeAt(0))) & 0xffff;
    inQuad = (inQuad + 1) % 4;
    if (inQuad !== 1) {
      bytes.push((bits >> (((4 - inQuad) % 4) * 2)) & 0xff);
    }
  }
  return inQuad ? null : Uint8Array.from(bytes);
}
