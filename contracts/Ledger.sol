// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILedger} from "./ILedger.sol";
import {RFC9162} from "./RFC9162.sol";

/// @title The ledger
/// @dev Governance has its place and no code yet. Its functions will read the control keys, bump
/// `_log.epoch`, set `active`, take the next id from `_log.memberCount` and end in `_govern`, all of
/// which exist; what they add (the votes) comes behind the present state. Nothing here will change
/// for it: not a slot, not a record, not an event.
contract Ledger is ILedger {
    /// @dev One slot: every anchor reads and writes it once.
    struct Log {
        uint64 size; // records
        uint32 epoch; // governance changes executed since the birth
        uint32 memberCount; // ids given; the last of them
    }

    /// @dev Two slots; an anchor reads and writes the first and never touches the second.
    struct Standing {
        address anchorKey;
        bool active;
        uint40 sequence; // the next to use
        uint48 lastRecord; // index + 1 of the newest anchor, 0 if there is none
        address controlKey;
    }

    uint8 private constant _GOVERNANCE = 0;
    uint8 private constant _ANCHOR = 1;
    uint256 private constant _RECORD_BYTES = 93;
    uint64 private constant _COUNT_MAX = 2 ** 32;

    Log private _log;

    /// @dev RFC 9162 compact range: where bit `l` of the size is set, `_frontier[l]` is the peak of
    /// height `l`; where it is clear, the slot holds an old value that nothing reads.
    bytes32[64] private _frontier;

    mapping(uint32 id => Standing) private _members;

    constructor(Member[] memory founders) {
        uint256 count = founders.length;
        if (count == 0) revert NoMembers();
        for (uint256 i = 0; i < count; ++i) {
            Member memory founder = founders[i];
            uint32 id = uint32(i + 1);
            _requireOwnKeys(founders, i);
            Standing storage standing = _members[id];
            standing.anchorKey = founder.anchorKey;
            standing.active = true;
            standing.controlKey = founder.controlKey;
        }
        _log.memberCount = uint32(count);
        bytes32 parent;
        unchecked {
            // Nothing is deployed in block 0, but a cost estimate on a chain that has no other
            // block runs as if: it must give a figure, not a panic.
            parent = blockhash(block.number - 1);
        }
        _govern(abi.encode(block.chainid, address(this), parent, founders));
    }

    /// @inheritdoc ILedger
    function anchor(
        uint32 member_,
        uint64 count,
        bytes32 root,
        uint64 statusCount,
        bytes32 statusRoot,
        uint40 sequence
    ) external {
        // First of all, so that its slot is loaded once; whatever reverts below gives it back.
        uint64 index = _takeIndex();
        Standing storage standing = _members[member_];
        if (msg.sender != standing.anchorKey) revert NotAnchorKey(member_, msg.sender);
        if (!standing.active) revert InactiveMember(member_);
        if (sequence != standing.sequence) revert StaleSequence(sequence, standing.sequence);
        _requireTree(count, root);
        _requireTree(statusCount, statusRoot);

        uint64 time = uint64(block.timestamp);
        // Nobody can pay for 2^40 anchors of one member, nor for 2^48 records.
        unchecked {
            standing.sequence = sequence + 1;
            standing.lastRecord = uint48(index + 1);
        }
        _append(index, _ANCHOR, member_, time, count, root, statusCount, statusRoot);
        emit Anchored(member_, index, root, time, count, statusCount, statusRoot, sequence);
    }

    /// @inheritdoc ILedger
    function head() external view returns (uint64 size, bytes32 root) {
        size = _log.size;
        // Bag the peaks from the smallest, at the right, to the largest: each is the left sibling
        // of all that is to its right. The birth record makes sure that there is one.
        uint256 level = 0;
        while ((size >> level) & 1 == 0) ++level;
        root = _frontier[level];
        for (++level; size >> level != 0; ++level) {
            if ((size >> level) & 1 == 1) root = RFC9162.nodeHash(_frontier[level], root);
        }
    }

    /// @inheritdoc ILedger
    function member(uint32 id)
        external
        view
        returns (address anchorKey, bool active, uint40 sequence, uint64 lastRecord)
    {
        Standing storage standing = _members[id];
        return (standing.anchorKey, standing.active, standing.sequence, standing.lastRecord);
    }

    /// @inheritdoc ILedger
    function memberCount() external view returns (uint32) {
        return _log.memberCount;
    }

    /// @inheritdoc ILedger
    function verifyRecord(bytes calldata record, uint64 index, bytes32[] calldata path)
        external
        view
    {
        uint64 size = _log.size;
        if (record.length != _RECORD_BYTES) revert RecordLength(record.length, _RECORD_BYTES);
        if (index >= size) revert NoSuchRecord(index, size);
        uint256 height = _bitLength(index ^ size) - 1;
        uint256 longest = _bitLength(size - 1);
        if (path.length < height || path.length > longest) {
            revert PathLength(path.length, height, longest);
        }
        bytes32 computed = RFC9162.leafHash(record);
        for (uint256 level = 0; level < height; ++level) {
            computed = (index >> level) & 1 == 1
                ? RFC9162.nodeHash(path[level], computed)
                : RFC9162.nodeHash(computed, path[level]);
        }
        bytes32 peak = _frontier[height];
        if (computed != peak) revert PeakMismatch(peak, computed);
    }

    /// @dev The one way by which the consortium changes: a record of kind 0, then its event.
    function _govern(bytes memory change) private {
        uint64 index = _takeIndex();
        _append(index, _GOVERNANCE, 0, 0, 0, RFC9162.sha256InPlace(change), 0, 0);
        emit Governed(index, change);
    }

    /// @dev The next record's index. Whoever takes it appends that record.
    function _takeIndex() private returns (uint64 index) {
        index = _log.size;
        // Nobody can pay for 2^64 records.
        unchecked {
            _log.size = index + 1;
        }
    }

    /// @dev The one way by which the ledger grows; `index` comes from `_takeIndex`.
    function _append(
        uint64 index,
        uint8 kind,
        uint32 member_,
        uint64 time,
        uint64 count,
        bytes32 root,
        uint64 statusCount,
        bytes32 statusRoot
    ) private {
        // Packed with its prefix, as a leaf hash of the record would have to copy it.
        bytes32 node = RFC9162.sha256InPlace(
            abi.encodePacked(
                RFC9162.LEAF, kind, member_, time, count, root, statusCount, statusRoot
            )
        );
        // As in adding one to the binary number `index`: each set bit at its end is a full subtree,
        // which the carry joins with the new one at its right.
        uint256 level = 0;
        // The index has a clear bit among its 64, where the level stops.
        unchecked {
            for (; (index >> level) & 1 == 1; ++level) {
                node = RFC9162.nodeHash(_frontier[level], node);
            }
        }
        _frontier[level] = node;
    }

    /// @dev A count of 0 and the empty root go together: else one tree could be told in two ways.
    function _requireTree(uint64 count, bytes32 root) private pure {
        if (count > _COUNT_MAX) revert CountTooLarge(count, _COUNT_MAX);
        if ((count == 0) != (root == RFC9162.EMPTY_ROOT)) revert EmptyRootMismatch(count, root);
    }

    /// @dev Two founders with one anchor key could anchor for each other, with one control key one
    /// of them would have two votes. Whoever deploys can only have meant something else. Later a
    /// member may set its own keys as it likes: what it shares then is its own to give.
    function _requireOwnKeys(Member[] memory founders, uint256 i) private pure {
        address anchorKey = founders[i].anchorKey;
        address controlKey = founders[i].controlKey;
        uint32 id = uint32(i + 1);
        if (anchorKey == address(0) || controlKey == address(0)) revert ZeroKey(id);
        for (uint256 j = 0; j < i; ++j) {
            uint32 earlier = uint32(j + 1);
            if (founders[j].anchorKey == anchorKey) revert SharedKey(earlier, id, anchorKey);
            if (founders[j].controlKey == controlKey) revert SharedKey(earlier, id, controlKey);
        }
    }

    /// @dev Position of the highest set bit, plus one; 0 for 0.
    function _bitLength(uint64 value) private pure returns (uint256 bits) {
        while (value >> bits != 0) ++bits;
    }
}
