import RingCollectives
import RingCompression
import RingCore
import RingPlan
import Testing

/// Compressed collectives: the same bits on all ranks and runs, within the codec's bound of the exact result.
///
/// The ranks of a world are connected once, for all that is tried with them.
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

    @Test(arguments: 1...9) func allReduce(worldSize: Int) async throws {
        // Every operator, but not with everything.
        let cases: [(count: Int, op: ReductionOperator)] = [
            (0, .sum), (1, .sum), (1, .average), (1, .max), (300, .sum), (9_001, .average),
        ]
        try await withGroup(worldSize) { group in
            for (count, op) in cases {
                let expectation = CompressedExpectation(op, count: count, worldSize: worldSize)
                for compression in Self.all {
                    for algorithm in Self.algorithms(.allReduce, compression)
                    where count > 1 || algorithm == "ring" {
                        try await group.allReduce(expectation, op, compression, algorithm)
                    }
                }
            }
        }
    }

    @Test(arguments: [2, 3, 5]) func outOfPlace(worldSize: Int) async throws {
        let expectation = CompressedExpectation(.average, count: 9_001, worldSize: worldSize)
        try await withGroup(worldSize) { group in
            for compression in Self.all {
                try await group.expect(expectation, .everywhere, compression, "out of place") {
                    communicator, input in
                    var output = [Float](repeating: -5, count: input.count)
                    try input.withUnsafeBufferPointer { input in
                        try output.withUnsafeMutableBufferPointer {
                            _ = try communicator.run(
                                .allReduce(from: input, into: $0, .average, compression: compression))
                        }
                    }
                    if input != expectation.inputs[communicator.rank] { Issue.record("the input is changed") }
                    return output
                }
            }
        }
    }

    @Test(arguments: 1...9) func broadcast(worldSize: Int) async throws {
        let expectation = CompressedExpectation(nil, count: Self.count(worldSize), worldSize: worldSize)
        try await withGroup(worldSize) { group in
            for compression in Self.all {
                for algorithm in Self.algorithms(.broadcast, compression) {
                    for isInPlace in [true, false] {
                        try await group.broadcast(expectation, compression, algorithm, isInPlace: isInPlace)
                    }
                }
            }
        }
    }

    @Test(arguments: 1...9) func allGather(worldSize: Int) async throws {
        let expectation = CompressedExpectation(nil, count: Self.count(worldSize), worldSize: worldSize)
        try await withGroup(worldSize) { group in
            for compression in Self.all {
                for algorithm in Self.algorithms(.allGather, compression) {
                    for isInPlace in [true, false] {
                        try await group.allGather(expectation, compression, algorithm, isInPlace: isInPlace)
                    }
                }
            }
        }
    }

    @Test(arguments: 1...9) func reduceAndReduceScatter(worldSize: Int) async throws {
        let expectation = CompressedExpectation(.sum, count: Self.count(worldSize), worldSize: worldSize)
        try await withGroup(worldSize) { group in
            for compression in Self.all {
                for collective in [Collective.reduce, .reduceScatter] {
                    for algorithm in Self.algorithms(collective, compression) {
                        try await group.reduce(expectation, collective, compression, algorithm)
                    }
                }
            }
        }
    }

    /// Enough for several segments in a chunk in the small worlds, and for several chunks in the large ones.
    private static func count(_ worldSize: Int) -> Int { worldSize <= 3 ? 70_001 : 20_001 }

    @Test(arguments: [RankOptions.Wire.tcp, .rdma]) func overOtherWires(wire: RankOptions.Wire) async throws {
        var options = RankOptions()
        options.wire = wire
        let worldSize = 3
        let sum = CompressedExpectation(.sum, count: 100_003, worldSize: worldSize)
        let whole = CompressedExpectation(nil, count: 100_003, worldSize: worldSize)
        try await withGroup(worldSize, options) { group in
            for compression in Self.all {
                for algorithm in ["ring", "direct", "halving-doubling"] {
                    try await group.allReduce(sum, .sum, compression, algorithm)
                }
                try await group.reduce(sum, .reduceScatter, compression, "ring")
                try await group.broadcast(whole, compression, "pipelined-ring", isInPlace: true)
                try await group.allGather(whole, compression, "ring", isInPlace: true)
            }
        }
    }

    /// LZ4 takes every type and operator, and changes nothing.
    @Test(arguments: 1...9) func lz4IsExact(worldSize: Int) async throws {
        guard Self.all.contains(.lz4) else { return }
        try await withRanks(worldSize) { communicator in
            for dataType in DataType.allCases {
                func run(_ collective: Collective, _ count: Int, _ op: ReductionOperator = .sum) throws {
                    try Exercise(
                        collective: collective, count: count, dataType: dataType, op: op,
                        root: worldSize - 1,
                        isInPlace: count % 2 == 0, compression: .lz4
                    ).run(on: communicator)
                }
                let isLong = worldSize == 3 && dataType == .int16
                for op in ReductionOperator.allCases { try run(.allReduce, isLong ? 30_001 : 67, op) }
                // More than a segment, of one type of each kind: the others' do not differ.
                let largest = [DataType.float64, .uint8].contains(dataType) ? 20_002 : 402
                for collective in [Collective.allReduce, .reduce, .reduceScatter, .allGather, .broadcast] {
                    for count in [0, 1, largest] { try run(collective, count) }
                }
            }
        }
    }
}

