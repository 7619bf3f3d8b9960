import RingCollectives
import RingCompression
import RingCore
import RingTestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Inputs of a compressed collective, from -1 to 1, and what must come of them but for the codec's error.
struct CompressedExpectation: Sendable {
    /// By rank; those of the root or of the whole where elements are only moved.
    let inputs: [[Float]]
    private let op: ReductionOperator?
    private let ranks: Int
    private let exact: [Double]

    /// For a reduction by `op`, or for elements that are only moved.
    init(_ op: ReductionOperator?, count: Int, worldSize: Int) {
        self.op = op
        ranks = worldSize
        let inputs = (0..<(op == nil ? 1 : worldSize)).map { rank in
            var generator = SplitMix64(state: UInt64(rank) &* 7919 + 1)
            return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
        }
        self.inputs = inputs
        var exact = inputs[0].map { Double($0) }
        for input in inputs.dropFirst() {
            for index in 0..<count {
                exact[index] =
                    op == .max ? max(exact[index], Double(input[index])) : exact[index] + Double(input[index])
            }
        }
        if op == .average { for index in 0..<count { exact[index] /= Double(worldSize) } }
        self.exact = exact
    }

    /// How far a result may be off: each element is encoded less often than there are ranks on its way into a sum, and
    /// once more as the result.
    private func bound(_ codec: any Codec) -> Double {
        let one = codec.errorBound(largest: 1)
        let sum = codec.errorBound(largest: Float(ranks)) * Double(ranks)
        let rounding = Double(ranks * ranks) * 0x1p-24
        return switch op {
        case nil: one
        case .max: one * Double(ranks)
        case .average: sum / Double(ranks) + one + rounding
        default: sum + rounding
        }
    }

    /// Records the first element of a result that is not near enough.
    func expect(_ result: [Float], _ compression: Compression, _ what: String) throws {
        let codec = try #require(try compression.codec(for: .float32))
        let bound = bound(codec)
        #expect(result.count == exact.count, "\(compression.name), \(ranks) ranks, \(what)")
        for (index, value) in result.enumerated() where !((Double(value) - exact[index]).magnitude <= bound) {
            Issue.record(
                "\(compression.name), \(ranks) ranks, \(what): element \(index) is \(value), exact \(exact[index]), bound \(bound)"
            )
            return
        }
    }
}

extension RankGroup {
    /// Which ranks have what of a collective's result.
    enum Outcome {
        /// All ranks have all of it, the same bits.
        case everywhere
        /// Each rank has its share.
        case inShares
        /// Rank 0 has it.
        case atRankZero
    }

    /// Runs a compressed call twice, which gives the same bits, and holds the result against what is expected.
    ///
    /// The call is given a copy of what the rank contributes, and returns what the rank has afterwards.
    func expect(
        _ expectation: CompressedExpectation, _ outcome: Outcome = .everywhere, _ compression: Compression,
        _ what: String, _ call: @escaping @Sendable (Communicator, [Float]) throws -> [Float]
    ) async throws {
        let runs = try await run { communicator in
            try (0..<2).map { _ in
                let inputs = expectation.inputs
                return try call(communicator, inputs.count == 1 ? inputs[0] : inputs[communicator.rank])
            }
        }.map { try $0.get() }
        let name = "\(compression.name), \(runs.count) ranks, \(what)"
        for (rank, results) in runs.enumerated() {
            if compression.rounding == .nearest, !isSame(results[0], results[1]) {
                Issue.record("\(name): rank \(rank)'s second run differs")
            }
            if case .everywhere = outcome, !isSame(results[0], runs[0][0]) {
                Issue.record("\(name): rank \(rank) differs from rank 0")
            }
        }
        let result =
            switch outcome {
            case .everywhere, .atRankZero: runs[0][0]
            case .inShares: runs.flatMap { $0[0] }
            }
        try expectation.expect(result, compression, what)
    }

    /// Whether the bits are the same; as `==` of their patterns, which in a debug build takes its time.
    private func isSame(_ left: [Float], _ right: [Float]) -> Bool {
        left.count == right.count && (left.isEmpty || memcmp(left, right, left.count * 4) == 0)
    }
}
