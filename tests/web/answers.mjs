/**
 * Puts requests to the modules of the verify page, in Node.js and in a browser alike.
 *
 * tests/support/credential_reader.py says what a request and an answer are.
 */

const bytesOf = (text) => {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = letters.charCodeAt(at);
  }
  return bytes;
};
const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

const calls = {
  digest: (reader, { bytes, profile }) => reader.digest(bytesOf(bytes), profile),
  detect: (reader, { bytes }) => reader.detect(bytesOf(bytes)),
  issuers: (reader, { bytes, profile }) => reader.issuers(bytesOf(bytes), profile),
  find_locator: (reader, { bytes, profile }) => reader.findLocator(bytesOf(bytes), profile),
  parse_locator: (reader, { text }) => reader.parseLocator(text),
  locator_of_link: (reader, { text }) => reader.locatorOfLink(text),
  entry: (reader, { fields }) => reader.commitmentEntry(fields),
  receipt: (reader, { bytes }) => reader.parseReceiptCommitment(bytesOf(bytes)),
  bundle: (reader, { bytes }) => {
    const { name, credential, receipt } = reader.parseBundle(bytesOf(bytes));
    return { name, credential: base64(credential), receipt: base64(receipt) };
  },
  looks_like_bundle: (reader, { bytes }) => reader.looksLikeBundle(bytesOf(bytes)),
  is_bundle_name: (reader, { text }) => reader.isBundleName(text),
};

/** Give the answer to each request, in order; anything but a CredentialError ends the run. */
export async function answers(reader, requests) {
  const found = [];
  for (const request of requests) {
    try {
      found.push({ value: await calls[request.call](reader, request) });
    } catch (error) {
      if (!(error instanceof reader.CredentialError)) {
        throw error;
      }
      found.push({ error: error.code });
    }
  }
  return found;
}
