// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

interface IToken {
    function balanceOf(address owner) external view returns (uint256);
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// A constant-product exchange of two tokens, as Uniswap version 2 made it usual: 0.3 % stays in the pool, packed
/// reserves, a lock, two price accumulators. One call swaps: it pulls what is sold and pushes what is bought.
contract Pair {
    IToken public immutable token0;
    IToken public immutable token1;
    uint112 private reserve0;
    uint112 private reserve1;
    uint32 private updatedAt;
    uint256 public price0Accumulated;
    uint256 public price1Accumulated;
    uint256 private unlocked = 1;

    event Swap(address indexed sender, bool zeroForOne, uint256 amountIn, uint256 amountOut);
    event Sync(uint112 reserve0, uint112 reserve1);

    modifier lock() {
        require(unlocked == 1, "locked");
        unlocked = 0;
        _;
        unlocked = 1;
    }

    constructor(address first, address second) {
        token0 = IToken(first);
        token1 = IToken(second);
    }

    function getReserves() external view returns (uint112, uint112, uint32) {
        return (reserve0, reserve1, updatedAt);
    }

    /// Takes what the tokens say the pair owns for its reserves: send tokens, then call this, to add liquidity.
    function sync() external lock {
        update(token0.balanceOf(address(this)), token1.balanceOf(address(this)));
    }

    function swap(bool zeroForOne, uint256 amountIn, uint256 amountOutMin) external lock returns (uint256 amountOut) {
        (uint256 reserveIn, uint256 reserveOut) = zeroForOne ? (reserve0, reserve1) : (reserve1, reserve0);
        (IToken tokenIn, IToken tokenOut) = zeroForOne ? (token0, token1) : (token1, token0);
        uint256 afterFee = amountIn * 997;
        amountOut = afterFee * reserveOut / (reserveIn * 1000 + afterFee);
        require(amountOut >= amountOutMin && amountOut > 0, "output");
        require(tokenIn.transferFrom(msg.sender, address(this), amountIn), "input");
        require(tokenOut.transfer(msg.sender, amountOut), "transfer");
        uint256 balance0 = token0.balanceOf(address(this));
        uint256 balance1 = token1.balanceOf(address(this));
        require(balance0 * balance1 >= uint256(reserve0) * reserve1, "product");
        update(balance0, balance1);
        emit Swap(msg.sender, zeroForOne, amountIn, amountOut);
    }

    function update(uint256 balance0, uint256 balance1) private {
        require(balance0 <= type(uint112).max && balance1 <= type(uint112).max, "overflow");
        unchecked {
            uint32 elapsed = uint32(block.timestamp) - updatedAt;
            if (elapsed > 0 && reserve0 != 0 && reserve1 != 0) {
                price0Accumulated += (uint256(reserve1) << 112) / reserve0 * elapsed;
                price1Accumulated += (uint256(reserve0) << 112) / reserve1 * elapsed;
            }
        }
        reserve0 = uint112(balance0);
        reserve1 = uint112(balance1);
        updatedAt = uint32(block.timestamp);
        emit Sync(reserve0, reserve1);
    }
}
