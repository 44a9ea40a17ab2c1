// @ts-check
/**
 * What a credential says of its issuer; read for comparison, believed in nothing.
 *
 * A node compares it with the member. It is read here so that the credential itself need not be
 * sent. Twin of node/testamur/credentials/claims.py.
 */

import { CredentialError } from "./errors.js";
import * as jws from "./jws.js";
import * as jwt from "./jwt.js";
import { JCS, JWS_JSON, JWT } from "./profiles.js";
import * as strictJson from "./strict-json.js";

/** @typedef {import("./strict-json.js").JsonValue} JsonValue */

/**
 * One issuer, as `POST /v1/verify` takes it: its identifier, where it has one, and each of its
 * names in whatever languages the credential has it.
 *
 * @typedef {{id?: string, names: string[][]}} Issuer
 */

/** Issuers, and texts of them, that a node takes. */
const ISSUERS_MAX = 40;
/** Characters of each. */
const TEXT_MAX = 1024;
/** Characters of each text in the label that stands for more than a node takes. */
const SHOWN_CHARACTERS_MAX = 200;
/** White space as Python's `str.split` has it. */
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/**
 * Read the issuers out of a credential that has passed `profile`; null where it has none.
 *
 * `bytes` is untrusted. A PDF or image (`bytes-sha256`) is not read. Read are `issuer` and `iss`,
 * at the top and in `vc`, as a string, an object or a list of these, after what an SD-JWT
 * discloses was put in. What no node would take, because it is too much or empty, becomes one
 * name that is nobody's: a part of it could match the member where the whole does not.
 *
 * @param {Uint8Array} bytes
 * @param {string} profile
 * @returns {Promise<Issuer[] | null>}
 */
export async function issuers(bytes, profile) {
  const document = await readDocument(bytes, profile);
  /** @type {Issuer[]} */
  const found = [];
  for (const source of [document, document?.get("vc")]) {
    if (source instanceof Map) {
      collect(source.get("issuer"), found);
      collect(source.get("iss"), found);
    }
  }
  const isNamed = found.some((one) => one.id !== undefined || one.names.length);
  return isNamed ? bounded(merged(found)) : null;
}

/**
 * @param {Uint8Array} bytes
 * @param {string} profile
 * @returns {Promise<import("./strict-json.js").JsonObject | null>}
 */
async function readDocument(bytes, profile) {
  try {
    if (profile === JCS) {
      return strictJson.parseObject(bytes);
    }
    if (profile === JWS_JSON) {
      return await jws.claims(bytes);
    }
    return profile === JWT ? await jwt.claims(bytes) : null;
  } catch (error) {
    if (error instanceof CredentialError) {
      return null;
    }
    throw error;
  }
}

/**
 * @param {JsonValue | undefined} value
 * @param {Issuer[]} found
 */
function collect(value, found) {
  if (typeof value === "string") {
    found.push({ id: value, names: [] });
  } else if (value instanceof Map) {
    const id = value.get("id") ?? undefined;
    /** @type {string[][]} */
    const names = [];
    for (const key of ["name", "legalName", "prefLabel"]) {
      collectNames(value.get(key), names);
    }
    // An identifier that is no string is one that cannot be the member's: empty.
    found.push(id === undefined ? { names } : { id: typeof id === "string" ? id : "", names });
  } else if (Array.isArray(value)) {
    for (const item of value) {
      collect(item, found);
    }
  }
}

/**
 * Take a plain string or a language map, as Open Badges and ELM write names.
 *
 * The texts of a map are translations of one name if each language has one; in any other
 * arrangement every text is a name of its own.
 *
 * @param {JsonValue | undefined} value
 * @param {string[][]} names
 */
function collectNames(value, names) {
  if (typeof value === "string") {
    names.push([value]);
  } else if (value instanceof Map) {
    const items = [...value.values()].map((item) =>
      Array.isArray(item) && item.length === 1 ? item[0] : item,
    );
    const texts = items.filter((item) => typeof item === "string");
    if (texts.length && texts.length === items.length) {
      names.push(texts);
    } else {
      items.forEach((item) => collectNames(item, names));
    }
  } else if (Array.isArray(value)) {
    value.forEach((item) => collectNames(item, names));
  }
}

/**
 * Make one of those with the same identifier: `iss` and `issuer` of a JWT usually have.
 *
 * @param {Issuer[]} found
 * @returns {Issuer[]}
 */
function merged(found) {
  /** @type {Map<string, Map<string, string[]>>} */
  const byId = new Map();
  for (const { id, names } of found) {
    if (id !== undefined) {
      const known = byId.get(id) ?? new Map();
      names.forEach((name) => known.set(JSON.stringify(name), name));
      byId.set(id, known);
    }
  }
  return [
    ...[...byId].map(([id, names]) => ({ id, names: [...names.values()] })),
    ...found.filter((one) => one.id === undefined),
  ];
}

/**
 * @param {Issuer[]} claim
 * @returns {Issuer[]}
 */
function bounded(claim) {
  const names = claim.flatMap((issuer) => issuer.names.flat());
  const ids = claim.flatMap((issuer) => (issuer.id === undefined ? [] : [issuer.id]));
  const texts = [...names, ...ids];
  const isTaken =
    texts.length <= ISSUERS_MAX &&
    claim.length <= ISSUERS_MAX &&
    texts.every((text) => text && text.length <= 2 * TEXT_MAX && [...text].length <= TEXT_MAX);
  if (isTaken) {
    return claim;
  }
  const label = [...labelled(distinct(names), distinct(ids))].slice(0, TEXT_MAX - 1).join("");
  return [{ names: [[`${label}…`]] }];
}

/**
 * All names and, in brackets, identifiers, each once: for people.
 *
 * @param {string[]} names
 * @param {string[]} ids
 * @returns {string}
 */
function labelled(names, ids) {
  const shown = [...names, ...ids].slice(0, ISSUERS_MAX).map((text) => {
    const characters = [...text];
    return characters.length <= SHOWN_CHARACTERS_MAX
      ? text
      : `${characters.slice(0, SHOWN_CHARACTERS_MAX).join("")}…`;
  });
  const shownNames = shown.slice(0, names.length).join(", ");
  const shownIds = shown.slice(names.length).join(", ");
  const label = shownNames && shownIds ? `${shownNames} (${shownIds})` : shownNames || shownIds;
  const left = names.length + ids.length - ISSUERS_MAX;
  return left > 0 ? `${label} and ${left} more` : label;
}

/**
 * Each text once, in order, with its white space made plain.
 *
 * @param {string[]} texts
 * @returns {string[]}
 */
function distinct(texts) {
  const plain = texts.map((text) => text.split(SPACE).filter(Boolean).join(" ") || '""');
  return [...new Set(plain)];
}
