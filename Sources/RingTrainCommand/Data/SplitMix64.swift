/// A generator of pseudo-random numbers that gives the same numbers on every platform and with every version
/// of Swift, unlike the standard library's shuffling.
///
/// G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SplitMix64: Sendable {
    private var state: UInt64

    /// The generator that starts from this state.
    init(state: UInt64) {
        self.state = state
    }

    /// The generator of one of a seed's streams: same arguments, same numbers; other arguments, unrelated ones.
    init(seed: UInt64, stream: Stream, index: Int = 0) {
        var outer = SplitMix64(state: seed)
        var middle = SplitMix64(state: outer.next() ^ stream.rawValue)
        self.init(state: middle.next() ^ UInt64(bitPattern: Int64(index)))
        self.state = next()
    }

    /// What random numbers are for; streams are independent of each other.
    enum Stream: UInt64 {
        case initialization = 1
        case sampleOrder = 2
    }

    /// The next 64 random bits.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A number below `bound`, all equally likely.
    ///
    /// D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (1), 2019.
    mutating func next(below bound: UInt64) -> UInt64 {
        precondition(bound > 0, "no number is below 0")
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return product.high
    }

    /// A number from -1 up to but not including 1, a multiple of 2^-23.
    mutating func nextSignedUnit() -> Float {
        Float(Int32(next() >> 40) - (1 << 23)) * 0x1p-23
    }

    /// The numbers from 0 to `count - 1` in random order, all orders equally likely (Fisher and Yates).
    mutating func permutation(of count: Int) -> [Int32] {
        var order = (0..<Int32(count)).map { $0 }
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, Int(next(below: UInt64(last + 1))))
        }
        return order
    }
}
