// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Pausable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Pausable.sol";
import {ERC20Permit, Nonces} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Enumerable} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Enumerable.sol";
import {ERC721URIStorage} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721URIStorage.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC1155Supply} from "@openzeppelin/contracts/token/ERC1155/extensions/ERC1155Supply.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts-upgradeable/proxy/utils/UUPSUpgradeable.sol";

/// An ERC-20 with everything: roles mint and pause, holders burn, permit and vote.
contract Coin is ERC20, ERC20Burnable, ERC20Pausable, ERC20Permit, ERC20Votes, AccessControl, Multicall {
    bytes32 public constant MINTER = keccak256("MINTER");

    constructor() ERC20("Coin", "COIN") ERC20Permit("Coin") {
        _grantRole(DEFAULT_ADMIN_ROLE, msg.sender);
    }

    function mint(address to, uint256 amount) external onlyRole(MINTER) {
        _mint(to, amount);
    }

    function pause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _pause();
    }

    function unpause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _unpause();
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Pausable, ERC20Votes) {
        super._update(from, to, value);
    }
}

contract Piece is ERC721, ERC721Enumerable, ERC721URIStorage {
    constructor() ERC721("Piece", "PIECE") {}

    function mint(address to, uint256 id, string calldata uri) external {
        _safeMint(to, id);
        _setTokenURI(id, uri);
    }

    function tokenURI(uint256 id) public view override(ERC721, ERC721URIStorage) returns (string memory) {
        return super.tokenURI(id);
    }

    function supportsInterface(bytes4 id) public view override(ERC721, ERC721Enumerable, ERC721URIStorage) returns (bool) {
        return super.supportsInterface(id);
    }

    function _update(address to, uint256 id, address by) internal override(ERC721, ERC721Enumerable) returns (address) {
        return super._update(to, id, by);
    }

    function _increaseBalance(address who, uint128 value) internal override(ERC721, ERC721Enumerable) {
        super._increaseBalance(who, value);
    }
}

contract Items is ERC1155, ERC1155Supply {
    constructor() ERC1155("https://items.example/{id}") {}

    function mint(address to, uint256[] calldata ids, uint256[] calldata amounts) external {
        _mintBatch(to, ids, amounts, "");
    }

    function _update(address from, address to, uint256[] memory ids, uint256[] memory amounts) internal override(ERC1155, ERC1155Supply) {
        super._update(from, to, ids, amounts);
    }
}

/// Takes tokens of both kinds.
contract Keeper is ERC721Holder, ERC1155Holder {}

contract Maker {
    function make(bytes32 salt, bytes calldata code) external payable returns (address) {
        return Create2.deploy(msg.value, salt, code);
    }

    function foretell(bytes32 salt, bytes32 hash) external view returns (address) {
        return Create2.computeAddress(salt, hash);
    }
}

/// Behind a proxy, of either kind.
contract BoxOne is Initializable, OwnableUpgradeable, UUPSUpgradeable {
    uint256 public value;

    constructor() {
        _disableInitializers();
    }

    function initialize(address owner, uint256 first) external initializer {
        __Ownable_init(owner);
        value = first;
    }

    function put(uint256 next) external onlyOwner {
        value = next;
    }

    function version() external pure virtual returns (uint256) {
        return 1;
    }

    function _authorizeUpgrade(address) internal override onlyOwner {}
}

contract BoxTwo is BoxOne {
    function version() external pure override returns (uint256) {
        return 2;
    }

    function double() external onlyOwner {
        value *= 2;
    }
}

/// What an account delegates to (EIP-7702): it makes many calls of its own, asked by itself alone.
contract Batch {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    error NotMyself(address caller);

    function run(Call[] calldata calls) external payable {
        if (msg.sender != address(this)) revert NotMyself(msg.sender);
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done, bytes memory answer) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            if (!done) {
                assembly {
                    revert(add(answer, 32), mload(answer))
                }
            }
        }
    }

    receive() external payable {}
}
