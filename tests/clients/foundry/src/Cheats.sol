// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// The few of forge's cheat codes that are used here, so that no library has to be fetched.
interface Cheats {
    function startBroadcast() external;
    function stopBroadcast() external;
    function envAddress(string calldata name) external returns (address);
    function expectRevert(bytes calldata data) external;
    function expectEmit() external;
    function prank(address who) external;
    function rollFork(uint256 number) external;
}

Cheats constant cheats = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
