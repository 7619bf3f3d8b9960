import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a buffer is filled with, or compared to.
enum PatternContent: Sendable {
    case input(rank: Rank)
    case expected
    /// The complement of what is expected.
    case spoiled
}

/// Fills and compares buffers by one pattern.
///
/// The pattern repeats after a prime number of elements, which no chunk or segment is a multiple of by chance. So
/// only one period of a large buffer is computed, and the rest is copied from it or compared to it, as fast as
/// memory allows.
struct PatternFiller<Pattern: ElementPattern>: Sendable {
    private let pattern: Pattern

    /// After how many elements the pattern repeats.
    private static var period: Int { 1_048_573 }
    private static var elementBytes: Int { MemoryLayout<Pattern.Bits>.size }

    init(_ pattern: Pattern) {
        self.pattern = pattern
    }

    /// Writes a piece of a buffer.
    func fill(
        _ piece: BufferLayout.Piece, of buffer: UnsafeMutableRawBufferPointer, with content: PatternContent
    ) {
        guard let start = buffer.baseAddress, !piece.elements.isEmpty else { return }
        precondition(
            piece.isWithin(buffer.count, elementBytes: Self.elementBytes), "a piece beyond its buffer")
        let part = start + piece.offset * Self.elementBytes
        let count = piece.elements.count
        let elements = part.bindMemory(to: Pattern.Bits.self, capacity: count)
        let (first, computed) = (piece.elements.lowerBound, Swift.min(count, Self.period))
        switch content {
        case .input(let rank):
            Self.generate(first, computed) { elements[$0] = pattern.input(rank: rank, index: $1) }
        case .expected:
            Self.generate(first, computed) { elements[$0] = pattern.expected(index: $1) }
        case .spoiled:
            Self.generate(first, computed) { elements[$0] = ~pattern.expected(index: $1) }
        }
        var filled = computed
        while filled < count {
            // Whole periods from the start on, ever more of them.
            let copied = Swift.min(count - filled, filled)
            memcpy(part + filled * Self.elementBytes, part, copied * Self.elementBytes)
            filled += copied
        }
    }

    /// Compares a piece of a buffer with what it should be.
    func compare(
        _ piece: BufferLayout.Piece, of buffer: UnsafeRawBufferPointer, with content: PatternContent
    ) -> Mismatches {
        guard let start = buffer.baseAddress, !piece.elements.isEmpty else { return Mismatches() }
        precondition(
            piece.isWithin(buffer.count, elementBytes: Self.elementBytes), "a piece beyond its buffer")
        let part = start + piece.offset * Self.elementBytes
        let count = piece.elements.count
        let elements = part.bindMemory(to: Pattern.Bits.self, capacity: count)
        let result = compare(elements, Swift.min(count, Self.period), piece, content)
        guard count > Self.period else { return result }
        // If the first period is right and every element equals the one a period before it, all are right.
        let repeats =
            memcmp(part, part + Self.period * Self.elementBytes, (count - Self.period) * Self.elementBytes)
            == 0
        return result.count == 0 && repeats ? result : compare(elements, count, piece, content)
    }

    private func compare(
        _ elements: UnsafePointer<Pattern.Bits>, _ count: Int, _ piece: BufferLayout.Piece,
        _ content: PatternContent
    ) -> Mismatches {
        var result = Mismatches()
        func note(_ offset: Int, expected: Pattern.Bits) {
            if result.count == 0 {
                result.first =
                    "element \(piece.offset + offset) is \(pattern.text(elements[offset])), "
                    + "expected \(pattern.text(expected))"
            }
            result.count += 1
        }
        let first = piece.elements.lowerBound
        switch content {
        case .input(let rank):
            Self.generate(first, count) { offset, index in
                let expected = pattern.input(rank: rank, index: index)
                if elements[offset] != expected { note(offset, expected: expected) }
            }
        case .expected:
            Self.generate(first, count) { offset, index in
                let expected = pattern.expected(index: index)
                if elements[offset] != expected { note(offset, expected: expected) }
            }
        case .spoiled:
            Self.generate(first, count) { offset, index in
                let expected = ~pattern.expected(index: index)
                if elements[offset] != expected { note(offset, expected: expected) }
            }
        }
        return result
    }

    /// Calls the body for each of `count` elements with its offset and its place in the period.
    @inline(__always)
    private static func generate(_ first: Int, _ count: Int, _ body: (_ offset: Int, _ index: Int) -> Void) {
        var index = first % period
        for offset in 0..<count {
            body(offset, index)
            index += 1
            if index == period { index = 0 }
        }
    }
}

extension BufferLayout.Piece {
    /// Whether a buffer of so many bytes holds the whole piece.
    func isWithin(_ byteCount: Int, elementBytes: Int) -> Bool {
        offset >= 0 && (offset + elements.count) * elementBytes <= byteCount
    }
}
