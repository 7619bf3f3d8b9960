import RingCompression
import RingCore

/// Float32 from -1 to 1 for a compression that changes them, and how far from exact a result may be.
///
/// The bound holds for every algorithm: each element is encoded less often than there are ranks on its way into a sum,
/// each time as a part of it, and once more as the result.
struct ApproximatePattern: Sendable {
    private let op: ReductionOperator?
    private let ranks: Int
    private let hash: ElementHash
    private let sparsity: Sparsity
    private let tolerance: Double

    init(
        op: ReductionOperator?, ranks: Int, hash: ElementHash, sparsity: Sparsity, compression: Compression
    ) {
        self.op = op
        self.sparsity = sparsity
        self.ranks = ranks
        self.hash = hash
        guard let codec = (try? compression.codec(for: .float32)) ?? nil else {
            preconditionFailure("compression \(compression.name) is checked before it is measured")
        }
        let one = codec.errorBound(largest: 1)
        let sum = codec.errorBound(largest: Float(ranks)) * Double(ranks)
        // Float32 arithmetic rounds as well.
        let rounding = Double(ranks * ranks) * 0x1p-24
        switch op {
        case nil: tolerance = one
        case .sum: tolerance = sum + rounding
        case .average: tolerance = sum / Double(ranks) + one + rounding
        default: tolerance = one * Double(ranks)
        }
    }

    /// Writes a piece of a buffer.
    func fill(
        _ piece: BufferLayout.Piece, of buffer: UnsafeMutableRawBufferPointer, with content: PatternContent
    ) {
        for (offset, index) in piece.elements.enumerated() {
            let value: Float =
                switch content {
                case .input(let rank): input(rank, index)
                case .expected: Float(expected(index))
                case .spoiled: .nan
                }
            buffer.storeBytes(of: value, toByteOffset: (piece.offset + offset) * 4, as: Float.self)
        }
    }

    /// Compares a piece of a buffer with what it should be.
    func compare(
        _ piece: BufferLayout.Piece, of buffer: UnsafeRawBufferPointer, with content: PatternContent
    ) -> Mismatches {
        var result = Mismatches()
        for (offset, index) in piece.elements.enumerated() {
            let value = buffer.loadUnaligned(fromByteOffset: (piece.offset + offset) * 4, as: Float.self)
            let wanted: Double
            var limit = tolerance
            if case .input(let rank) = content {
                (wanted, limit) = (Double(input(rank, index)), 0)
            } else {
                wanted = expected(index)
            }
            let error = (Double(value) - wanted).magnitude
            if error <= limit {
                result.largestError = max(result.largestError, error)
                continue
            }
            if result.count == 0 {
                result.first =
                    "element \(piece.offset + offset) is \(value), expected \(wanted) but for \(limit)"
            }
            result.count += 1
        }
        return result
    }

    private func input(_ rank: Rank, _ index: Int) -> Float {
        if sparsity.isZero(index) { return 0 }
        // Elements that are moved are the same wherever they are.
        let bits = hash(op == nil ? index : index &+ (rank &+ 1) << 40)
        return Float(Int64(bitPattern: bits) >> 40) * 0x1p-23
    }

    private func expected(_ index: Int) -> Double {
        guard let op else { return Double(input(0, index)) }
        var result = Double(input(0, index))
        for rank in 1..<max(1, ranks) {
            let value = Double(input(rank, index))
            switch op {
            case .sum, .average: result += value
            case .product: result *= value
            case .min: result = Swift.min(result, value)
            case .max: result = Swift.max(result, value)
            }
        }
        return op == .average ? result / Double(ranks) : result
    }
}
