// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RFC9162} from "../../contracts/RFC9162.sol";

/// @title The library's hashes beside their plain twins, which have no assembly
contract HashTwin {
    /// @dev A word in memory before the hashes and one after them; both have to survive.
    bytes32 private constant _SENTINEL = keccak256("sentinel");

    error MemoryTouched();

    function nodeHash(bytes32 left, bytes32 right)
        external
        view
        returns (bytes32 hash, bytes32 twin)
    {
        bytes memory before = abi.encode(_SENTINEL);
        hash = RFC9162.nodeHash(left, right);
        bytes memory behind = abi.encode(_SENTINEL);
        // Again, now that memory behind the free pointer is not clean.
        if (RFC9162.nodeHash(left, right) != hash) revert MemoryTouched();
        _requireUntouched(before, behind);
        twin = sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    function leafHash(bytes calldata entry) external view returns (bytes32 hash, bytes32 twin) {
        bytes memory before = abi.encode(_SENTINEL);
        hash = RFC9162.leafHash(entry);
        bytes memory behind = abi.encode(_SENTINEL);
        if (RFC9162.leafHash(entry) != hash) revert MemoryTouched();
        _requireUntouched(before, behind);
        twin = sha256(abi.encodePacked(bytes1(0x00), entry));
    }

    function emptyRoot() external pure returns (bytes32 root, bytes32 twin) {
        return (RFC9162.EMPTY_ROOT, sha256(""));
    }

    function _requireUntouched(bytes memory before, bytes memory behind) private pure {
        bytes32 sentinel = keccak256(abi.encode(_SENTINEL));
        if (keccak256(before) != sentinel || keccak256(behind) != sentinel) revert MemoryTouched();
    }
}
