// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// Keeps money of its owner until a time has come.
contract Vault {
    error TooEarly(uint256 now_, uint256 opens);

    event Deposited(address indexed from, uint256 amount);
    event Withdrawn(address indexed to, uint256 amount);

    address public immutable owner;
    uint256 public immutable opens;

    constructor(uint256 opens_) payable {
        owner = msg.sender;
        opens = opens_;
    }

    function deposit() external payable {
        emit Deposited(msg.sender, msg.value);
    }

    function withdraw(uint256 amount) external {
        require(msg.sender == owner, "only the owner");
        if (block.timestamp < opens) revert TooEarly(block.timestamp, opens);
        emit Withdrawn(msg.sender, amount);
        payable(msg.sender).transfer(amount);
    }
}
