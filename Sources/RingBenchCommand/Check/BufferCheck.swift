import RingCore

/// Fills buffers and checks them, for a data type and an operator known at run time.
struct BufferCheck: Sendable {
    // Closures and not a protocol's existential, whose methods the compiler would leave generic: these are compiled for
    // each pattern, and a dynamic call is paid for a piece and not for an element.
    private let fill: @Sendable (BufferLayout.Piece, UnsafeMutableRawBufferPointer, PatternContent) -> Void
    private let compare: @Sendable (BufferLayout.Piece, UnsafeRawBufferPointer, PatternContent) -> Mismatches

    private init(_ pattern: ApproximatePattern) {
        fill = { pattern.fill($0, of: $1, with: $2) }
        compare = { pattern.compare($0, of: $1, with: $2) }
    }

    private init(_ pattern: some ElementPattern, _ sparsity: Sparsity) {
        guard sparsity.percent == 0 else {
            self.init(PatternFiller(SparsePattern(base: pattern, sparsity: sparsity)))
            return
        }
        self.init(PatternFiller(pattern))
    }

    private init(_ filler: PatternFiller<some ElementPattern>) {
        fill = { filler.fill($0, of: $1, with: $2) }
        compare = { filler.compare($0, of: $1, with: $2) }
    }

    /// The check for a reduction of `ranks` ranks; `op` is nil where elements are moved unchanged.
    ///
    /// Another salt gives other values, so that a result left over from the operation before is found wrong.
    ///
    /// Where compression loses something, elements are held to its error bound instead of bit for bit. `zeros` of a
    /// hundred elements are zero on all ranks.
    init(
        dataType: DataType, op: ReductionOperator?, ranks: Int, salt: UInt64,
        compression: Compression = .none,
        zeros: Int = 0
    ) {
        let hash = ElementHash(salt: salt)
        let sparsity = Sparsity(percent: zeros, salt: salt)
        if !compression.isLossless {
            self.init(
                ApproximatePattern(
                    op: op, ranks: ranks, hash: hash, sparsity: sparsity, compression: compression))
            return
        }
        guard let op else {
            switch dataType.byteCount {
            case 1: self.init(CopyPattern<UInt8>(hash: hash), sparsity)
            case 2: self.init(CopyPattern<UInt16>(hash: hash), sparsity)
            case 4: self.init(CopyPattern<UInt32>(hash: hash), sparsity)
            default: self.init(CopyPattern<UInt64>(hash: hash), sparsity)
            }
            return
        }
        switch dataType {
        case .float32: self.init(FloatPattern<Float>(op: op, ranks: ranks, hash: hash), sparsity)
        case .float64: self.init(FloatPattern<Double>(op: op, ranks: ranks, hash: hash), sparsity)
        case .float16: self.init(FloatPattern<Float16>(op: op, ranks: ranks, hash: hash), sparsity)
        case .bfloat16: self.init(FloatPattern<BFloat16>(op: op, ranks: ranks, hash: hash), sparsity)
        case .int8: self.init(IntegerPattern<Int8>(op: op, ranks: ranks, hash: hash), sparsity)
        case .int16: self.init(IntegerPattern<Int16>(op: op, ranks: ranks, hash: hash), sparsity)
        case .int32: self.init(IntegerPattern<Int32>(op: op, ranks: ranks, hash: hash), sparsity)
        case .int64: self.init(IntegerPattern<Int64>(op: op, ranks: ranks, hash: hash), sparsity)
        case .uint8: self.init(IntegerPattern<UInt8>(op: op, ranks: ranks, hash: hash), sparsity)
        case .uint16: self.init(IntegerPattern<UInt16>(op: op, ranks: ranks, hash: hash), sparsity)
        case .uint32: self.init(IntegerPattern<UInt32>(op: op, ranks: ranks, hash: hash), sparsity)
        case .uint64: self.init(IntegerPattern<UInt64>(op: op, ranks: ranks, hash: hash), sparsity)
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
        fill(piece, buffer, .input(rank: rank))
    }

    /// Writes what no element of the piece may be afterwards: the complement of its expectation.
    func spoilOutput(_ piece: BufferLayout.Piece, of buffer: UnsafeMutableRawBufferPointer) {
        fill(piece, buffer, .spoiled)
    }

    /// Compares a piece's elements, bit for bit, with what is expected after the collective.
    func checkOutput(_ piece: BufferLayout.Piece, of buffer: UnsafeRawBufferPointer) -> Mismatches {
        compare(piece, buffer, .expected)
    }

    /// Compares a piece's elements with what `rank` contributed, which an out-of-place call must not change.
    func checkInput(_ piece: BufferLayout.Piece, of buffer: UnsafeRawBufferPointer, rank: Rank) -> Mismatches
    {
        compare(piece, buffer, .input(rank: rank))
    }
}

/// How many elements are not as expected, and the first of them.
struct Mismatches: Equatable, Sendable {
    var count = 0
    /// The largest difference from an exact result, where elements need not be exact.
    var largestError = 0.0
    /// `element 17 is 3.0, expected 5.0`
    var first: String?
}
