module Queues

export waiting_time

"""
A shop with a few counters.
"""
struct Shop
    arrivals::Float64
    served::Float64
end

"""
    waiting_time(shop)

The time that a customer is expected to wait in the line.
"""
function waiting_time(shop::Shop)
    load = shop.arrivals / shop.served
    return load / (shop.served * (1 - load))
end

is_stable(shop::Shop) = shop.arrivals < shop.served

macro timed(body)
    return :(@time $(esc(body)))
end

end
