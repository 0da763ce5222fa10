// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Counter} from "../src/Counter.sol";
import {cheats} from "../src/Cheats.sol";

contract Deploy {
    Counter public counter;

    function run() external {
        cheats.startBroadcast();
        counter = new Counter{value: 9}(2);
        counter.set(40);
        counter.add(2);
        cheats.stopBroadcast();
        require(counter.number() == 42, "the counter does not count");
    }
}
