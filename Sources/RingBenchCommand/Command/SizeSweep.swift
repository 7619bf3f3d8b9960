import ArgumentParser
import RingCore

/// The sizes to measure: from the smallest to the largest, each the one before times a factor.
struct SizeSweep: Equatable, Sendable {
    /// The smallest size, in bytes.
    var min: Int
    /// The size, in bytes, that none exceeds.
    var max: Int
    /// What each size is multiplied by; above 1.
    var factor: Double

    static let defaultMin = 4
    static let defaultMax = 64 << 20
    static let defaultFactor = 4.0
    /// The most sizes that one run measures.
    static let maximumSizes = 10_000

    init(min: Int, max: Int, factor: Double) {
        self.min = min
        self.max = max
        self.factor = factor
    }

    /// The sweep that a command line asks for. A bound that is not given is the default, moved if need be to
    /// meet the one that is.
    init(minBytes: ByteSize?, maxBytes: ByteSize?, factor: Double) throws {
        guard factor > 1, factor.isFinite else {
            throw ValidationError("--step-factor \(factor) does not step: give a number above 1")
        }
        let least = minBytes?.bytes ?? Swift.min(Self.defaultMin, maxBytes?.bytes ?? .max)
        let most = maxBytes?.bytes ?? Swift.max(Self.defaultMax, least)
        guard least <= most else {
            throw ValidationError(
                "--min-bytes \(ByteSize(bytes: least)) is above --max-bytes \(ByteSize(bytes: most))")
        }
        self.init(min: least, max: most, factor: factor)
        guard bytes().count <= Self.maximumSizes else {
            throw ValidationError(
                "--step-factor \(factor) makes more than \(Self.maximumSizes) sizes: give a larger one")
        }
    }

    /// The sizes in bytes, rising; at most one more than ``maximumSizes``.
    func bytes() -> [Int] {
        var sizes = [min]
        while sizes.count <= Self.maximumSizes, let last = sizes.last, last < max {
            let product = (Double(last) * factor).rounded(.down)
            guard product < Double(Int.max) else { break }
            let next = Swift.max(Int(product), last + 1)
            guard next <= max else { break }
            sizes.append(next)
        }
        return sizes
    }

    /// The sizes in elements: whole ones, at least one where the size is not zero, none twice.
    func counts(elementBytes: Int) -> [Int] {
        var counts: [Int] = []
        for size in bytes() {
            let count = size == 0 ? 0 : Swift.max(1, size / elementBytes)
            if count != counts.last { counts.append(count) }
        }
        return counts
    }
}
