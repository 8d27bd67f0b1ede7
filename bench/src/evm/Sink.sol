// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// Large calldata: hashed and told, nothing kept.
contract Sink {
    event Received(bytes32 digest);

    function take(bytes calldata data) external {
        emit Received(keccak256(data));
    }
}
