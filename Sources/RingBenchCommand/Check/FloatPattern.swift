import RingCore

/// Floating-point numbers to reduce without ever rounding.
///
/// Every value is a small integer times a sign and a power of two that vary with the element. The integers are so
/// small that no sum over any of the ranks needs more bits than the type's significand has, so each partial sum
/// is exact, in whatever order, also where it is rounded to 16 bits at every step.
///
/// - Sum: rank r contributes 1 + ((h + r) mod q), with the hash h of the element and q the largest power of two
///   that n ranks leave room for. The ranks' numbers differ as long as q >= n: up to 16 ranks in bfloat16.
/// - Average: the ranks contribute t + c and t - c in pairs, the odd one out t, so that the average is t.
/// - Product: one rank contributes a full significand, one a power of two, all others -1.
/// - Min and max: consecutive integers, negative and positive.
struct FloatPattern<Element: ExactFloat>: ElementPattern {
    typealias Bits = Element.Bits

    private let op: ReductionOperator
    private let ranks: Int
    private let hash: ElementHash
    /// Masks for the random parts of the integers; see ``init(op:ranks:hash:)``.
    private let sumMask: UInt64
    private let averageMask: UInt64
    private let deviationMask: UInt64?
    private let lowestMask: UInt64
    private let lowest: Int

    init(op: ReductionOperator, ranks: Int, hash: ElementHash) {
        self.op = op
        self.ranks = ranks
        self.hash = hash
        // What n ranks can add up to, and each one's share of it. More than 30 bits would serve nothing (they
        // are more than a float32 has) and overflow the closed form of the sum.
        let limit = 1 << Element.significandBits
        let share = Swift.max(1, Swift.min(limit / ranks, 1 << 30))
        sumMask = UInt64(share.powerOfTwoBelow - 1)
        let averageLimit = Swift.max(1, share / 2)
        averageMask = UInt64(averageLimit.powerOfTwoBelow - 1)
        deviationMask = share > averageLimit ? UInt64((share - averageLimit).powerOfTwoBelow - 1) : nil
        lowest = -limit / 2
        lowestMask = limit > ranks ? UInt64((limit - ranks).powerOfTwoBelow - 1) : 0
    }

    @inline(__always)
    func input(rank: Int, index: Int) -> Bits {
        let bits = hash(index)
        switch op {
        case .sum:
            let integer =
                1 + Int(truncatingIfNeeded: ((bits >> 4) &+ UInt64(truncatingIfNeeded: rank)) & sumMask)
            return scaled(integer, bits)
        case .average:
            return scaled(average(bits) + deviation(bits, position(bits, rank)), bits)
        case .product:
            switch position(bits, rank) {
            case 0: return scaled(significand(bits), bits)
            case 1: return Element.exactBits(powerOfTwo(bits))
            default: return Element.exactBits(-1)
            }
        case .min, .max:
            return Element.exactBits(Double(smallest(bits) + position(bits, rank)) * scale(bits))
        }
    }

    @inline(__always)
    func expected(index: Int) -> Bits {
        let bits = hash(index)
        switch op {
        case .sum: return scaled(sum(bits), bits)
        case .average: return scaled(average(bits), bits)
        case .product:
            let odd = ranks > 2 && ranks % 2 == 1
            let factor = (ranks > 1 ? powerOfTwo(bits) : 1) * (odd ? -1 : 1)
            return Element.exactBits(Double(significand(bits)) * sign(bits) * scale(bits) * factor)
        case .min: return Element.exactBits(Double(smallest(bits)) * scale(bits))
        case .max: return Element.exactBits(Double(smallest(bits) + ranks - 1) * scale(bits))
        }
    }

    func text(_ bits: Bits) -> String { Element.text(bits) }

    /// The sum over the ranks r of 1 + ((h + r) mod q).
    @inline(__always)
    private func sum(_ bits: UInt64) -> Int {
        let period = Int(truncatingIfNeeded: sumMask) + 1
        let start = Int(truncatingIfNeeded: (bits >> 4) & sumMask)
        let whole = ranks >> period.trailingZeroBitCount
        let rest = ranks & (period - 1)
        let wrapped = Swift.max(0, start + rest - period)
        let wholeSum = whole * (period * (period - 1) / 2)
        return ranks + wholeSum + rest * start + rest * (rest - 1) / 2 - wrapped * period
    }

    @inline(__always)
    private func average(_ bits: UInt64) -> Int { 1 + Int(truncatingIfNeeded: (bits >> 4) & averageMask) }

    /// What the contributor at a place adds to the average. The sum over all places is zero.
    @inline(__always)
    private func deviation(_ bits: UInt64, _ place: Int) -> Int {
        guard let deviationMask, place & 1 == 1 || place + 1 < ranks else { return 0 }
        let size = 1 + Int(truncatingIfNeeded: (bits >> 20) & deviationMask)
        return place & 1 == 0 ? size : -size
    }

    /// An odd integer with as many bits as the type's significand has at most.
    @inline(__always)
    private func significand(_ bits: UInt64) -> Int {
        Int(truncatingIfNeeded: bits >> UInt64(64 - Element.significandBits)) | 1
    }

    @inline(__always)
    private func powerOfTwo(_ bits: UInt64) -> Double { bits & 1 << 9 == 0 ? 2 : 0.5 }

    @inline(__always)
    private func smallest(_ bits: UInt64) -> Int {
        lowest + Int(truncatingIfNeeded: (bits >> 4) & lowestMask)
    }

    /// A rank's place in the order of this element's contributors, which starts at another rank at each element.
    @inline(__always)
    private func position(_ bits: UInt64, _ rank: Int) -> Int {
        let place = ElementHash.position(bits, below: ranks) + rank
        return place < ranks ? place : place - ranks
    }

    /// A power of two from 2^-4 to 2^3.
    @inline(__always)
    private func scale(_ bits: UInt64) -> Double { Double(bitPattern: (1019 + (bits & 7)) << 52) }

    @inline(__always)
    private func sign(_ bits: UInt64) -> Double { bits & 8 == 0 ? 1 : -1 }

    @inline(__always)
    private func scaled(_ integer: Int, _ bits: UInt64) -> Bits {
        // The sign goes to the integer: a zero must stay +0, which a sum of terms that cancel gives.
        Element.exactBits(Double(bits & 8 == 0 ? integer : -integer) * scale(bits))
    }
}
