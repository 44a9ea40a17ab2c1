"""Every error that Testamur raises in normal operation, as one tree.

    TestamurError
    ├── MerkleError
    │   ├── HashLengthError          a hash is not 32 bytes
    │   ├── TreeRangeError           an index or a size outside the tree
    │   ├── ProofLengthError         longer or shorter than index and size demand
    │   └── RootMismatchError        the length is right, the hash is not
    ├── CredentialError              what was presented cannot be hashed
    │   ├── UnparsableCredentialError
    │   ├── DuplicateKeyError
    │   ├── NestingTooDeepError
    │   ├── NumberOutOfRangeError
    │   ├── LoneSurrogateError
    │   ├── CredentialTooLargeError
    │   ├── UnknownProfileError
    │   ├── SeveralSignaturesError
    │   ├── UnmatchedDisclosureError a claim is shown that the issuer's part has no hash of
    │   ├── MemberRangeError         no member can have this id
    │   └── UnreadableFileError      the disk did not give the file
    ├── SidecarError                 the journal of the salt
    │   ├── SidecarMissingError      the file was not committed for this ledger and member
    │   ├── SidecarFormatError
    │   ├── SidecarStorageError      it cannot be read or made durable: nothing was committed
    │   ├── ProfileConflictError     committed under another profile than the one asked for
    │   └── CredentialChangedError   the file is not the one that was committed
    ├── FormatError                  bytes that break one of our formats
    │   ├── RecordFormatError
    │   ├── BirthFormatError
    │   ├── TrustFileFormatError
    │   ├── ReceiptFormatError
    │   ├── RequestFormatError       an HTTP request
    │   ├── RequestTooLargeError
    │   ├── TooManyEntriesError
    │   └── UnsupportedMediaTypeError
    ├── VerificationError            a numbered step of verification failed; ``code`` says which
    ├── StorageError
    │   ├── StoreUnavailableError
    │   ├── StoreIdentityError       the data directory belongs to another ledger or member
    │   ├── StoreLockedError         another process has the data directory
    │   ├── ImmutableConflictError   same name, other content
    │   ├── StateConflictError       the stored state does not allow this change
    │   ├── ContinuityError          a block or record does not follow the last one
    │   ├── CorruptBatchError        a batch file does not give its root
    │   ├── UnknownBatchError
    │   ├── UnknownEntryError
    │   └── UnknownRecordError
    ├── BatchingError
    │   └── ReadBackError            two derivations of one root differ: nothing was sealed
    ├── ChainError
    │   ├── ChainUnavailableError    no answer, or none that can be used; never a verdict
    │   ├── ChainIdentityError       another chain, genesis or contract than expected
    │   ├── NotFollowedYetError      ask again in a moment
    │   ├── ChainDisagreementError   logs and ``head()`` do not fit together
    │   ├── TransactionRejectedError the endpoint refused our transaction
    │   ├── DeploymentError
    │   └── DevchainRefusalError     what the embedded chain answers as a JSON-RPC error
    ├── NodeError                    what another node answered
    │   ├── NodeUnavailableError
    │   └── NodeProtocolError
    ├── DemoError                    the demo cannot go on
    └── ConfigurationError

A programming mistake is none of these: it stays a ``TypeError`` or ``ValueError``. Every class
has a stable ``code`` for programs and an ``advice`` for people; HTTP status codes are the
business of ``api/`` alone.
"""

from __future__ import annotations

from typing import ClassVar


class TestamurError(Exception):
    """Base of all that may go wrong in normal operation."""

    code: ClassVar[str] = "testamur_error"
    """Stable, lower-case, for programs; listed in docs/formats/errors.md."""

    advice: ClassVar[str] = ""
    """What the person who meets the error can do about it."""


# --- merkle ---------------------------------------------------------------------------------


class MerkleError(TestamurError):
    """A tree or a proof is not what it should be."""

    code = "merkle_error"
    advice = "The proof does not belong to this entry, or it was altered; get a new receipt."


class HashLengthError(MerkleError):
    """A hash is not 32 bytes."""

    code = "hash_length"

    def __init__(self, what: str, length: int) -> None:
        super().__init__(f"{what} has {length} bytes, a hash has 32")
        self.length = length


class TreeRangeError(MerkleError):
    """An index or a size lies outside the tree."""

    code = "tree_range"


class ProofLengthError(MerkleError):
    """A proof is longer or shorter than its index and size demand."""

    code = "proof_length"

    def __init__(self, *, got: int, expected: int) -> None:
        super().__init__(f"the proof has {got} hashes, index and size demand {expected}")
        self.got = got
        self.expected = expected


