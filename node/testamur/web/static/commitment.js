// @ts-check
/** The commitment: 32 bytes that bind ledger, member, profile, salt and digest. */

import { CredentialError, quoted } from "./errors.js";
import { hashBytes, isHash, sha256Hex } from "./hashing.js";
import { PROFILES } from "./profiles.js";

/** The largest member id; 0 stands for "none". */
export const MEMBER_MAX = 2 ** 32 - 1;

const TAG = "testamur/v1/commitment\0";
/** Profile of entries that only hide how small a batch is. */
const PADDING = "padding";

/**
 * Compute the entry of one credential; every value may come from anyone.
 *
 * Layout: docs/formats/commitment.md. `ledgerId`, `salt` and `digest` are 64 hex digits each.
 *
 * @param {{ledgerId: string, member: number, profile: string, salt: string, digest: string}} of
 * @returns {Promise<string>} 64 hex digits
 * @throws {CredentialError} `member_range`: no member can have this id; `unknown_profile`: neither
 *   one of the four profiles nor `padding`; `hash_length`: `ledgerId`, `salt` or `digest` is not
 *   the hex of 32 bytes
 */
export async function commitmentEntry({ ledgerId, member, profile, salt, digest }) {
  if (!Number.isInteger(member) || member < 1 || member > MEMBER_MAX) {
    throw new CredentialError("member_range", `${member} is not a member id: 1 to ${MEMBER_MAX}`);
  }
  if (!PROFILES.has(profile) && profile !== PADDING) {
    throw new CredentialError("unknown_profile", `no profile is called ${quoted(profile)}`);
  }
  const ascii = new TextEncoder();
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, member);
  return sha256Hex(
    new Uint8Array([
      ...ascii.encode(TAG),
      ...hash(ledgerId, "the ledger id"),
      ...number,
      profile.length,
      ...ascii.encode(profile),
      ...hash(salt, "the salt"),
      ...hash(digest, "the digest"),
    ]),
  );
}

/**
 * @param {string} hex
 * @param {string} what
 */
function hash(hex, what) {
  if (!isHash(hex)) {
    throw new CredentialError("hash_length", `${what} is not 64 lower-case hex digits`);
  }
  return hashBytes(hex);
}
