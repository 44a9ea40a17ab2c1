// @ts-check
/**
 * JWS in JSON serialisation (RFC 7515 section 7.2), as JAdES e-seals use it: its signing input.
 *
 * What the seal signs is stable, and that is what the digest binds. Everything else in the file
 * is outside the digest, so nothing may stand there but what RFC 7515 puts there; an SD-JWT in
 * this form keeps its disclosures there (RFC 9901 section 8), which must therefore be the
 * issuer's. Twin of node/testamur/credentials/jws.py.
 */

import * as base64url from "./base64url.js";
import { CredentialError, quoted, unparsable } from "./errors.js";
import * as jwt from "./jwt.js";
import * as sdJwt from "./sd-jwt.js";
import * as strictJson from "./strict-json.js";

/** @typedef {import("./strict-json.js").JsonValue} JsonValue */
/** @typedef {import("./strict-json.js").JsonObject} JsonObject */

/**
 * Critical header parameters whose effect on the signing input is known.
 *
 * `b64` (RFC 7797) changes it and is honoured; the others (ETSI TS 119 182-1 section 5.2) only
 * describe the signature. Any other name might change the signing input, as `b64` did, and is
 * therefore refused. So is `sigD`, which says that the payload is kept elsewhere.
 */
const CRITICAL_NAMES = new Set(
  ["b64", "sigT", "x5t#o", "sigX5ts", "srCms", "sigPl", "srAts", "adoTst", "sigPId"],
);
const SIGNATURE_MEMBERS = new Set(["protected", "header", "signature"]);
const STEERING = ["crit", "b64", "sigD"];

/**
 * Tell whether an object claims to be a JWS: a payload and a signature, by their names.
 *
 * @param {JsonObject} document
 * @returns {boolean}
 */
export function isJws(document) {
  return document.has("payload") && (document.has("signature") || document.has("signatures"));
}

/**
 * Return `protected "." payload`: what the one signature in `bytes` signs.
 *
 * `bytes` is a general or flattened serialisation, from anyone. The signature itself is not
 * verified. With `b64: false` the payload is the UTF-8 of the JSON string (RFC 7797 section 5.2);
 * otherwise it must be canonical base64url.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Uint8Array>}
 * @throws {CredentialError} `several_signatures`: more than one signature, hence more than one
 *   signing input; `unparsable_credential`: a member that RFC 7515 does not define (it would stand
 *   outside the digest), no protected header, no payload, an unknown critical name;
 *   `unmatched_disclosure`: a disclosure that the payload does not refer to; and as
 *   `strict-json.js` for the file or its protected header, as `sd-jwt.js` for the payload, where
 *   there are disclosures
 */
export async function signingInput(bytes) {
  const { signed, payload, disclosures } = read(bytes);
  if (disclosures.length) {
    await sdJwt.disclose(strictJson.parseObject(payload), disclosures);
  }
  return signed;
}

/**
 * Return the payload with what disclosures add to it, as a reader is shown it.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<JsonObject>}
 * @throws {CredentialError} as {@link signingInput}, and where the payload is not a JSON object
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
 * @throws {CredentialError} as {@link signingInput}
 */
export function payload(bytes) {
  return read(bytes).payload;
}

/**
 * Split into the signing input, the payload as it was signed, and the disclosures.
 *
 * @param {Uint8Array} bytes
 */
function read(bytes) {
  const document = strictJson.parseObject(bytes);
  const payload = document.get("payload");
  document.delete("payload");
  if (typeof payload !== "string" || !payload) {
    throw unparsable("the JWS has no payload: detached ones are not supported");
  }
  const signature = theSignature(document);
  const protectedHeader = signature.get("protected");
  if (typeof protectedHeader !== "string" || !protectedHeader) {
    throw unparsable("the JWS has no protected header");
  }
  const value = signature.get("signature");
  if (typeof value !== "string" || !base64url.decode(value, "the signature").length) {
    throw unparsable("the JWS has no signature");
  }
  const header = strictJson.parseObject(
    base64url.decode(protectedHeader, "the protected header"),
  );
  const isEncoded = payloadIsEncoded(header);
  const unprotected = signature.has("header") ? signature.get("header") : new Map();
  const disclosures = checkUnprotected(unprotected, header);
  const encoder = new TextEncoder();
  return {
    signed: encoder.encode(`${protectedHeader}.${payload}`),
    payload: isEncoded ? base64url.decode(payload, "the payload") : encoder.encode(payload),
    disclosures,
  };
}