class RootMismatchError(MerkleError):
    """A proof of the right length leads to another root."""

    code = "root_mismatch"

    def __init__(self, *, expected: bytes, computed: bytes) -> None:
        super().__init__(f"the proof leads to {computed.hex()}, not to {expected.hex()}")
        self.expected = expected
        self.computed = computed


# --- credentials ----------------------------------------------------------------------------


class CredentialError(TestamurError):
    """A presented credential cannot be hashed under its profile."""

    code = "credential_error"
    advice = "Present the file exactly as it was issued, or name its profile with --profile."


class UnparsableCredentialError(CredentialError):
    """The bytes do not parse under the profile."""

    code = "unparsable_credential"


class DuplicateKeyError(CredentialError):
    """A JSON object names a key twice, so that two readers may see two credentials."""

    code = "duplicate_key"


class NestingTooDeepError(CredentialError):
    """JSON nested deeper than the limit."""

    code = "nesting_too_deep"


class NumberOutOfRangeError(CredentialError):
    """A number that JSON readers do not agree on: NaN, infinite, or an integer beyond 2^53-1."""

    code = "number_out_of_range"


class LoneSurrogateError(CredentialError):
    """A string with half a surrogate pair, which has no UTF-8 form."""

    code = "lone_surrogate"


class CredentialTooLargeError(CredentialError):
    """The credential exceeds the size limit of its profile."""

    code = "credential_too_large"


class UnknownProfileError(CredentialError):
    """No profile has this name."""

    code = "unknown_profile"


class SeveralSignaturesError(CredentialError):
    """A JWS with more than one signature has no single signing input."""

    code = "several_signatures"


class UnmatchedDisclosureError(CredentialError):
    """An SD-JWT shows a claim that the part signed by its issuer does not refer to."""

    code = "unmatched_disclosure"
    advice = "Do not rely on it: its claims were altered or added. Ask for it as it was issued."


class MemberRangeError(CredentialError):
    """A number that no member can have as its id."""

    code = "member_range"
    advice = "Member ids are whole numbers from 1 to 4294967295."


class UnreadableFileError(CredentialError):
    """The operating system did not give the file's content."""

    code = "unreadable_file"
    advice = "Check that the file exists and that you may read it."


class SidecarError(TestamurError):
    """The journal of a salt, beside its credential, cannot be used."""

    code = "sidecar_error"


class SidecarMissingError(SidecarError):
    """The file was never committed for this ledger and member, or its sidecar was moved away."""

    code = "sidecar_missing"
    advice = "Commit the file first, for this node's ledger: testamur commit FILE --node URL."


class SidecarFormatError(SidecarError):
    """The sidecar does not parse, or contradicts itself."""

    code = "sidecar_format"
    advice = "Restore the sidecar from a backup: the salt in it cannot be made again."


class SidecarStorageError(SidecarError):
    """The sidecar could not be read or made durable; whether a write was kept is unknown."""

    code = "sidecar_storage"
    advice = "Check the folder's space and permissions, then commit again: it resumes by itself."


class ProfileConflictError(SidecarError):
    """The file was committed under another profile than the one that is asked for now."""

    code = "profile_conflict"
    advice = "Leave --profile out, or commit a copy of the file under another name."


class CredentialChangedError(SidecarError):
    """The file differs from the one that its sidecar was written for."""

    code = "credential_changed"
    advice = "Restore the original file, or, for a new version, give it a new name and commit that."


# --- ledger ---------------------------------------------------------------------------------


class FormatError(TestamurError):
    """Bytes that break one of Testamur's own formats (docs/formats/)."""

    code = "format_error"


class RecordFormatError(FormatError):
    """Not a 93-byte record, or one that breaks a rule of its kind."""

    code = "record_format"


class BirthFormatError(FormatError):
    """The change bytes of record 0 do not decode to a birth."""

    code = "birth_format"


class TrustFileFormatError(FormatError):
    """Not a trust file."""

    code = "trust_file_format"
    advice = "Get the trust file anew from at least two members that you know."


class ReceiptFormatError(FormatError):
    """Not a receipt."""

    code = "receipt_format"
    advice = "Ask the holder for the receipt as the university handed it out."


class RequestFormatError(FormatError):
    """An HTTP request that is not of the documented form."""

    code = "request_format"


class RequestTooLargeError(FormatError):
    """An HTTP request whose body exceeds its limit."""

    code = "request_too_large"
    advice = "Send it in smaller parts."


class TooManyEntriesError(FormatError):
    """One submission with more entries than the limit; none of them was taken."""

    code = "too_many_entries"
    advice = "Submit in several requests: submitting is idempotent."


class UnsupportedMediaTypeError(FormatError):
    """An HTTP request with a Content-Type that its endpoint does not take."""

    code = "unsupported_media_type"


