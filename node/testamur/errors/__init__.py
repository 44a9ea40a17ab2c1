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
    │   ├── LocatorFormatError       it starts as a locator does and is none
    │   ├── SeveralLocatorsError     two that differ in one credential
    │   ├── ForeignLocatorError      it names another ledger or member
    │   ├── LocatorProfileError      with a locator the detected profile is the only one
    │   ├── ReusedLocatorError       one locator in two credentials
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
    │   ├── BundleFormatError
    │   │   └── BundleNameError      a file to be put into a bundle has a name that none can hold
    │   ├── OperatorLogError         a line is none, or does not follow the one before
    │   ├── RequestFormatError       an HTTP request
    │   ├── OutOfRangeError
    │   ├── RequestTooLargeError
    │   ├── TooManyEntriesError
    │   ├── TooManyLinesError
    │   └── UnsupportedMediaTypeError
    ├── VerificationError            a numbered step of verification failed; ``code`` says which
    ├── StorageError
    │   ├── StoreUnavailableError
    │   │   └── StoreDamagedError    the database's file is damaged, or is no database
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
    │   ├── NotSealingError          a node without an anchor key
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
    │   │   └── NodeBusyError        it says after how many seconds to come back
    │   ├── NodeRefusedError         whoever asks may not do this
    │   ├── NodeProtocolError
    │   └── EndpointRefusedError     a member's endpoint on chain is none to connect to
    ├── AccessError                  the node refuses for who asks, or for how much is asked
    │   ├── TokenMissingError
    │   ├── TokenInvalidError        malformed, unknown, or revoked
    │   ├── TokenExpiredError
    │   ├── ScopeMissingError        the token is good, and not for this
    │   ├── TokenNameTakenError
    │   ├── UnknownTokenError
    │   ├── TokenFormatError
    │   └── BusyError                nothing was done; ask again after so many seconds
    │       ├── QuotaExceededError
    │       ├── QueueFullError
    │       ├── TooManyRequestsError
    │       └── DiskLowError
    ├── DemoError                    the demo cannot go on
    ├── ConfigurationError
    └── UnwritableFileError          a file that a command makes
        └── FolderInUseError         another command makes files in the same folder

