// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Calls out of its constructor, while its own address has no code yet.
contract Hatchling {
    struct Call {
        address target;
        uint256 value;
        bytes data;
    }

    constructor(Call[] memory calls) payable {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool success,) = calls[i].target.call{value: calls[i].value}(calls[i].data);
            require(success, "a call failed");
        }
    }
}
