module almanac.moon;

import std.math;

/// The moon on one day.
struct Moon
{
    double age;

    /// What fraction of the moon is lit tonight.
    double litFraction() const
    {
        return (1 - cos(2 * PI * age / 29.530588)) / 2;
    }
}

Moon moonOn(Date date)
{
    return Moon(fmod(date.julian - 2_451_550.1, 29.530588));
}

unittest
{
    assert(Moon(0).litFraction < 0.01);
}
