/// A well-mixed 64-bit number for every index, the same on all ranks.
///
/// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct ElementHash: Sendable {
    private let seed: UInt64

    /// The numbers for a salt; another salt gives unrelated ones.
    init(salt: UInt64) {
        seed = salt &* 0xD134_2543_DE82_EF95 &+ 0x5851_F42D_4C95_7F2D
    }

    /// The number for an index.
    @inline(__always)
    func callAsFunction(_ index: Int) -> UInt64 {
        var bits = seed &+ UInt64(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A number from 0 to `count` - 1 out of a hash's upper half, for a `count` of up to 2^31.
    @inline(__always)
    static func position(_ hash: UInt64, below count: Int) -> Int {
        Int(truncatingIfNeeded: ((hash >> 32) &* UInt64(truncatingIfNeeded: count)) >> 32)
    }
}

extension FixedWidthInteger {
    /// The largest power of two that is not above this number, which must be positive.
    var powerOfTwoBelow: Self {
        precondition(self > 0, "no power of two is 0 or less")
        return 1 << (Self.bitWidth - 1 - leadingZeroBitCount)
    }
}
