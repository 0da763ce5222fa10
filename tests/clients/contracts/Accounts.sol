// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

/// Named accounts with balances: what Caliper's workload opens, asks and moves between.
contract Accounts {
    mapping(string => bool) private opened;
    mapping(string => uint256) private balances;
    uint256 public count;

    function open(string calldata name, uint256 amount) external {
        require(!opened[name], "the account is open already");
        opened[name] = true;
        balances[name] = amount;
        count += 1;
    }

    function query(string calldata name) external view returns (uint256) {
        require(opened[name], "there is no such account");
        return balances[name];
    }

    function transfer(string calldata from, string calldata to, uint256 amount) external {
        require(opened[from] && opened[to], "there is no such account");
        require(balances[from] >= amount, "the account holds less");
        balances[from] -= amount;
        balances[to] += amount;
    }
}
