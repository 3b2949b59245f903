import Foundation

/// Shows where north is.
final class Compass: Instrument {
    private var degrees = 0.0

    init(degrees: Double) {
        self.degrees = degrees
    }

    /// Turns the needle of the compass toward north.
    func turn(toward north: Double) -> Double {
        degrees += (north - degrees) * 0.1
        return degrees
    }

    var isSteady: Bool {
        return abs(degrees) < 0.5
    }
}

protocol Instrument {
    func turn(toward north: Double) -> Double
}

struct Bearing {
    let degrees: Double
}

enum Wind {
    case north, south
}

extension Bearing {
    func opposite() -> Bearing {
        return Bearing(degrees: degrees + 180)
    }
}

func normalize(_ angle: Double) -> Double {
    return angle.truncatingRemainder(dividingBy: 360)
}
