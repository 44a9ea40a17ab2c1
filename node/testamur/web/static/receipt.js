// @ts-check
/** What a browser needs of a receipt: under which profile, and with which salt. */

import { CredentialError, quoted } from "./errors.js";
import { isHash } from "./hashing.js";
import { PROFILES } from "./profiles.js";
import * as strictJson from "./strict-json.js";

const TYPE = "testamur/receipt/v1";

/** Size limit of a receipt, in bytes. */
export const BYTES_MAX = 4 * 1024 * 1024;

/**
 * Read profile and salt out of a receipt, from anyone.
 *
 * Whether the rest of it is a receipt is not looked at: that is for the verification, which is
 * given every byte of it. docs/formats/receipt.md.
 *
 * @param {Uint8Array} bytes
 * @returns {{profile: string, salt: string}} the salt as 64 hex digits
 * @throws {CredentialError} `receipt_format`: not one strict JSON object of this type, or its
 *   `commitment` is not of the documented form; `unknown_profile`: it has none, as a node hands
 *   it out before the holder's tool has filled it in
 */
export function parseReceiptCommitment(bytes) {
  const receipt = readObject(bytes);
  if (receipt.get("type") !== TYPE) {
    throw fault(`receipt.type is not ${quoted(TYPE)}`);
  }
  if (!receipt.has("commitment")) {
    throw new CredentialError("unknown_profile", "the receipt names no profile");
  }
  const commitment = receipt.get("commitment");
  if (!(commitment instanceof Map) || commitment.size !== 2) {
    throw fault("receipt.commitment is not an object of profile and salt");
  }
  const [profile, salt] = [commitment.get("profile"), commitment.get("salt")];
  if (typeof profile !== "string" || !PROFILES.has(profile)) {
    throw fault("receipt.commitment.profile is no known profile");
  }
  if (!isHash(salt)) {
    throw fault("receipt.commitment.salt is not lower-case hex of 32 bytes");
  }
  return { profile, salt };
}

/** @param {Uint8Array} bytes */
function readObject(bytes) {
  try {
    return strictJson.parseObject(bytes, BYTES_MAX);
  } catch (error) {
    if (error instanceof CredentialError) {
      throw fault(`the receipt is not strict JSON: ${error.message}`);
    }
    throw error;
  }
}

/** @param {string} message */
function fault(message) {
  return new CredentialError("receipt_format", message);
}