class VerificationError(TestamurError):
    """A numbered step of verification failed; the instance carries the check's own code."""

    code = "verification_failed"

    def __init__(self, check_code: str, detail: str) -> None:
        super().__init__(detail)
        self.check_code = check_code
        self.detail = detail


# --- storage --------------------------------------------------------------------------------


class StorageError(TestamurError):
    """The store cannot do what was asked."""

    code = "storage_error"


class StoreUnavailableError(StorageError):
    """The database or the disk failed; whether the last write was kept is unknown."""

    code = "store_unavailable"
    advice = "Check disk space and permissions, then start the node again: it resumes by itself."

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}: {reason}")
        self.operation = operation


class StoreIdentityError(StorageError):
    """The data directory belongs to another ledger or member."""

    code = "store_identity"
    advice = "Point the node at its own data directory, or at the chain that it was made for."


class StoreLockedError(StorageError):
    """Another process has the data directory open."""

    code = "store_locked"
    advice = "Stop the other node first: one process at a time may use a data directory."


class ImmutableConflictError(StorageError):
    """Something immutable exists already, with other content."""

    code = "immutable_conflict"


class StateConflictError(StorageError):
    """The stored state does not allow this change: somebody else moved it on, or back."""

    code = "state_conflict"


class ContinuityError(StorageError):
    """A block or record does not follow the last one that was stored."""

    code = "continuity"


class CorruptBatchError(StorageError):
    """A batch file does not give the root that it is named after."""

    code = "corrupt_batch"
    advice = "Replace the batch file from a backup or from another member, then run check again."


class UnknownBatchError(StorageError):
    """This node has no batch with that root."""

    code = "unknown_batch"


class UnknownEntryError(StorageError):
    """This node knows no such entry."""

    code = "unknown_entry"
    advice = "Check the entry; if another member registered it, ask that member's node."


class UnknownRecordError(StorageError):
    """The ledger, as far as it was followed, has no such record."""

    code = "unknown_record"


# --- batching -------------------------------------------------------------------------------


class BatchingError(TestamurError):
    """A batch cannot be sealed."""

    code = "batching_error"


class ReadBackError(BatchingError):
    """The batch file, read again and hashed on a separate path, gave another root."""

    code = "read_back"
    advice = "Nothing was sealed. Check this machine's memory and disk before going on."


# --- chain ----------------------------------------------------------------------------------


class ChainError(TestamurError):
    """Something about the chain."""

    code = "chain_error"


class ChainUnavailableError(ChainError):
    """The endpoint gave no usable answer. This says nothing about any credential."""

    code = "chain_unavailable"
    advice = "Check the RPC endpoint; the node goes on by itself when the endpoint answers."


class ChainIdentityError(ChainError):
    """The endpoint serves another chain, genesis or contract than the node was set up for."""

    code = "chain_identity"
    advice = "Point the node at the chain and contract that its data directory was made for."


class ChainDisagreementError(ChainError):
    """The logs that an endpoint gives do not lead to the head that it gives."""

    code = "chain_disagreement"
    advice = "The endpoint omits or alters logs: use another one."


class NotFollowedYetError(ChainError):
    """The node has not followed the chain far enough to answer."""

    code = "not_followed_yet"
    advice = "Ask again in a moment: the node is still reading the chain."


class TransactionRejectedError(ChainError):
    """The endpoint refused a transaction of ours."""

    code = "transaction_rejected"
    advice = "Check the anchor account's balance and the fee cap; the batch is kept and sent again."

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        """``nonce_too_low``, ``underpriced``, ``insufficient_funds`` or ``other``."""


class DeploymentError(ChainError):
    """The ledger contract could not be deployed, or is not what was deployed."""

    code = "deployment_failed"
    advice = "Do not use this contract; deploy again, over another endpoint if it happens twice."


class DevchainRefusalError(ChainError):
    """The embedded chain refuses a request; it becomes the ``error`` of a JSON-RPC answer."""

    code = "devchain_refusal"

    def __init__(self, rpc_code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.rpc_code = rpc_code
        self.data = data


# --- other nodes, configuration -------------------------------------------------------------


class NodeError(TestamurError):
    """A node that was asked over HTTP."""

    code = "node_error"


class NodeUnavailableError(NodeError):
    """The node did not answer."""

    code = "node_unavailable"
    advice = "Check the node's URL, or ask another member's node."


class NodeProtocolError(NodeError):
    """The node answered something that is not of the protocol."""

    code = "node_protocol"


class DemoError(TestamurError):
    """The demo cannot go on."""

    code = "demo_failed"
    advice = "Run it again; if it fails again, look into the logs in the directory it names."


class ConfigurationError(TestamurError):
    """A setting is missing or cannot be used."""

    code = "configuration"
