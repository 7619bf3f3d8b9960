import RingCollectives
import RingCompression
import RingCore
import RingPlan
import RingTestSupport
import Testing

/// Compressed collectives: the same bits on all ranks, within the codec's bound of the exact result.
@Suite(.serialized) struct CompressedCollectiveTests {
    static let lossy: [Compression] = [
        .float16, .bfloat16, .int8(), .int4(), .int8(rounding: .stochastic(seed: 7)), .int8(blockSize: 32),
        Compression.int8().followedByLZ4(), Compression.int4().followedByLZ4(),
    ].filter { (try? $0.codec(for: .float32)) != nil }
    static let all = lossy + [Compression.lz4].filter { (try? $0.codec(for: .float32)) != nil }

    /// What the algorithms of a collective are, as far as a lossy compression can use them.
    private static func algorithms(_ collective: Collective, _ compression: Compression) -> [String] {
        Planners.names(for: collective).filter { compression.isLossless || $0 != "recursive-doubling" }
    }

    @Test(arguments: all, 1...9)
    func allReduce(compression: Compression, worldSize: Int) async throws {
        for algorithm in Self.algorithms(.allReduce, compression) {
            for count in algorithm == "ring" ? [0, 1, 300, 9_001] : [300, 9_001] {
                // Every operator in turn: all of them with all else would take minutes.
                for op in count == 1
                    ? [ReductionOperator.sum, .average, .max] : [count == 300 ? .sum : .average]
                {
                    try await check(
                        compression, worldSize, "\(algorithm), \(op.name) of \(count)", op: op,
                        inputs: (0..<worldSize).map { Self.random(count, seed: $0) }
                    ) { communicator, elements in
                        try elements.withUnsafeMutableBufferPointer {
                            _ = try communicator.run(
                                .allReduce($0, op, compression: compression).using(Algorithm(name: algorithm))
                            )
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: all, [2, 3, 5])
    func outOfPlace(compression: Compression, worldSize: Int) async throws {
        let count = 9_001
        try await check(
            compression, worldSize, "out of place", op: .average,
            inputs: (0..<worldSize).map { Self.random(count, seed: $0) }
        ) { communicator, elements in
            let input = elements
            try input.withUnsafeBufferPointer { input in
                try elements.withUnsafeMutableBufferPointer {
                    _ = try communicator.run(
                        .allReduce(from: input, into: $0, .average, compression: compression))
                }
            }
            if elements == input, worldSize > 1 { Issue.record("the output is the input") }
        }
    }

    @Test(arguments: all, [2, 3, 4, 7])
    func broadcast(compression: Compression, worldSize: Int) async throws {
        let root = worldSize - 1
        for algorithm in Self.algorithms(.broadcast, compression) {
            for isInPlace in [true, false] {
                try await check(
                    compression, worldSize, algorithm, op: nil, inputs: [Self.random(70_001, seed: root)]
                ) { communicator, elements in
                    let input = elements
                    if communicator.rank != root || !isInPlace {
                        elements = [Float](repeating: -5, count: input.count)
                    }
                    try elements.withUnsafeMutableBufferPointer { output in
                        try input.withUnsafeBufferPointer { input in
                            let operation: CollectiveOperation =
                                isInPlace
                                ? .broadcast(output, root: root)
                                : .broadcast(from: input, into: output, root: root)
                            _ = try communicator.run(
                                operation.using(Algorithm(name: algorithm)).compressed(compression))
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: all, [2, 3, 4, 7])
    func allGather(compression: Compression, worldSize: Int) async throws {
        let count = 40_003
        let whole = Self.random(count, seed: 1)
        for algorithm in Self.algorithms(.allGather, compression) {
            for isInPlace in [true, false] {
                try await check(compression, worldSize, algorithm, op: nil, inputs: [whole]) {
                    communicator, elements in
                    let share = Partition(count: count, parts: worldSize)[communicator.rank]
                    let input = Array(whole[share])
                    elements = [Float](repeating: -5, count: count)
                    elements.replaceSubrange(share, with: input)
                    try elements.withUnsafeMutableBufferPointer { output in
                        try input.withUnsafeBufferPointer { input in
                            let operation: CollectiveOperation =
                                isInPlace ? .allGather(output) : .allGather(from: input, into: output)
                            _ = try communicator.run(
                                operation.using(Algorithm(name: algorithm)).compressed(compression))
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: all, [2, 3, 4, 7])
    func reduceAndReduceScatter(compression: Compression, worldSize: Int) async throws {
        let count = 20_001
        let inputs = (0..<worldSize).map { Self.random(count, seed: $0) }
        for collective in [Collective.reduce, .reduceScatter] {
            for algorithm in Self.algorithms(collective, compression) {
                let parts = try await withRanks(worldSize) { communicator in
                    var output = [Float](
                        repeating: -5,
                        count: collective == .reduce
                            ? count : Partition(count: count, parts: worldSize)[communicator.rank].count)
                    try inputs[communicator.rank].withUnsafeBufferPointer { input in
                        try output.withUnsafeMutableBufferPointer {
                            let operation: CollectiveOperation =
                                collective == .reduce
                                ? .reduce(from: input, into: $0, .sum, root: 0)
                                : .reduceScatter(from: input, into: $0, .sum)
                            _ = try communicator.run(
                                operation.using(Algorithm(name: algorithm)).compressed(compression))
                        }
                    }
                    return output
                }
                let result = collective == .reduce ? parts[0] : parts.flatMap { $0 }
                try expectWithinBound(result, compression, .sum, inputs, "\(collective.name), \(algorithm)")
            }
        }
    }

    // MARK: Support

    /// Runs a call on ranks with inputs (one for all, where there is only one), and checks results.
    private func check(
        _ compression: Compression, _ worldSize: Int, _ what: String, op: ReductionOperator?,
        inputs: [[Float]],
        _ call: @escaping @Sendable (Communicator, inout [Float]) throws -> Void
    ) async throws {
        let results = try await withRanks(worldSize) { communicator in
            // Twice: the same call has the same result.
            try (0..<2).map { _ in
                var elements = inputs.count == 1 ? inputs[0] : inputs[communicator.rank]
                try call(communicator, &elements)
                return elements
            }
        }
        let isRepeatable = compression.rounding == .nearest
        for (rank, runs) in results.enumerated() {
            let first = runs[0].map(\.bitPattern)
            if results[0][0].map(\.bitPattern) != first { Issue.record("rank \(rank) differs: \(what)") }
            if isRepeatable, runs[1].map(\.bitPattern) != first {
                Issue.record("the second run differs: \(what)")
            }
        }
        try expectWithinBound(results[0][0], compression, op, inputs, what)
    }

    private func expectWithinBound(
        _ result: [Float], _ compression: Compression, _ op: ReductionOperator?, _ inputs: [[Float]],
        _ what: String
    ) throws {
        let codec = try #require(try compression.codec(for: .float32))
        let ranks = inputs.count
        let sum = codec.errorBound(largest: Float(ranks)) * Double(ranks)
        let rounding = Double(ranks * ranks) * 0x1p-24
        for (index, value) in result.enumerated() {
            let values = inputs.map { Double($0[index]) }
            let (exact, bound): (Double, Double) =
                switch op {
                case nil: (values[0], codec.errorBound(largest: 1))
                case .max: (values.max()!, codec.errorBound(largest: 1) * Double(ranks))
                case .average:
                    (
                        values.reduce(0, +) / Double(ranks),
                        sum / Double(ranks) + codec.errorBound(largest: 1) + rounding
                    )
                default: (values.reduce(0, +), sum + rounding)
                }
            guard (Double(value) - exact).magnitude <= bound else {
                Issue.record("\(what): element \(index) is \(value), exact \(exact), bound \(bound)")
                return
            }
        }
    }

    private static func random(_ count: Int, seed: Int) -> [Float] {
        var generator = SplitMix64(state: UInt64(seed) &* 7919 + 1)
        return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
    }
}
