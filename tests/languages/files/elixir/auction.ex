defmodule Market.Auction do
  @moduledoc "One auction."
  use GenServer

  defstruct [:item, price: 0, bids: []]

  @doc "Takes a bid, refuses one below the current price."
  def bid(%__MODULE__{price: price} = auction, amount) when amount > price do
    {:ok, %{auction | price: amount, bids: [amount | auction.bids]}}
  end

  def bid(_auction, _amount), do: {:error, :too_low}

  defp round_up(amount), do: Float.ceil(amount, 2)
end