/**
 * Take the one signature object out of `document`, which has lost its payload already.
 *
 * @param {JsonObject} document
 * @returns {JsonObject}
 */
function theSignature(document) {
  if (!document.has("signatures")) {
    return checkMembers(document);
  }
  const signatures = document.get("signatures");
  document.delete("signatures");
  if (document.size) {
    throw unknownMember([...document.keys()]);
  }
  if (!Array.isArray(signatures) || !signatures.length) {
    throw unparsable("the JWS has no list of signatures");
  }
  if (signatures.length > 1) {
    throw new CredentialError(
      "several_signatures",
      `the JWS has ${signatures.length} signatures, not one`,
    );
  }
  const [only] = signatures;
  if (!(only instanceof Map)) {
    throw unparsable("the signature of the JWS is not an object");
  }
  return checkMembers(only);
}

/** @param {JsonObject} signature */
function checkMembers(signature) {
  const unknown = [...signature.keys()].filter((name) => !SIGNATURE_MEMBERS.has(name));
  if (unknown.length) {
    throw unknownMember(unknown);
  }
  return signature;
}

/** @param {string[]} names */
function unknownMember(names) {
  return unparsable(`the JWS has a member ${quoted(names[0])} that its digest would not cover`);
}

/**
 * Whether the payload is base64url, after checking what the protected header demands.
 *
 * @param {JsonObject} header
 * @returns {boolean}
 */
function payloadIsEncoded(header) {
  if (typeof header.get("alg") !== "string") {
    throw unparsable("the protected header names no algorithm");
  }
  if (header.has("sigD")) {
    throw unparsable("the payload is kept elsewhere (sigD)");
  }
  const critical = header.has("crit") ? checkedCritical(header.get("crit"), header) : [];
  const b64 = header.has("b64") ? header.get("b64") : true;
  if (typeof b64 !== "boolean") {
    throw unparsable("b64 in the protected header is neither true nor false");
  }
  if (header.has("b64") && !critical.includes("b64")) {
    // RFC 7797 section 6: readers that do not know b64 would sign something else.
    throw unparsable("b64 is used but not named in crit");
  }
  return b64;
}

/**
 * RFC 7515 section 4.1.11.
 *
 * @param {JsonValue | undefined} critical
 * @param {JsonObject} header
 */
function checkedCritical(critical, header) {
  if (!Array.isArray(critical) || !critical.length) {
    throw unparsable("crit is not a list of names");
  }
  const seen = new Set();
  for (const name of critical) {
    if (typeof name !== "string" || seen.has(name) || !header.has(name)) {
      throw unparsable("crit names something twice, or that is not there");
    }
    if (!CRITICAL_NAMES.has(name)) {
      throw unparsable(`unknown critical parameter ${quoted(name)}`);
    }
    seen.add(name);
  }
  return critical;
}

/**
 * RFC 7515 section 7.2.1: disjoint from the protected one; nothing that steers the input.
 *
 * @param {JsonValue | undefined} unprotected
 * @param {JsonObject} header
 * @returns {string[]} the disclosures in it (RFC 9901 section 8.1), unchecked
 */
function checkUnprotected(unprotected, header) {
  if (!(unprotected instanceof Map)) {
    throw unparsable("the unprotected header is not an object");
  }
  if ([...unprotected.keys()].some((name) => header.has(name))) {
    throw unparsable("the unprotected header repeats the protected one");
  }
  if (STEERING.some((name) => unprotected.has(name))) {
    throw unparsable("crit, b64 or sigD stand outside the protected header");
  }
  if (unprotected.has("kb_jwt")) {
    const keyBinding = unprotected.get("kb_jwt");
    if (typeof keyBinding !== "string") {
      throw unparsable("the key-binding JWT is not a string");
    }
    jwt.checkKeyBinding(keyBinding);
  }
  const disclosures = unprotected.has("disclosures") ? unprotected.get("disclosures") : [];
  if (!Array.isArray(disclosures)) {
    throw unparsable("the disclosures are not a list");
  }
  return disclosures.map((one) => {
    if (typeof one !== "string") {
      throw unparsable("a disclosure is not a string");
    }
    return one;
  });
}
