import RingCore
import RingTestSupport

/// Inputs for kernels, as the bit patterns of elements in the low bits of a `UInt64`.
struct ElementPatterns {
    let dataType: DataType

    var bitWidth: Int { dataType.byteCount * 8 }

    /// Patterns at which arithmetic goes wrong: the ends of the range, zeros, ones, and of floats the numbers next to
    /// where the exponent changes, and infinities and NaNs of either sign, quiet and signalling.
    var special: [UInt64] {
        let mask = UInt64.max >> UInt64(64 - bitWidth)
        let signBit = UInt64(1) << UInt64(bitWidth - 1)
        guard let significandBits else {
            let values = [0, 1, 2, 3, 7, 100, signBit - 2, signBit - 1, signBit, signBit + 1, mask - 1, mask]
            return values + values.map { ~$0 & mask }
        }
        let one = UInt64(1) << UInt64(significandBits)
        let infinity = (signBit - 1) & ~(one - 1)
        let bias = (infinity / one / 2) * one
        let magnitudes = [
            0, 1, 2, 3, one - 1, one, one + 1, bias - one, bias, bias + 1, bias + one / 2, bias + one,
            infinity - one, infinity - 1, infinity, infinity + 1, infinity + one / 2, signBit - 1,
        ]
        return magnitudes + magnitudes.map { $0 | signBit }
    }

    /// Reproducible patterns, one in four of them special.
    func random(count: Int, seed: UInt64) -> [UInt64] {
        var generator = SplitMix64(state: seed)
        let special = special
        return (0..<count).map { _ in
            let bits = generator.next()
            return bits % 4 == 0
                ? special[Int(generator.next() % UInt64(special.count))]
                : generator.next() >> UInt64(64 - bitWidth)
        }
    }

    /// Two lists that pair each special pattern with each, followed by random pairs.
    func pairs(random count: Int, seed: UInt64) -> (own: [UInt64], received: [UInt64]) {
        let special = special
        return (
            special.flatMap { own in special.map { _ in own } } + random(count: count, seed: seed),
            special.flatMap { _ in special } + random(count: count, seed: ~seed)
        )
    }

    /// The elements as they lie in memory.
    func bytes(_ patterns: [UInt64]) -> [UInt8] {
        patterns.flatMap { pattern in
            (0..<dataType.byteCount).map { UInt8(truncatingIfNeeded: pattern >> UInt64(8 * $0)) }
        }
    }

    private var significandBits: Int? {
        switch dataType {
        case .float16: 10
        case .bfloat16: 7
        case .float32: 23
        case .float64: 52
        default: nil
        }
    }
}
