import RingCore

/// What a run of elements is made of: consecutive pieces, each with the ranks that contributed to it and the
/// order in which they were combined.
struct SymbolicValue {
    /// Where each piece starts, relative to the first element.
    var offsets: [Int]
    /// A number for the way in which each piece was combined; different ways have different numbers, to all
    /// intents.
    var expressions: [Int]
    /// The contributing ranks of each piece, a bit each, in so many words a piece.
    var contributors: [UInt]
    /// How many elements there are.
    var count: Int
}

/// A buffer's symbolic contents: for each segment, which of the collective's elements it holds, and what of
/// them.
struct SymbolicBuffer {
    private var segmentation: Segmentation
    /// The collective's element that each segment starts with, or -1 where nothing has been written.
    private var origins: [Int]
    private var expressions: [Int]
    private var contributors: [UInt]
    private let wordCount: Int

    /// Why a slice cannot be read.
    enum Fault: Error {
        /// Nothing was written at this position.
        case undefined(position: Int)
        /// At this position lies another element than the one expected.
        case misplaced(position: Int, element: Int)
    }

    /// A buffer with nothing in it.
    init(count: Int, wordCount: Int) {
        self.wordCount = wordCount
        segmentation = Segmentation(count: count)
        origins = Array(repeating: -1, count: segmentation.count)
        expressions = origins
        contributors = Array(repeating: 0, count: segmentation.count * wordCount)
    }

    /// What lies in a range, which must hold the collective's elements from `element` on.
    func read(_ range: Range<Int>, expecting element: Int) throws(Fault) -> SymbolicValue {
        var value = SymbolicValue(offsets: [], expressions: [], contributors: [], count: range.count)
        guard !range.isEmpty else { return value }
        var segment = segmentation.index(of: range.lowerBound)
        while segment < segmentation.count, segmentation.bounds[segment] < range.upperBound {
            let start = segmentation.bounds[segment]
            let position = max(start, range.lowerBound)
            guard origins[segment] >= 0 else { throw .undefined(position: position) }
            let found = origins[segment] + position - start
            guard found == element + position - range.lowerBound else {
                throw .misplaced(position: position, element: found)
            }
            value.offsets.append(position - range.lowerBound)
            value.expressions.append(expressions[segment])
            for word in segment * wordCount..<(segment + 1) * wordCount {
                value.contributors.append(contributors[word])
            }
            segment += 1
        }
        return value
    }

    /// Writes a value, of the collective's elements from `element` on, to a range.
    mutating func write(_ value: SymbolicValue, to range: Range<Int>, element: Int) {
        guard !range.isEmpty else { return }
        if value.offsets.count == 1, let segment = segmentation.segment(range) {
            origins[segment] = element
            expressions[segment] = value.expressions[0]
            for word in 0..<wordCount {
                contributors[segment * wordCount + word] = value.contributors[word]
            }
            return
        }
        cut(at: range.lowerBound)
        cut(at: range.upperBound)
        let segments = segmentation.index(of: range.lowerBound)..<segmentation.index(of: range.upperBound)
        segmentation.replace(segments, startingAt: value.offsets.map { range.lowerBound + $0 })
        origins.replaceSubrange(segments, with: value.offsets.map { element + $0 })
        expressions.replaceSubrange(segments, with: value.expressions)
        contributors.replaceSubrange(
            segments.lowerBound * wordCount..<segments.upperBound * wordCount, with: value.contributors)
    }

    private mutating func cut(at position: Int) {
        guard let segment = segmentation.cut(at: position) else { return }
        let start = segmentation.bounds[segment]
        let origin = origins[segment]
        origins.insert(origin < 0 ? -1 : origin + position - start, at: segment + 1)
        expressions.insert(expressions[segment], at: segment)
        contributors.insert(
            contentsOf: contributors[segment * wordCount..<(segment + 1) * wordCount], at: segment * wordCount
        )
    }
}

extension SymbolicValue {
    /// One rank's own contribution, or, of a rank that combines nothing, its data.
    init(rank: Rank, count: Int, wordCount: Int) {
        var words = Array(repeating: UInt(0), count: wordCount)
        words[rank / UInt.bitWidth] = 1 << UInt(rank % UInt.bitWidth)
        self.init(offsets: [0], expressions: [Self.scrambled(rank &+ 1)], contributors: words, count: count)
    }

    /// Combines two values element by element; fails with a rank that contributed to both.
    static func combined(
        _ first: Self, _ second: Self, wordCount: Int
    ) -> (value: Self, doubled: (offset: Int, rank: Rank)?) {
        var result = Self(offsets: [], expressions: [], contributors: [], count: first.count)
        var (i, j) = (0, 0)
        while i < first.offsets.count {
            let offset = max(first.offsets[i], second.offsets[j])
            result.offsets.append(offset)
            result.expressions.append(combined(first.expressions[i], second.expressions[j]))
            for word in 0..<wordCount {
                let (a, b) = (
                    first.contributors[i * wordCount + word], second.contributors[j * wordCount + word]
                )
                guard a & b == 0 else {
                    return (result, (offset, word * UInt.bitWidth + (a & b).trailingZeroBitCount))
                }
                result.contributors.append(a | b)
            }
            let firstEnd = i + 1 < first.offsets.count ? first.offsets[i + 1] : first.count
            let secondEnd = j + 1 < second.offsets.count ? second.offsets[j + 1] : second.count
            if firstEnd <= secondEnd { i += 1 }
            if secondEnd <= firstEnd { j += 1 }
        }
        return (result, nil)
    }

    /// The number for op(a, b). The operators commute, bit for bit, so it is the same for op(b, a); they do
    /// not associate.
    private static func combined(_ a: Int, _ b: Int) -> Int {
        scrambled(scrambled(min(a, b)) &+ max(a, b))
    }

    /// The finalizer of the SplitMix64 generator: a bijection that spreads every bit over all.
    private static func scrambled(_ value: Int) -> Int {
        var bits = UInt64(bitPattern: Int64(value)) &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int(Int64(bitPattern: bits ^ (bits >> 31)))
    }
}
