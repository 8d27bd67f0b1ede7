// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev What Provenance deploys in its tests: keeps its money, or fails in one of three ways.
contract Born {
    enum Mode {
        Live,
        NoCode,
        Reason,
        Silent
    }

    error StillBorn(uint256 code);

    uint256 public immutable endowment = msg.value;

    constructor(Mode mode) payable {
        if (mode == Mode.Reason) revert StillBorn(7);
        if (mode == Mode.Silent) revert();
        if (mode == Mode.NoCode) {
            assembly {
                return(0, 0)
            }
        }
    }
}
