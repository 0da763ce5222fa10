// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Counter} from "../src/Counter.sol";
import {cheats} from "../src/Cheats.sol";

/// Runs on a fork of the node's ledger: forge fetches state from it as its own EVM needs it.
contract ForkTest {
    bool public constant IS_TEST = true; // forge asks for this

    event Changed(address indexed by, uint256 number);

    Counter counter;

    function setUp() public {
        counter = Counter(cheats.envAddress("COUNTER"));
    }

    function test_StateIsThere() public view {
        require(block.chainid == 31337, "another chain");
        require(counter.number() == 42, "another number");
        require(address(counter).balance == 9, "another balance");
    }

    function test_Writes() public {
        cheats.expectEmit();
        emit Changed(address(this), 44);
        counter.add(2);
        require(counter.number() == 44, "it was not written");
    }

    function test_Reverts() public {
        cheats.expectRevert(abi.encodeWithSelector(Counter.Odd.selector, 43));
        counter.add(1);
    }

    function test_ThePast() public {
        cheats.rollFork(block.number - 1);
        require(counter.number() == 40, "the block before had another number");
    }
}
