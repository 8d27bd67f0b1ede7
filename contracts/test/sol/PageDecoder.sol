// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AttributionPage} from "../../src/l2/lib/AttributionPage.sol";

/// @title Makes the library callable.
contract PageDecoder {
    function decode(bytes calldata page) external pure returns (AttributionPage.Output[] memory) {
        return AttributionPage.decode(page);
    }

    /// @notice Gas of decoding alone: without calldata and the answer.
    function gasOf(bytes calldata page) external view returns (uint256) {
        bytes memory copy = page;
        uint256 before = gasleft();
        AttributionPage.decode(copy);
        return before - gasleft();
    }
}
