const std = @import("std");

pub const max_bits = 64;

/// A set of small numbers.
pub const BitSet = struct {
    bits: u64 = 0,

    /// Sets the lowest bit that is free.
    pub fn claim(self: *BitSet) ?u6 {
        if (self.bits == std.math.maxInt(u64)) return null;
        const bit: u6 = @intCast(@ctz(~self.bits));
        self.bits |= @as(u64, 1) << bit;
        return bit;
    }
};

pub const Order = enum { low, high };

fn mask(bit: u6) u64 {
    return @as(u64, 1) << bit;
}

test "claims bits" {
    var set = BitSet{};
    try std.testing.expect(set.claim().? == 0);
}
