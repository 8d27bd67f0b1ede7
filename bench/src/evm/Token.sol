// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// An OpenZeppelin token as it is; the genesis file gives its holders their balances.
contract Token is ERC20("Token", "T") {}
