// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The hashes of RFC 9162 section 2.1.1, by the SHA-256 precompile
library RFC9162 {
    /// @dev Root of the tree without leaves: SHA-256 of the empty string.
    bytes32 internal constant EMPTY_ROOT = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;

    /// @dev SHA-256(00 ‖ entry).
    function leafHash(bytes memory entry) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", entry));
    }

    /// @dev SHA-256(01 ‖ left ‖ right).
    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"01", left, right));
    }
}
