// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IOracle {
    function random() external view returns (uint256);
}

/// @title A lottery.
contract Lottery {
    address[] public players;
    event Drawn(address winner);
    error Closed();

    modifier onlyOpen() {
        if (players.length == 0) revert Closed();
        _;
    }

    constructor(IOracle oracle_) {
        oracle = oracle_;
    }

    /// @notice Draws the winner of the lottery and pays the pot out.
    function draw() external onlyOpen {
        address winner = players[oracle.random() % players.length];
        payable(winner).transfer(address(this).balance);
        emit Drawn(winner);
    }

    receive() external payable {
        players.push(msg.sender);
    }
}

library Odds {
    function of(uint256 count) internal pure returns (uint256) {
        return 1e18 / count;
    }
}
