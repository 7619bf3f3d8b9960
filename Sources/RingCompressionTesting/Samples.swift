/// Repeatable elements to encode.
package struct Samples {
    private var state: UInt64

    /// The samples of a seed.
    package init(seed: UInt64) {
        state = seed
    }

    /// The next random number (SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0, included, to 1, excluded.
    package mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// Any bytes.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// How float32 are spread.
    package enum Spread: CaseIterable, Sendable {
        /// Evenly from -1 to 1.
        case even
        /// As gradients are: many small, few large.
        case peaked
        /// Nine of ten are zero.
        case sparse
        /// Over 60 powers of two.
        case wide
        /// All of the same magnitude.
        case level
        /// Halfway between the numbers that a coarse scale can tell apart.
        case ties
    }

    /// So many finite float32.
    package mutating func floats(_ count: Int, _ spread: Spread) -> [Float] {
        (0..<count).map { index in
            let sign: Float = next() & 1 == 0 ? 1 : -1
            switch spread {
            case .even: return sign * unit()
            case .peaked:
                let (a, b, c) = (unit(), unit(), unit())
                return sign * a * b * c * 0.01
            case .sparse: return next() % 10 == 0 ? sign * unit() : 0
            case .wide:
                return sign * Float(sign: .plus, exponent: Int(next() % 60) - 61, significand: 1 + unit())
            case .level: return sign * 0.37
            case .ties: return index.isMultiple(of: 16) ? 7 : sign * (Float(next() % 7) + 0.5)
            }
        }
    }
}
