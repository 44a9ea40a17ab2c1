// @ts-check
/** Hashes by the browser's own WebCrypto, and hex: lower case, without `0x`. */

const HEX_32 = /^[0-9a-f]{64}$/;

/**
 * Hash with an algorithm of SHA-2.
 *
 * @param {Uint8Array} bytes
 * @param {"SHA-256" | "SHA-384" | "SHA-512"} algorithm
 * @returns {Promise<Uint8Array>}
 * @throws {Error} the page was not loaded over HTTPS or from this machine: no browser offers
 *   WebCrypto there
 */
export async function sha2(bytes, algorithm) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    throw new Error("hashing needs WebCrypto, which a browser offers over HTTPS only");
  }
  return new Uint8Array(await subtle.digest(algorithm, /** @type {BufferSource} */ (bytes)));
}

/**
 * SHA-256, in hex.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<string>} 64 digits
 */
export async function sha256Hex(bytes) {
  return toHex(await sha2(bytes, "SHA-256"));
}

/**
 * Write bytes as hex.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Tell whether a value is the hex of 32 bytes, in its one spelling.
 *
 * @param {unknown} value
 * @returns {value is string}
 */
export function isHash(value) {
  return typeof value === "string" && HEX_32.test(value);
}

/**
 * Read hex that {@link isHash} accepts.
 *
 * @param {string} hex
 * @returns {Uint8Array} 32 bytes
 */
export function hashBytes(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
