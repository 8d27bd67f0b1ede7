// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title How an amount is divided, to the wei: the same rules as rewards/src/rules in TypeScript.
library RewardShares {
    uint256 internal constant BASIS_POINTS = 10_000;
    /// @notice What one cluster gets at most of an output's contributors' part while others have evidence too.
    uint256 internal constant CONTRIBUTOR_CAP = 8_000;

    /// @notice `lastServed` isn't the entry that the last of the left over wei goes to.
    error WrongHint(uint256 lastServed);

    /// @notice The part of an output whose weight follows `before` in a row of weights that sum to `total`.
    /// @dev All parts of the row sum to the amount exactly, and each needs sums only.
    function prefixPart(uint256 amount, uint256 before, uint256 weight, uint256 total) internal pure returns (uint256) {
        return Math.mulDiv(amount, before + weight, total) - Math.mulDiv(amount, before, total);
    }

    /// @notice The share of entry `index` by largest remainder; equal remainders are served in the order of `keys`.
    function share(uint256 amount, uint256[] memory weights, uint256[] memory keys, uint256 index)
        internal
        pure
        returns (uint256)
    {
        (uint256[] memory remainders, uint256 left, uint256 total) = _remainders(amount, weights);
        uint256 ahead = 0;
        for (uint256 i = 0; i < weights.length; i++) {
            if (i != index && _comesFirst(remainders, keys, i, index)) ahead++;
        }
        return Math.mulDiv(amount, weights[index], total) + (ahead < left ? 1 : 0);
    }

    /// @notice The sum of the entries with `mine`, with one cluster's share capped.
    /// @param lastServed the entry that gets the last left over wei: found by sorting off chain, checked here by counting
    function cappedSum(
        uint256 amount,
        uint256[] memory weights,
        uint256[] memory keys,
        bool[] memory mine,
        uint256 lastServed
    ) internal pure returns (uint256 sum) {
        (uint256 heaviest, bool capped) = _capped(weights);
        if (capped) {
            uint256 most = Math.mulDiv(amount, CONTRIBUTOR_CAP, BASIS_POINTS, Math.Rounding.Ceil);
            if (mine[heaviest]) sum = most;
            amount -= most;
            // Of weight zero it has no remainder and is served nothing more.
            weights[heaviest] = 0;
        }
        (uint256[] memory remainders, uint256 left, uint256 total) = _remainders(amount, weights);
        if (left != 0 && lastServed >= weights.length) revert WrongHint(lastServed);
        uint256 served = 0;
        for (uint256 i = 0; i < weights.length; i++) {
            bool extra = left != 0 && (i == lastServed || _comesFirst(remainders, keys, i, lastServed));
            if (extra) served++;
            if (mine[i]) sum += Math.mulDiv(amount, weights[i], total) + (extra ? 1 : 0);
        }
        if (served != left) revert WrongHint(lastServed);
    }

    function _capped(uint256[] memory weights) private pure returns (uint256 heaviest, bool capped) {
        uint256 total = 0;
        for (uint256 i = 0; i < weights.length; i++) {
            total += weights[i];
            if (weights[i] > weights[heaviest]) heaviest = i;
        }
        capped = weights.length > 1 && weights[heaviest] * BASIS_POINTS > total * CONTRIBUTOR_CAP;
    }

    function _remainders(uint256 amount, uint256[] memory weights)
        private
        pure
        returns (uint256[] memory remainders, uint256 left, uint256 total)
    {
        for (uint256 i = 0; i < weights.length; i++) total += weights[i];
        remainders = new uint256[](weights.length);
        left = amount;
        for (uint256 i = 0; i < weights.length; i++) {
            remainders[i] = mulmod(amount, weights[i], total);
            left -= Math.mulDiv(amount, weights[i], total);
        }
    }

    function _comesFirst(uint256[] memory remainders, uint256[] memory keys, uint256 one, uint256 other)
        private
        pure
        returns (bool)
    {
        return remainders[one] > remainders[other] || (remainders[one] == remainders[other] && keys[one] < keys[other]);
    }
}
