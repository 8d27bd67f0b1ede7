// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// What an ordinary chain would do with an attribution: a transaction and a log for each.
contract Attributions {
    event Attributed(bytes32 indexed outputId, uint256 indexed contributionId, uint256 weight);

    function attribute(bytes32 outputId, uint256 contributionId, uint256 weight) external {
        emit Attributed(outputId, contributionId, weight);
    }
}