A programming mistake is none of these: it stays a ``TypeError`` or ``ValueError``. Every class
has a stable ``code`` for programs and an ``advice`` for people; HTTP status codes are the
business of ``api/`` alone.
"""

from __future__ import annotations

from testamur.errors.access import (
    AccessError,
    BusyError,
    DiskLowError,
    QueueFullError,
    QuotaExceededError,
    ScopeMissingError,
    TokenExpiredError,
    TokenFormatError,
    TokenInvalidError,
    TokenMissingError,
    TokenNameTakenError,
    TooManyRequestsError,
    UnknownTokenError,
)
from testamur.errors.base import (
    TestamurError,
)
from testamur.errors.chain import (
    ChainDisagreementError,
    ChainError,
    ChainIdentityError,
    ChainUnavailableError,
    DeploymentError,
    DevchainRefusalError,
    NotFollowedYetError,
    TransactionRejectedError,
)
from testamur.errors.credentials import (
    CredentialChangedError,
    CredentialError,
    CredentialTooLargeError,
    DuplicateKeyError,
    ForeignLocatorError,
    LocatorFormatError,
    LocatorProfileError,
    LoneSurrogateError,
    MemberRangeError,
    NestingTooDeepError,
    NumberOutOfRangeError,
    ProfileConflictError,
    ReusedLocatorError,
    SeveralLocatorsError,
    SeveralSignaturesError,
    SidecarError,
    SidecarFormatError,
    SidecarMissingError,
    SidecarStorageError,
    UnknownProfileError,
    UnmatchedDisclosureError,
    UnparsableCredentialError,
    UnreadableFileError,
)
from testamur.errors.ledger import (
    BirthFormatError,
    BundleFormatError,
    BundleNameError,
    FormatError,
    OperatorLogError,
    OutOfRangeError,
    ReceiptFormatError,
    RecordFormatError,
    RequestFormatError,
    RequestTooLargeError,
    TooManyEntriesError,
    TooManyLinesError,
    TrustFileFormatError,
    UnsupportedMediaTypeError,
    VerificationError,
)
from testamur.errors.merkle import (
    HashLengthError,
    MerkleError,
    ProofLengthError,
    RootMismatchError,
    TreeRangeError,
)
from testamur.errors.nodes import (
    ConfigurationError,
    DemoError,
    EndpointRefusedError,
    FolderInUseError,
    NodeBusyError,
    NodeError,
    NodeProtocolError,
    NodeRefusedError,
    NodeUnavailableError,
    UnwritableFileError,
)
from testamur.errors.storage import (
    BatchingError,
    ContinuityError,
    CorruptBatchError,
    ImmutableConflictError,
    NotSealingError,
    ReadBackError,
    StateConflictError,
    StorageError,
    StoreDamagedError,
    StoreIdentityError,
    StoreLockedError,
    StoreUnavailableError,
    UnknownBatchError,
    UnknownEntryError,
    UnknownRecordError,
)

__all__ = [
    "AccessError",
    "BatchingError",
    "BirthFormatError",
    "BundleFormatError",
    "BundleNameError",
    "BusyError",
    "ChainDisagreementError",
    "ChainError",
    "ChainIdentityError",
    "ChainUnavailableError",
    "ConfigurationError",
    "ContinuityError",
    "CorruptBatchError",
    "CredentialChangedError",
    "CredentialError",
    "CredentialTooLargeError",
    "DemoError",
    "DeploymentError",
    "DevchainRefusalError",
    "DiskLowError",
    "DuplicateKeyError",
    "EndpointRefusedError",
    "FolderInUseError",
    "ForeignLocatorError",
    "FormatError",
    "HashLengthError",
    "ImmutableConflictError",
    "LocatorFormatError",
    "LocatorProfileError",
    "LoneSurrogateError",
    "MemberRangeError",
    "MerkleError",
    "NestingTooDeepError",
    "NodeBusyError",
    "NodeError",
    "NodeProtocolError",
    "NodeRefusedError",
    "NodeUnavailableError",
    "NotFollowedYetError",
    "NotSealingError",
    "NumberOutOfRangeError",
    "OperatorLogError",
    "OutOfRangeError",
    "ProfileConflictError",
    "ProofLengthError",
    "QueueFullError",
    "QuotaExceededError",
    "ReadBackError",
    "ReceiptFormatError",
    "RecordFormatError",
    "RequestFormatError",
    "RequestTooLargeError",
    "ReusedLocatorError",
    "RootMismatchError",
    "ScopeMissingError",
    "SeveralLocatorsError",
    "SeveralSignaturesError",
    "SidecarError",
    "SidecarFormatError",
    "SidecarMissingError",
    "SidecarStorageError",
    "StateConflictError",
    "StorageError",
    "StoreDamagedError",
    "StoreIdentityError",
    "StoreLockedError",
    "StoreUnavailableError",
    "TestamurError",
    "TokenExpiredError",
    "TokenFormatError",
    "TokenInvalidError",
    "TokenMissingError",
    "TokenNameTakenError",
    "TooManyEntriesError",
    "TooManyLinesError",
    "TooManyRequestsError",
    "TransactionRejectedError",
    "TreeRangeError",
    "TrustFileFormatError",
    "UnknownBatchError",
    "UnknownEntryError",
    "UnknownProfileError",
    "UnknownRecordError",
    "UnknownTokenError",
    "UnmatchedDisclosureError",
    "UnparsableCredentialError",
    "UnreadableFileError",
    "UnsupportedMediaTypeError",
    "UnwritableFileError",
    "VerificationError",
]