extension RankGroup {
    fileprivate func allReduce(
        _ expectation: CompressedExpectation, _ op: ReductionOperator, _ compression: Compression,
        _ algorithm: String
    ) async throws {
        let what = "\(algorithm), \(op.name) of \(expectation.inputs[0].count)"
        try await expect(expectation, .everywhere, compression, what) { communicator, input in
            var elements = input
            try elements.withUnsafeMutableBufferPointer {
                _ = try communicator.run(
                    .allReduce($0, op, compression: compression).using(Algorithm(name: algorithm)))
            }
            return elements
        }
    }

    fileprivate func broadcast(
        _ expectation: CompressedExpectation, _ compression: Compression, _ algorithm: String, isInPlace: Bool
    ) async throws {
        try await expect(expectation, .everywhere, compression, "broadcast, \(algorithm)") {
            communicator, input in
            let root = communicator.worldSize - 1
            var elements = input
            if communicator.rank != root || !isInPlace {
                elements = [Float](repeating: -5, count: input.count)
            }
            try elements.withUnsafeMutableBufferPointer { output in
                try input.withUnsafeBufferPointer { input in
                    let operation: CollectiveOperation =
                        isInPlace
                        ? .broadcast(output, root: root) : .broadcast(from: input, into: output, root: root)
                    _ = try communicator.run(
                        operation.using(Algorithm(name: algorithm)).compressed(compression))
                }
            }
            return elements
        }
    }

    fileprivate func allGather(
        _ expectation: CompressedExpectation, _ compression: Compression, _ algorithm: String, isInPlace: Bool
    ) async throws {
        try await expect(expectation, .everywhere, compression, "all-gather, \(algorithm)") {
            communicator, whole in
            let share = Partition(count: whole.count, parts: communicator.worldSize)[communicator.rank]
            let input = Array(whole[share])
            var elements = [Float](repeating: -5, count: whole.count)
            elements.replaceSubrange(share, with: input)
            try elements.withUnsafeMutableBufferPointer { output in
                try input.withUnsafeBufferPointer { input in
                    let operation: CollectiveOperation =
                        isInPlace ? .allGather(output) : .allGather(from: input, into: output)
                    _ = try communicator.run(
                        operation.using(Algorithm(name: algorithm)).compressed(compression))
                }
            }
            return elements
        }
    }

    fileprivate func reduce(
        _ expectation: CompressedExpectation, _ collective: Collective, _ compression: Compression,
        _ algorithm: String
    ) async throws {
        let outcome: Outcome = collective == .reduce ? .atRankZero : .inShares
        try await expect(expectation, outcome, compression, "\(collective.name), \(algorithm)") {
            communicator, input in
            let share = Partition(count: input.count, parts: communicator.worldSize)[communicator.rank]
            // The output of a reduce is rank 0's alone.
            var output = [Float](repeating: -5, count: collective == .reduce ? input.count : share.count)
            try input.withUnsafeBufferPointer { input in
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
    }
}
