// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a contract does that only notes when a root was seen
/// @dev The measure of the ledger's gas, compiled in the same way and run beside it.
contract BareMapping {
    mapping(bytes32 root => uint64 time) private _times;

    event Seen(bytes32 indexed root, uint64 time);

    function anchor(bytes32 root) external {
        uint64 time = uint64(block.timestamp);
        _times[root] = time;
        emit Seen(root, time);
    }
}
