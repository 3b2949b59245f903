"""Baskets of the shop."""

from __future__ import annotations

from dataclasses import dataclass

VAT = 0.19


@dataclass
class Basket:
    """What a customer wants to buy."""

    prices: list[int]

    # Prices are in cents.
    def add(self, price: int) -> None:
        self.prices.append(price)

    @property
    def total(self) -> int:
        """The price of everything in the shopping basket, after the voucher."""
        return max(0, sum(self.prices) - voucher(self))


def voucher(basket: Basket) -> int:
    return 500 if len(basket.prices) > 10 else 0


async def checkout(basket: Basket) -> int:
    return basket.total
