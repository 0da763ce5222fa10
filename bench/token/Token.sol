// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// The demonstration's token: OpenZeppelin's ERC-20 with all of the supply given to its maker.
contract Token is ERC20 {
    constructor(uint256 supply) ERC20("Hanse Demo Token", "HDT") {
        _mint(msg.sender, supply);
    }
}
