// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A consortium's ledger: an RFC 9162 Merkle log computed on chain
/// @notice Each anchor, and each governance change, appends one record of 93 bytes to the log. One
/// pair (size, root) commits to the whole history of all members. Nothing is ever altered or
/// removed, and there is no owner, no proxy and no upgrade.
/// @dev A record, big-endian: kind u8 ‖ member u32 ‖ time u64 ‖ count u64 ‖ root[32] ‖
/// status_count u64 ‖ status_root[32]. Its leaf hash is SHA-256(00 ‖ record). Kind 1 is an anchor.
/// Kind 0 is governance: root is the SHA-256 of the change's bytes as `Governed` carries them, and
/// every other field is zero, so that the record follows from the change alone. Record 0 is the
/// ledger's birth; its leaf hash is the ledger_id.
interface ILedger {
    /// @notice A member as it is announced: the whole of it stands in an event, the two addresses
    /// in state too.
    struct Member {
        /// Sends this member's anchors (hot). Not zero, no other founder's anchor key.
        address anchorKey;
        /// Speaks for this member in governance (cold; may be a contract). Not zero, no other
        /// founder's control key.
        address controlKey;
        /// Ed25519 key by which this member cosigns checkpoints; the contract never uses it.
        bytes32 witnessKey;
        /// Name, as shown to people; the contract never uses it.
        string name;
        /// DNS domain; the contract never uses it.
        string domain;
        /// URL of this member's node, hostile input to whoever reads it.
        string endpoint;
    }

    /// @notice A member anchored a batch and its status list. Holds every field of the record,
    /// whose kind is 1, and what a node needs to follow the member.
    /// @param member The member's id, from 1 up; ids are never reused.
    /// @param index The record's index in the ledger, from 0 up.
    /// @param time Unix seconds, of the block.
    /// @param count Entries in the batch, at most 2^32.
    /// @param root RFC 9162 root of the batch; the empty root exactly if `count` is 0.
    /// @param statusCount Entries in the member's whole status list, at most 2^32.
    /// @param statusRoot RFC 9162 root of that list; the empty root exactly if `statusCount` is 0.
    /// @param sequence How many anchors of this member came before.
    event Anchored(
        uint32 indexed member,
        uint64 indexed index,
        bytes32 root,
        uint64 time,
        uint64 count,
        uint64 statusCount,
        bytes32 statusRoot,
        uint40 sequence
    );

    /// @notice The consortium changed; the record's kind is 0 and its root SHA-256(`change`).
    /// @param index The record's index in the ledger; 0 is the birth.
    /// @param change ABI bytes of the change. For the birth: abi.encode(uint256 chainid, address
    /// contract, bytes32 parentBlockHash, Member[]), the founders having the ids 1, 2, ... in this
    /// order.
    event Governed(uint64 indexed index, bytes change);

    /// @notice A ledger needs at least one founder.
    error NoMembers();
    /// @notice Founder `member` has a zero anchor or control key.
    error ZeroKey(uint32 member);
    /// @notice Founders `first` and `second` have the same anchor key or the same control key.
    error SharedKey(uint32 first, uint32 second, address key);
    /// @notice `caller` is not the anchor key of `member`, or there is no such member.
    error NotAnchorKey(uint32 member, address caller);
    /// @notice `member` was removed from the consortium.
    error InactiveMember(uint32 member);
    /// @notice The member's next sequence is `expected`. If `given` is below it, this anchor, or
    /// another with its sequence, has already been made.
    error StaleSequence(uint40 given, uint40 expected);
    /// @notice A batch or a status list holds at most `maximum` entries.
    error CountTooLarge(uint64 given, uint64 maximum);
    /// @notice A count of 0 goes with the empty root (SHA-256 of the empty string), and only that.
    error EmptyRootMismatch(uint64 count, bytes32 root);
    /// @notice A record has `expected` bytes.
    error RecordLength(uint256 given, uint256 expected);
    /// @notice There is no record `index` in a ledger of `size` records.
    error NoSuchRecord(uint64 index, uint64 size);
    /// @notice No inclusion path of this record has `given` hashes: the part up to its peak has
    /// `minimum`, and no path made so far has more than `maximum`.
    error PathLength(uint256 given, uint256 minimum, uint256 maximum);
    /// @notice The record and the path lead to `computed`; the ledger holds the peak `expected`.
    error PeakMismatch(bytes32 expected, bytes32 computed);

    /// @notice Append a record: the member's new batch, and its whole status list as it stands.
    /// @dev Every anchor refreshes the status, so an anchor without a new batch (0 and the empty
    /// root), or without status (0 and the empty root), or without both, is allowed. The contract
    /// cannot know whether a root has that many leaves; whoever replicates the batch checks it.
    /// Give a transaction the constant gas limit 250,000: an estimate is too low when another
    /// member lands first and this record completes a larger subtree.
    /// @param member The caller's member id.
    /// @param count Entries in the batch, at most 2^32.
    /// @param root RFC 9162 root of the batch; the empty root exactly if `count` is 0.
    /// @param statusCount Entries in the status list, at most 2^32.
    /// @param statusRoot RFC 9162 root of it; the empty root exactly if `statusCount` is 0.
    /// @param sequence The member's next sequence, from 0 up; it makes a transaction that is sent
    /// again, or signed again, unable to anchor twice.
    function anchor(
        uint32 member,
        uint64 count,
        bytes32 root,
        uint64 statusCount,
        bytes32 statusRoot,
        uint40 sequence
    ) external;

    /// @notice The ledger's head: how many records, and the RFC 9162 root over them.
    function head() external view returns (uint64 size, bytes32 root);

    /// @notice A member's standing. All zero for an id that was never given.
    /// @param id The member's id, from 1 up.
    /// @return anchorKey The only address that anchors for this member.
    /// @return active False after removal: the member keeps its id and its history.
    /// @return sequence The next sequence, which is the number of this member's anchors.
    /// @return lastRecord Index of this member's newest anchor, plus one; 0 if there is none.
    function member(uint32 id)
        external
        view
        returns (address anchorKey, bool active, uint40 sequence, uint64 lastRecord);

    /// @notice How many ids were given: they are 1 to this number, whether active or not.
    function memberCount() external view returns (uint32);

    /// @notice Revert unless `record` is record `index` of this ledger. Says nothing of what the
    /// record means: the caller decodes it.
    /// @dev The records [0, size) form full subtrees, one for each set bit of `size`, whose roots
    /// (the peaks) are in state. The peak that holds `index` has the height L, the position of the
    /// highest bit in which `index` and `size` differ, and covers the 2^L records from
    /// `index` with its low L bits cleared. The record and the first L hashes of `path` must lead
    /// to that peak.
    ///
    /// Accepted therefore is an RFC 9162 inclusion path (section 2.1.3.1), leaf side first, that
    /// was made at any size at which this peak was complete, up to now: the whole of it, or no more
    /// than its first L hashes, or anything between. The hashes after the first L lie above the
    /// peak, where the contract needs no help: they are not read, and nothing is said of them. A
    /// path that was made before the peak was complete reverts, since some of the L hashes did not
    /// exist yet; any node makes a new one.
    /// @param record The 93 bytes.
    /// @param index Its index, from 0 up.
    /// @param path Hashes from the leaf's sibling upwards; at least L, at most the bit length of
    /// size - 1, which no inclusion path made at any size so far exceeds.
    function verifyRecord(bytes calldata record, uint64 index, bytes32[] calldata path)
        external
        view;
}
