// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

/// Loops for bench_evm, each of one kind of work. Every function returns something that depends on all of it.
contract Loops {
    mapping(uint256 => uint256) private table;
    uint256 private total;

    /// A chain of hashes, each of two words.
    function hashes(uint256 count) external pure returns (bytes32 result) {
        for (uint256 i = 0; i < count; i++) result = keccak256(abi.encode(result, i));
    }

    /// Fills an array in memory, sorts it by insertion, and folds it.
    function memoryWords(uint256 count) external pure returns (uint256 result) {
        uint256[] memory words = new uint256[](count);
        for (uint256 i = 0; i < count; i++) words[i] = (i * 7919) % 1009;
        for (uint256 i = 1; i < count; i++) {
            uint256 word = words[i];
            uint256 j = i;
            while (j > 0 && words[j - 1] > word) {
                words[j] = words[j - 1];
                j--;
            }
            words[j] = word;
        }
        for (uint256 i = 0; i < count; i++) result = (result * 31 + words[i]) % 2 ** 128;
    }

    /// Reads and writes slots of a mapping, and a counter.
    function storageSlots(uint256 count) external returns (uint256) {
        for (uint256 i = 0; i < count; i++) {
            table[i % 16] += i;
            total += table[(i * 5) % 16];
        }
        return total;
    }

    /// Plain checked arithmetic.
    function numbers(uint256 count) external pure returns (uint256 result) {
        result = 1;
        for (uint256 i = 1; i <= count; i++) result = (result * 6364136223846793005 + i) % (2 ** 127 - 1) + i / 3;
    }
}
