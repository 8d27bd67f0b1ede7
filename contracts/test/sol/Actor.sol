// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @dev A contract account that tests steer: calls on, takes money or not, calls back while being paid, signs by ERC-1271.
contract Actor is IERC1271 {
    enum Receive {
        Take,
        Revert,
        BurnGas,
        CallBack
    }

    address public signer;
    Receive public mode;
    address public callbackTarget;
    bytes public callbackData;
    bool public callbackSucceeded;

    receive() external payable {
        if (mode == Receive.Revert) revert("no, thank you");
        if (mode == Receive.BurnGas) while (true) signer = address(uint160(gasleft()));
        if (mode == Receive.CallBack) (callbackSucceeded,) = callbackTarget.call(callbackData);
    }

    function set(address signer_, Receive mode_, address target, bytes calldata data) external {
        signer = signer_;
        mode = mode_;
        callbackTarget = target;
        callbackData = data;
    }

    function execute(address target, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        (bool success, bytes memory returned) = target.call{value: value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(returned, 32), mload(returned))
            }
        }
        return returned;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recoverCalldata(hash, signature) == signer ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}
