import RingCore

/// Fills buffers and checks them, for a data type and an operator known at run time.
struct BufferCheck: Sendable {
    private let filler: any PatternFilling

    /// The check for a reduction of `ranks` ranks; `op` is nil where elements are moved unchanged.
    ///
    /// Another salt gives other values, so that a result left over from the operation before is found wrong.
    init(dataType: DataType, op: ReductionOperator?, ranks: Int, salt: UInt64) {
        let hash = ElementHash(salt: salt)
        guard let op else {
            filler =
                switch dataType.byteCount {
                case 1: PatternFiller(pattern: CopyPattern<UInt8>(hash: hash))
                case 2: PatternFiller(pattern: CopyPattern<UInt16>(hash: hash))
                case 4: PatternFiller(pattern: CopyPattern<UInt32>(hash: hash))
                default: PatternFiller(pattern: CopyPattern<UInt64>(hash: hash))
                }
            return
        }
        func float<Element: ExactFloat>(_: Element.Type) -> any PatternFilling {
            PatternFiller(pattern: FloatPattern<Element>(op: op, ranks: ranks, hash: hash))
        }
        func integer<Element: FixedWidthInteger & Sendable>(_: Element.Type) -> any PatternFilling
        where Element.Magnitude: Sendable {
            PatternFiller(pattern: IntegerPattern<Element>(op: op, ranks: ranks, hash: hash))
        }
        filler =
            switch dataType {
            case .float32: float(Float.self)
            case .float64: float(Double.self)
            case .float16: float(Float16.self)
            case .bfloat16: float(BFloat16.self)
            case .int8: integer(Int8.self)
            case .int16: integer(Int16.self)
            case .int32: integer(Int32.self)
            case .int64: integer(Int64.self)
            case .uint8: integer(UInt8.self)
            case .uint16: integer(UInt16.self)
            case .uint32: integer(UInt32.self)
            case .uint64: integer(UInt64.self)
            }
    }

    /// The most ranks whose reduction can be exact in a type; nil if there is no such bound.
    static func maximumRanks(_ dataType: DataType) -> Int? {
        switch dataType {
        case .bfloat16: 1 << BFloat16.significandBits
        case .float16: 1 << Float16.significandBits
        default: nil
        }
    }

    /// Writes what `rank` contributes to the elements of a piece.
    func fillInput(_ piece: BufferLayout.Piece, of buffer: UnsafeMutableRawBufferPointer, rank: Rank) {
        filler.fill(piece, of: buffer, with: .input(rank: rank))
    }

    /// Writes what no element of the piece may be afterwards: the complement of its expectation.
    func spoilOutput(_ piece: BufferLayout.Piece, of buffer: UnsafeMutableRawBufferPointer) {
        filler.fill(piece, of: buffer, with: .spoiled)
    }

    /// Compares a piece's elements, bit for bit, with what is expected after the collective.
    func checkOutput(_ piece: BufferLayout.Piece, of buffer: UnsafeRawBufferPointer) -> Mismatches {
        filler.compare(piece, of: buffer, with: .expected)
    }

    /// Compares a piece's elements with what `rank` contributed, which an out-of-place call must not change.
    func checkInput(_ piece: BufferLayout.Piece, of buffer: UnsafeRawBufferPointer, rank: Rank) -> Mismatches
    {
        filler.compare(piece, of: buffer, with: .input(rank: rank))
    }
}

/// How many elements are not as expected, and the first of them.
struct Mismatches: Equatable, Sendable {
    var count = 0
    /// `element 17 is 3.0, expected 5.0`
    var first: String?
}

/// What a buffer is filled with, or compared to.
private enum PatternContent {
    case input(rank: Rank)
    case expected
    case spoiled
}

/// Hides a pattern's type: one dynamic call a piece, not one an element.
private protocol PatternFilling: Sendable {
    func fill(
        _ piece: BufferLayout.Piece, of buffer: UnsafeMutableRawBufferPointer, with content: PatternContent)
    func compare(
        _ piece: BufferLayout.Piece, of buffer: UnsafeRawBufferPointer, with content: PatternContent
    ) -> Mismatches
}

private struct PatternFiller<Pattern: ElementPattern>: PatternFilling {
    let pattern: Pattern

    func fill(
        _ piece: BufferLayout.Piece, of buffer: UnsafeMutableRawBufferPointer, with content: PatternContent
    ) {
        guard !piece.elements.isEmpty else { return }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[byteRange(piece)])
        let elements = part.bindMemory(to: Pattern.Bits.self)
        let first = piece.elements.lowerBound
        switch content {
        case .input(let rank):
            for offset in 0..<elements.count {
                elements[offset] = pattern.input(rank: rank, index: first + offset)
            }
        case .expected:
            for offset in 0..<elements.count { elements[offset] = pattern.expected(index: first + offset) }
        case .spoiled:
            for offset in 0..<elements.count { elements[offset] = ~pattern.expected(index: first + offset) }
        }
    }

    func compare(
        _ piece: BufferLayout.Piece, of buffer: UnsafeRawBufferPointer, with content: PatternContent
    ) -> Mismatches {
        guard !piece.elements.isEmpty else { return Mismatches() }
        let part = UnsafeRawBufferPointer(rebasing: buffer[byteRange(piece)])
        let elements = part.bindMemory(to: Pattern.Bits.self)
        let first = piece.elements.lowerBound
        switch content {
        case .input(let rank):
            return compare(elements, at: piece.offset) { pattern.input(rank: rank, index: first + $0) }
        case .expected:
            return compare(elements, at: piece.offset) { pattern.expected(index: first + $0) }
        case .spoiled:
            return compare(elements, at: piece.offset) { ~pattern.expected(index: first + $0) }
        }
    }

    @inline(__always)
    private func compare(
        _ elements: UnsafeBufferPointer<Pattern.Bits>, at bufferOffset: Int,
        with expectation: (Int) -> Pattern.Bits
    ) -> Mismatches {
        var result = Mismatches()
        for offset in 0..<elements.count {
            let expected = expectation(offset)
            guard elements[offset] != expected else { continue }
            if result.count == 0 {
                result.first =
                    "element \(bufferOffset + offset) is \(pattern.text(elements[offset])), "
                    + "expected \(pattern.text(expected))"
            }
            result.count += 1
        }
        return result
    }

    private func byteRange(_ piece: BufferLayout.Piece) -> Range<Int> {
        let size = MemoryLayout<Pattern.Bits>.size
        return piece.offset * size..<(piece.offset + piece.elements.count) * size
    }
}
