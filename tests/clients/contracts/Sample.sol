// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

/// What the client tests need of a contract: state, events with all kinds of topics, and every way to revert.
contract Sample {
    error TooSmall(uint256 given, uint256 wanted);

    event Stored(address indexed by, uint256 indexed key, uint256 value);
    event Plain(string text);

    mapping(uint256 => uint256) public values;
    address public immutable owner;
    uint256 public total;

    constructor(uint256 initial) payable {
        owner = msg.sender;
        total = initial;
    }

    function store(uint256 key, uint256 value) external {
        values[key] = value;
        total += 1;
        emit Stored(msg.sender, key, value);
    }

    function storeMany(uint256 count) external {
        for (uint256 i = 0; i < count; i++) {
            values[i] = i + 1;
            emit Stored(msg.sender, i, i + 1);
        }
        emit Plain("done");
    }

    function failWithReason() external pure {
        require(false, "this is the reason");
    }

    function failWithCustomError(uint256 given) external pure {
        if (given < 10) revert TooSmall(given, 10);
    }

    function failWithPanic(uint256 x) external pure returns (uint256) {
        return 100 / x;
    }

    function failSilently() external pure {
        assembly {
            revert(0, 0)
        }
    }

    function burnGas() external pure {
        while (true) {}
    }

    function gasPriceAndBaseFee() external view returns (uint256, uint256) {
        return (tx.gasprice, block.basefee);
    }

    receive() external payable {}
}
