// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

/// Two contracts of which one calls the other in every way there is; traces must say just what stands here.
contract Inner {
    error Refused(uint256 given);

    event Kept(address indexed by, uint256 value);

    uint256 public kept;

    function keep(uint256 value) external payable returns (uint256) {
        kept = value;
        emit Kept(msg.sender, value);
        return value * 2;
    }

    function refuse(uint256 given) external pure {
        revert Refused(given);
    }
}

contract Relay {
    event Ran(uint256 value);

    uint256 public kept; // the place of Inner's, for the delegated call
    Inner public inner;
    uint256 public doubled;
    uint256 public refused;
    Inner public made;

    constructor() payable {
        inner = new Inner();
    }

    function run(uint256 value) external {
        doubled = inner.keep{value: 3}(value);
        require(inner.kept() == value, "it did not keep it");
        try inner.refuse(value) {}
        catch {
            refused += 1;
        }
        (bool done,) = address(inner).delegatecall(abi.encodeCall(Inner.keep, (value + 1)));
        require(done, "it did not keep it here");
        made = new Inner();
        emit Ran(value);
    }
}
