// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

contract Counter {
    error Odd(uint256 number);

    event Changed(address indexed by, uint256 number);

    uint256 public number;

    constructor(uint256 first) payable {
        number = first;
    }

    function set(uint256 next) public {
        if (next % 2 == 1) revert Odd(next);
        number = next;
        emit Changed(msg.sender, next);
    }

    function add(uint256 by) external {
        set(number + by);
    }
}
