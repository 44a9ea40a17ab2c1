// @ts-check
/**
 * The named rules from an artefact to its digest, and which of them fits a file.
 *
 * Twin of node/testamur/credentials/profiles.py. docs/formats/commitment.md.
 */

import { CredentialError, quoted, tooLarge } from "./errors.js";
import { sha256Hex } from "./hashing.js";
import { canonical } from "./jcs.js";
import * as jws from "./jws.js";
import * as jwt from "./jwt.js";
import * as strictJson from "./strict-json.js";

export const JCS = "jcs-sha256";
export const JWS_JSON = "jws-json-sha256";
export const JWT = "jwt-sha256";
export const BYTES = "bytes-sha256";

/** Size limit of `bytes-sha256` and so of any credential, in bytes. */
export const BYTES_MAX = 64 * 1024 * 1024;

/**
 * The four profiles: name → rule from the artefact to the bytes that are hashed.
 *
 * @type {ReadonlyMap<string, (bytes: Uint8Array) => Promise<Uint8Array>>}
 */
export const PROFILES = new Map([
  [JCS, withoutProof],
  [JWS_JSON, jws.signingInput],
  [JWT, jwt.issuerSigned],
  [BYTES, unchanged],
]);

/**
 * Take what is hashed out of the artefact `bytes` under `profile`; both may come from anyone.
 *
 * @param {Uint8Array} bytes
 * @param {string} profile
 * @returns {Promise<Uint8Array>}
 * @throws {CredentialError} `unknown_profile`: no such profile; any other code: `bytes` breaks a
 *   rule of the profile
 */
export async function extract(bytes, profile) {
  const rule = PROFILES.get(profile);
  if (!rule) {
    const known = [...PROFILES.keys()].join(", ");
    throw new CredentialError(
      "unknown_profile",
      `no profile is called ${quoted(profile)}; there are ${known}`,
    );
  }
  return rule(bytes);
}

/**
 * Digest of the artefact `bytes` under `profile`; both may come from anyone.
 *
 * @param {Uint8Array} bytes
 * @param {string} profile
 * @returns {Promise<string>} 64 hex digits
 * @throws {CredentialError} as {@link extract}
 */
export async function digest(bytes, profile) {
  return sha256Hex(await extract(bytes, profile));
}

/**
 * Choose the profile for an artefact for which no receipt names one.
 *
 * A JSON object with a payload and signatures is a JWS, any other JSON object a JCS document;
 * three parts with dots whose first is an object in base64 are a JWT; everything else, other
 * well-formed JSON included, is its bytes. What looks like JSON or like a JWT but breaks their
 * rules is refused. What is not refused here is not refused by the profile returned, except for
 * its size.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<string>}
 * @throws {CredentialError} it looks like JSON or a JWT and is not
 */
export async function detect(bytes) {
  if (strictJson.looksLikeJson(bytes)) {
    const document = strictJson.parse(bytes);
    if (!(document instanceof Map)) {
      return BYTES;
    }
    if (jws.isJws(document)) {
      await jws.signingInput(bytes);
      return JWS_JSON;
    }
    return JCS;
  }
  if (jwt.looksLikeJwt(bytes)) {
    await jwt.issuerSigned(bytes);
    return JWT;
  }
  return BYTES;
}

/** @param {Uint8Array} bytes */
async function withoutProof(bytes) {
  // Proofs are added later, and the W3C's Data Integrity hashes without them too.
  const document = strictJson.parseObject(bytes);
  document.delete("proof");
  return canonical(document);
}

/** @param {Uint8Array} bytes */
async function unchanged(bytes) {
  if (bytes.length > BYTES_MAX) {
    throw tooLarge(`${bytes.length} bytes, the limit is ${BYTES_MAX}`);
  }
  return bytes;
}
