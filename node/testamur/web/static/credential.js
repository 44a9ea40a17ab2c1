// @ts-check
/**
 * Reading a credential in the browser exactly as Python does, so that nothing has to be uploaded.
 *
 * From a file come its profile, digest, issuers and locator; from a bundle its three parts; from
 * a digest with a salt the entry. No module here uses the network, the clock or a global, and
 * none verifies a proof: a verdict is given by a node or by `testamur verify`. What each promises
 * stands with its twin in Python, and one set of vectors (tests/vectors/credentials) holds both.
 *
 * Bytes are `Uint8Array`; hashes are 64 lower-case hex digits. Whatever cannot be used raises
 * {@link CredentialError}, whose `code` is that of the Python error. Needs WebCrypto: a page over
 * HTTPS or from this machine, or Node.js 20.
 */

export { isBundleName, looksLikeBundle, parseBundle } from "./bundle.js";
export { issuers } from "./claims.js";
export { commitmentEntry } from "./commitment.js";
export { CredentialError } from "./errors.js";
export { findLocator, locatorOfLink, parseLocator } from "./locator.js";
export { BYTES_MAX, detect, digest } from "./profiles.js";
export { parseReceiptCommitment } from "./receipt.js";
