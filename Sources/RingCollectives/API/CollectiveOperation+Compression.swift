import RingCompression
import RingCore

extension CollectiveOperation {
    /// Why a compressed operation cannot be right, without the rank's and the collective's names.
    struct CompressionRefusal: Error {
        var code: CollectiveError.Code
        var reason: String
    }

    /// How the operation's elements are to be encoded; nil: not at all. Nothing has been sent when it throws.
    func compressionRequest(elementCount: Int) throws(CompressionRefusal) -> CompressionRequest? {
        if compression == .none, feedback == nil { return nil }
        let codec: (any Codec)?
        do {
            codec = try compression.codec(for: dataType)
        } catch { throw CompressionRefusal(code: error.code, reason: error.message) }
        guard let codec else {
            guard feedback == nil else { throw invalid("error feedback is for compressed operations") }
            return nil
        }
        switch collective {
        case .allReduce, .reduce, .reduceScatter, .allGather, .broadcast: break
        default: throw CompressionRefusal(code: .unsupported, reason: "it cannot be compressed; use none")
        }
        if op == .product, !compression.isLossless {
            throw invalid("compression \(compression.name) has no error bound for products; use lz4 or none")
        }
        if let feedback {
            guard collective == .allReduce, op == .sum || op == .average, !compression.isLossless else {
                throw invalid("error feedback is for lossy all-reduce, sum or average")
            }
            guard feedback.count == elementCount else {
                throw invalid(
                    "the error feedback has \(feedback.count) elements, the operation \(elementCount)")
            }
        }
        return CompressionRequest(codec: codec, feedback: feedback, measuresError: measuresError)
    }

    private func invalid(_ reason: String) -> CompressionRefusal {
        CompressionRefusal(code: .invalidArgument, reason: reason)
    }

    /// Whether a compressed operation from one buffer into another is carried out in place, so that whoever completes
    /// elements can replace them by what the others get.
    var isCarriedOutInPlace: Bool {
        guard compression != .none, input != nil else { return false }
        switch collective {
        case .allReduce, .allGather, .broadcast: return true
        default: return false
        }
    }

    /// What is copied to the output first, then.
    func initialCopy(_ shape: OperationShape, rank: Rank, worldSize: Int) -> InitialCopy? {
        guard isCarriedOutInPlace, let input, let start = input.baseAddress, !input.isEmpty else {
            return nil
        }
        switch collective {
        case .broadcast:
            return rank == root ? InitialCopy(source: start, offset: 0, byteCount: input.count) : nil
        case .allGather:
            let before =
                shape.counts.map { $0[..<rank].reduce(0, +) }
                ?? Partition(count: shape.elementCount, parts: worldSize)[rank].lowerBound
            return InitialCopy(source: start, offset: before * dataType.byteCount, byteCount: input.count)
        default: return InitialCopy(source: start, offset: 0, byteCount: input.count)
        }
    }
}
