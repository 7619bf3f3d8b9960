import RingCore

/// Integers to reduce.
///
/// - Sum and average: rank r contributes a + rb, where a and the odd b are random in all their bits. The sum of n
///   ranks is na + bn(n-1)/2, modulo the type's range like the reduction itself.
/// - Product: two ranks contribute random odd factors and all others -1.
/// - Min and max: the ranks contribute consecutive numbers, each its own, starting with another rank at each
///   element. Where they lie in the type's range varies; often they straddle the sign bit.
struct IntegerPattern<Element: FixedWidthInteger & Sendable>: ElementPattern
where Element.Magnitude: Sendable {
    typealias Bits = Element.Magnitude

    private let op: ReductionOperator
    private let ranks: Int
    private let hash: ElementHash
    /// n(n-1)/2, modulo the type's range.
    private let rankSum: Element
    /// The largest number less the smallest, among those that ranks contribute to one element for min or max.
    private let spread: UInt64
    /// How far the smallest of them can move in the type's range.
    private let slack: UInt64

    init(op: ReductionOperator, ranks: Int, hash: ElementHash) {
        self.op = op
        self.ranks = ranks
        self.hash = hash
        rankSum = Element(truncatingIfNeeded: ranks * (ranks - 1) / 2)
        let range = UInt64(truncatingIfNeeded: Element.Magnitude.max)
        spread = Swift.min(UInt64(ranks - 1), range)
        slack = range - spread
    }

    @inline(__always)
    func input(rank: Int, index: Int) -> Bits {
        let bits = hash(index)
        let value: Element =
            switch op {
            case .sum, .average:
                first(bits) &+ Element(truncatingIfNeeded: rank) &* step(bits)
            case .product:
                switch position(bits, rank) {
                case 0: first(bits) | 1
                case 1: step(bits)
                default: Element(truncatingIfNeeded: -1)
                }
            case .min, .max:
                smallest(bits)
                    &+ Element(
                        truncatingIfNeeded: Swift.min(
                            UInt64(truncatingIfNeeded: position(bits, rank)), spread))
            }
        return Bits(truncatingIfNeeded: value)
    }

    @inline(__always)
    func expected(index: Int) -> Bits {
        let bits = hash(index)
        let value: Element =
            switch op {
            case .sum: sum(bits)
            case .average: quotient(sum(bits))
            case .product:
                (first(bits) | 1) &* (ranks > 1 ? step(bits) : 1)
                    &* (ranks > 2 && ranks % 2 == 1 ? Element(truncatingIfNeeded: -1) : 1)
            case .min: smallest(bits)
            case .max: smallest(bits) &+ Element(truncatingIfNeeded: spread)
            }
        return Bits(truncatingIfNeeded: value)
    }

    func text(_ bits: Bits) -> String { "\(Element(truncatingIfNeeded: bits))" }

    @inline(__always)
    private func first(_ bits: UInt64) -> Element { Element(truncatingIfNeeded: bits) }

    @inline(__always)
    private func step(_ bits: UInt64) -> Element {
        Element(truncatingIfNeeded: (bits >> 32) ^ (bits << 17)) | 1
    }

    @inline(__always)
    private func sum(_ bits: UInt64) -> Element {
        Element(truncatingIfNeeded: ranks) &* first(bits) &+ step(bits) &* rankSum
    }

    /// A sum divided by the number of ranks, which may not fit the element's type, rounded towards zero.
    @inline(__always)
    private func quotient(_ sum: Element) -> Element {
        Element.isSigned
            ? Element(truncatingIfNeeded: Int64(truncatingIfNeeded: sum) / Int64(ranks))
            : Element(truncatingIfNeeded: UInt64(truncatingIfNeeded: sum) / UInt64(ranks))
    }

    /// A rank's place in the order of this element's contributors, which starts at another rank at each element.
    @inline(__always)
    private func position(_ bits: UInt64, _ rank: Int) -> Int {
        let place = ElementHash.position(bits, below: ranks) + rank
        return place < ranks ? place : place - ranks
    }

    /// The smallest number contributed for min or max: near the range's lower end, near its upper end, or
    /// (for half the elements, where there are ranks to straddle it) just below the change of sign.
    @inline(__always)
    private func smallest(_ bits: UInt64) -> Element {
        let random = slack == 0 ? 0 : bits & (slack.powerOfTwoBelow - 1)
        let offset: UInt64
        if bits & 1 << 62 != 0 {
            offset = random
        } else if bits & 1 << 61 != 0 || spread == 0 || spread >= slack / 2 {
            offset = slack - random
        } else {
            let middle = UInt64(truncatingIfNeeded: Element.Magnitude.max) / 2 + 1
            offset = middle - 1 - (bits >> 8) % spread
        }
        return Element.min &+ Element(truncatingIfNeeded: offset)
    }
}
