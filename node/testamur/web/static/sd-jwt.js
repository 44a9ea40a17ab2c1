// @ts-check
/**
 * Selective disclosure (RFC 9901): which claims a presentation shows beside the signed payload.
 *
 * A disclosure travels outside what the issuer signed; the payload holds only its hash. So one
 * that no hash stands for is text that anyone may have written, and a credential with it is
 * refused. Twin of node/testamur/credentials/sd_jwt.py.
 */

import * as base64url from "./base64url.js";
import { CredentialError, quoted, tooLarge, unparsable } from "./errors.js";
import { sha2 } from "./hashing.js";
import * as strictJson from "./strict-json.js";

/** @typedef {import("./strict-json.js").JsonValue} JsonValue */
/** @typedef {import("./strict-json.js").JsonObject} JsonObject */

/** Disclosures in one presentation: this bounds the time that hashing them takes. */
const DISCLOSURES_MAX = 10_000;

/** What `_sd_alg` may name (RFC 9901 section 4.1.1). */
const ALGORITHMS = new Map(
  /** @type {const} */ ([
    ["sha-256", "SHA-256"],
    ["sha-384", "SHA-384"],
    ["sha-512", "SHA-512"],
  ]),
);
const DIGESTS = "_sd";
const ELEMENT = "...";
const ALGORITHM = "_sd_alg";
const OF_PROPERTY = 3; // salt, name, value
const OF_ELEMENT = 2; // salt, value

/**
 * Return `payload` with the values that `disclosures` add; both are from anyone.
 *
 * `payload` is that of the issuer-signed JWT, read strictly; it is used up. Every disclosure must
 * be referenced by its hash, in an `_sd` list or as `{"...": hash}` in an array, in the payload or
 * in the value of a disclosure that is itself referenced (RFC 9901 section 7.1).
 *
 * @param {JsonObject} payload
 * @param {string[]} disclosures
 * @returns {Promise<JsonObject>}
 * @throws {CredentialError} `unmatched_disclosure`: no hash stands for a disclosure;
 *   `unparsable_credential`: a disclosure or a reference that is not of the form of RFC 9901, the
 *   same one twice, a claim that is there already, or an unknown `_sd_alg`;
 *   `credential_too_large`: more than {@link DISCLOSURES_MAX}; `nesting_too_deep`: with what is
 *   disclosed, deeper than a document may be; and as `strict-json.js` for a disclosure
 */
export async function disclose(payload, disclosures) {
  const algorithm = payload.has(ALGORITHM) ? payload.get(ALGORITHM) : "sha-256";
  payload.delete(ALGORITHM);
  const open = new Disclosures(await byHash(disclosures, algorithm));
  // A list of work and not recursion: disclosures nest as deep as their sender likes.
  /** @type {[JsonValue, number][]} */
  const work = [[payload, 1]];
  for (let next = work.pop(); next; next = work.pop()) {
    const [value, depth] = next;
    if (value instanceof Map) {
      discloseProperties(value, open);
    } else if (Array.isArray(value)) {
      discloseElements(value, open);
    } else {
      continue;
    }
    if (depth > strictJson.DEPTH_MAX) {
      throw new CredentialError(
        "nesting_too_deep",
        `nested deeper than ${strictJson.DEPTH_MAX} levels`,
      );
    }
    for (const inner of value.values()) {
      work.push([inner, depth + 1]);
    }
  }
  open.checkAllTaken();
  return payload;
}

/**
 * @param {string[]} disclosures
 * @param {JsonValue | undefined} name of the hash algorithm
 * @returns {Promise<Map<string, string>>} hash in base64url → disclosure
 */
async function byHash(disclosures, name) {
  const algorithm = ALGORITHMS.get(/** @type {any} */ (name));
  if (!algorithm) {
    throw unparsable(`_sd_alg of the SD-JWT is none of ${[...ALGORITHMS.keys()].join(", ")}`);
  }
  if (disclosures.length > DISCLOSURES_MAX) {
    throw tooLarge(`${disclosures.length} disclosures, the limit is ${DISCLOSURES_MAX}`);
  }
  if (new Set(disclosures).size !== disclosures.length) {
    throw unparsable("a disclosure of the SD-JWT stands twice");
  }
  const encoder = new TextEncoder();
  const hashes = await Promise.all(
    disclosures.map((text) => sha2(encoder.encode(text), algorithm)),
  );
  return new Map(hashes.map((hash, at) => [base64url.encode(hash), disclosures[at]]));
}

/** The disclosures of one presentation, by their hashes, until each is taken. */
class Disclosures {
  /** @param {Map<string, string>} open */
  constructor(open) {
    this.open = open;
    /** @type {Set<string>} */
    this.seen = new Set();
  }

  /**
   * Give the items of the disclosure that `reference` stands for; null: not shown.
   *
   * @param {JsonValue | undefined} reference
   * @param {number} length
   * @returns {JsonValue[] | null}
   */
  take(reference, length) {
    if (typeof reference !== "string") {
      throw unparsable("a hash in the SD-JWT is not a string");
    }
    if (this.seen.has(reference)) {
      throw unparsable("the SD-JWT refers to one disclosure twice");
    }
    this.seen.add(reference);
    const text = this.open.get(reference);
    if (text === undefined) {
      return null; // withheld, or a decoy
    }
    this.open.delete(reference);
    const items = strictJson.parse(base64url.decode(text, "a disclosure of the SD-JWT"));
    if (!Array.isArray(items) || items.length !== length) {
      throw unparsable(
        `a disclosure of the SD-JWT is not the list of ${length} items that it should be`,
      );
    }
    return items;
  }

  checkAllTaken() {
    if (this.open.size) {
      throw new CredentialError(
        "unmatched_disclosure",
        `${this.open.size} of the disclosures presented are not of this credential`,
      );
    }
  }
}

/**
 * @param {JsonObject} found
 * @param {Disclosures} open
 */
function discloseProperties(found, open) {
  if (found.has(ELEMENT)) {
    throw unparsable('"..." in the SD-JWT stands where no array element can');
  }
  const references = found.has(DIGESTS) ? found.get(DIGESTS) : [];
  found.delete(DIGESTS);
  if (!Array.isArray(references)) {
    throw unparsable("_sd in the SD-JWT is not a list");
  }
  for (const reference of references) {
    const items = open.take(reference, OF_PROPERTY);
    if (items === null) {
      continue;
    }
    const [, name, value] = items;
    if (typeof name !== "string" || name === DIGESTS || name === ELEMENT) {
      throw unparsable("a disclosure of the SD-JWT has no name for its claim");
    }
    if (found.has(name)) {
      throw unparsable(`the SD-JWT discloses ${quoted(name)}, already there`);
    }
    found.set(name, value);
  }
}

/**
 * @param {JsonValue[]} found
 * @param {Disclosures} open
 */
function discloseElements(found, open) {
  let kept = 0;
  for (const element of found) {
    let value = element;
    if (element instanceof Map && element.has(ELEMENT)) {
      if (element.size > 1) {
        throw unparsable('an array element of the SD-JWT has more than "..."');
      }
      const items = open.take(element.get(ELEMENT), OF_ELEMENT);
      if (items === null) {
        continue;
      }
      value = items[1];
    }
    found[kept] = value; // never ahead of the element that is read
    kept += 1;
  }
  found.length = kept;
}
