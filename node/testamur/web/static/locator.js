// @ts-check
/**
 * The locator: text in a credential from which any node can be asked about it.
 *
 * Twin of node/testamur/credentials/locator.py. docs/formats/locator.md.
 */

import { MEMBER_MAX } from "./commitment.js";
import { CredentialError } from "./errors.js";
import * as jws from "./jws.js";
import * as jwt from "./jwt.js";
import { BYTES, extract, JCS, JWT } from "./profiles.js";
import * as strictJson from "./strict-json.js";

/** @typedef {import("./strict-json.js").JsonValue} JsonValue */

/**
 * What a credential says of where it is registered; believed only once its entry is found.
 *
 * `ledgerId` and `salt` are 64 hex digits each, `member` is 1 to 2^32-1.
 *
 * @typedef {{ledgerId: string, member: number, salt: string}} Locator
 */

/** What starts with this is a locator or an error; `1` is the version of the format. */
const PREFIX = "testamur:1:";

/** The longest locator, in characters of ASCII. */
const LENGTH_MAX = PREFIX.length + 64 + 1 + String(MEMBER_MAX).length + 1 + 64;

const LOCATOR = /^testamur:1:([0-9a-f]{64}):([1-9][0-9]{0,9}):([0-9a-f]{64})/;
const PREFIX_BYTES = new TextEncoder().encode(PREFIX);

/**
 * Read a text, from anyone, that is one locator and nothing else.
 *
 * @param {string} text
 * @returns {Locator}
 * @throws {CredentialError} `locator_format`: another spelling, another version, or anything
 *   before or after it
 */
export function parseLocator(text) {
  const match = LOCATOR.exec(text);
  if (!match || match[0].length !== text.length) {
    throw damaged("this is not a locator");
  }
  return fromMatch(match);
}

/**
 * Read the locator in a link's fragment: in what follows the first `#` of `text`.
 *
 * `text` is a whole link, or `location.hash`. Browsers send the fragment to no server.
 *
 * @param {string} text
 * @returns {Locator | null} null where there is no fragment, or one of another purpose
 * @throws {CredentialError} `locator_format`: it starts as a locator does and is none
 */
export function locatorOfLink(text) {
  const hash = text.indexOf("#");
  const fragment = hash < 0 ? "" : text.slice(hash + 1);
  return fragment.startsWith(PREFIX) ? parseLocator(fragment) : null;
}

/**
 * Find the one locator in a credential; null where there is none.
 *
 * `bytes` is untrusted. Searched is what the digest under `profile` binds and a reader is shown:
 * under `jcs-sha256` every string and key outside the top-level `proof`; under `jwt-sha256` and
 * `jws-json-sha256` those of the payload, with what an SD-JWT discloses, or the payload's bytes
 * where it is no strict JSON object; under `bytes-sha256` the file.
 *
 * @param {Uint8Array} bytes
 * @param {string} profile
 * @returns {Promise<Locator | null>}
 * @throws {CredentialError} `several_locators`: two that differ, where the same one in several
 *   places is one; `locator_format`: something starts with {@link PREFIX} and is no locator;
 *   `unknown_profile`: no such profile; any other code: `bytes` breaks a rule of the profile
 */
export async function findLocator(bytes, profile) {
  /** @type {{text: string, locator: Locator} | null} */
  let found = null;
  for (const text of await candidates(bytes, profile)) {
    const match = LOCATOR.exec(text);
    if (!match) {
      throw damaged("the credential holds a damaged locator");
    }
    const locator = fromMatch(match);
    if (found && found.text !== match[0]) {
      throw new CredentialError("several_locators", "the credential holds two different locators");
    }
    found = { text: match[0], locator };
  }
  return found && found.locator;
}

/** @param {RegExpExecArray} match */
function fromMatch(match) {
  const [, ledgerId, member, salt] = match;
  if (Number(member) > MEMBER_MAX) {
    throw damaged(`the locator's member is above ${MEMBER_MAX}`);
  }
  return { ledgerId, member: Number(member), salt };
}

/** @param {string} message */
function damaged(message) {
  return new CredentialError("locator_format", message);
}

/**
 * Texts that start with {@link PREFIX}, in the order of the credential.
 *
 * @param {Uint8Array} bytes
 * @param {string} profile
 * @returns {Promise<Iterable<string>>}
 */
async function candidates(bytes, profile) {
  if (profile === JCS) {
    const document = strictJson.parseObject(bytes);
    // Outside the digest: a locator there could be put in by anyone, after the fact.
    document.delete("proof");
    return inStrings(document);
  }
  await extract(bytes, profile);
  if (profile === BYTES) {
    return inBytes(bytes);
  }
  const reader = profile === JWT ? jwt : jws;
  let document;
  try {
    document = await reader.claims(bytes);
  } catch (error) {
    if (!(error instanceof CredentialError)) {
      throw error;
    }
    // It holds under its profile, so what cannot be read is the payload, which is then bytes.
    return inBytes(reader.payload(bytes));
  }
  return inStrings(document);
}

/**
 * Without recursion, because disclosures nest deeper than a parsed document.
 *
 * @param {JsonValue} document
 * @returns {Generator<string>}
 */
function* inStrings(document) {
  const work = [document];
  while (work.length) {
    const value = work.pop();
    if (typeof value === "string") {
      for (let at = value.indexOf(PREFIX); at >= 0; at = value.indexOf(PREFIX, at + 1)) {
        yield value.slice(at, at + LENGTH_MAX);
      }
    } else if (value instanceof Map) {
      for (const [key, inner] of [...value].reverse()) {
        work.push(inner, key);
      }
    } else if (Array.isArray(value)) {
      for (let at = value.length - 1; at >= 0; at -= 1) {
        work.push(value[at]);
      }
    }
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {Generator<string>}
 */
function* inBytes(bytes) {
  const ascii = new TextDecoder("latin1");
  const [first] = PREFIX_BYTES;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (PREFIX_BYTES.every((byte, offset) => bytes[at + offset] === byte)) {
      yield ascii.decode(bytes.subarray(at, at + LENGTH_MAX));
    }
  }
}
