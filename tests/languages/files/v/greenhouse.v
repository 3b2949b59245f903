module greenhouse

pub struct House {
mut:
	degrees f64
	open    bool
}

// Opens the windows when the greenhouse is too warm.
pub fn (mut house House) open_windows(limit f64) {
	if house.degrees > limit {
		house.open = true
	}
}

fn mean(values []f64) f64 {
	return values[0]
}
