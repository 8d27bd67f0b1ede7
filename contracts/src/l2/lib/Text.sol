// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Byte limits of the texts that contracts emit.
/// @dev They bound what one event can cost every reader; the errors stay with the interfaces that declare them.
library Text {
    uint256 internal constant MAX_NAME = 128;
    /// @dev descriptions, reasons, URIs
    uint256 internal constant MAX_DESCRIPTION = 1024;
    uint256 internal constant MAX_ENDPOINT = 256;
    uint256 internal constant MAX_PARAMS = 4096;
}
