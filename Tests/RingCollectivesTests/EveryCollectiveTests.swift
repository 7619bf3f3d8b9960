import RingCollectives
import RingCore
import RingPlan
import Testing

/// The collectives with a root and the all-to-all, and the counts that callers give, for small worlds.
@Suite(.serialized) struct EveryCollectiveTests {
    static let rooted = [Collective.reduce, .gather, .scatter]

    @Test(arguments: 1...9) func everyCountAndRoot(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            for count in CollectiveTests.counts(worldSize) {
                for isInPlace in [true, false] {
                    for (index, collective) in Self.rooted.enumerated() {
                        for root in Set([0, worldSize - 1, (count + index) % worldSize]).sorted() {
                            try Exercise(
                                collective: collective, count: count, root: root, isInPlace: isInPlace
                            ).run(on: communicator)
                        }
                    }
                    try Exercise(
                        collective: .allToAll, count: count * worldSize, isInPlace: isInPlace
                    ).run(on: communicator)
                }
            }
        }
    }

    @Test(arguments: [2, 4], [RankOptions.Wire.tcp, .rdma])
    func overOtherWires(worldSize: Int, wire: RankOptions.Wire) async throws {
        var options = RankOptions()
        options.wire = wire
        try await withRanks(worldSize, options) { communicator in
            for count in [0, 5, 100_003] {
                for collective in Self.rooted {
                    try Exercise(collective: collective, count: count, root: 1).run(on: communicator)
                }
                try Exercise(collective: .allToAll, count: count * worldSize, isInPlace: false)
                    .run(on: communicator)
            }
        }
    }

    @Test(arguments: [1, 2, 3, 5]) func everyType(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            for dataType in DataType.allCases {
                for op in ReductionOperator.allCases {
                    try Exercise(
                        collective: .reduce, count: 67, dataType: dataType, op: op, root: worldSize / 2,
                        isInPlace: op != .sum
                    ).run(on: communicator)
                }
                for collective in [Collective.gather, .scatter] {
                    try Exercise(collective: collective, count: 67, dataType: dataType, root: worldSize - 1)
                        .run(on: communicator)
                }
                try Exercise(collective: .allToAll, count: 11 * worldSize, dataType: dataType)
                    .run(on: communicator)
            }
        }
    }

    /// Whatever the planners offer, by its name, for even shares and others.
    @Test(arguments: [2, 5, 6]) func everyAlgorithm(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            for planner in Planners.all where planner.collective != .sendReceive {
                for isInPlace in [true, false] {
                    try Exercise(
                        collective: planner.collective, count: 60 * worldSize, root: worldSize / 2,
                        isInPlace: isInPlace, algorithm: Algorithm(name: planner.name)
                    ).run(on: communicator)
                }
            }
        }
    }

    /// Ranks may differ in whether they are in place.
    @Test func mixedPlaces() async throws {
        try await withRanks(4) { communicator in
            for collective in Self.rooted {
                try Exercise(
                    collective: collective, count: 103, root: 2, isInPlace: communicator.rank % 2 == 0
                ).run(on: communicator)
            }
            try Exercise(collective: .allToAll, count: 40, isInPlace: communicator.rank % 2 == 0)
                .run(on: communicator)
        }
    }

    // MARK: Counts of the caller's

    /// Counts for a world: equal, rising, none for some, all for one, none at all.
    static func countsToTry(_ worldSize: Int) -> [[Int]] {
        let ranks = 0..<worldSize
        return [
            ranks.map { _ in 3 }, ranks.map { $0 }, ranks.map { ($0 * 5 + 2) % 3 == 0 ? 0 : 40 - $0 },
            ranks.map { $0 == worldSize - 1 ? 501 : 0 }, ranks.map { $0 == 0 ? 2 : 0 }, ranks.map { _ in 0 },
        ]
    }

    @Test(arguments: 1...9) func counts(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            for counts in Self.countsToTry(worldSize) {
                for isInPlace in [true, false] {
                    for collective in [Collective.allGather, .reduceScatter, .gather, .scatter] {
                        try Exercise(
                            collective: collective, count: counts.reduce(0, +), root: counts.count / 2,
                            isInPlace: isInPlace, counts: counts
                        ).run(on: communicator)
                    }
                }
            }
            let exercise = Exercise(collective: .allToAll, count: 0)
            try exercise.runExchange(on: communicator) { from, to in (from * 7 + to * 3) % 5 * 11 }
            try exercise.runExchange(on: communicator) { from, to in from == 0 && to > 0 ? 9 : 0 }
            try exercise.runExchange(on: communicator) { _, _ in 0 }
            try exercise.runExchange(on: communicator) { from, to in from == to ? 4 : 0 }
        }
    }

    @Test(arguments: DataType.allCases) func countsOfEveryType(dataType: DataType) async throws {
        try await withRanks(3) { communicator in
            for collective in [Collective.allGather, .reduceScatter, .gather, .scatter] {
                try Exercise(
                    collective: collective, count: 20, dataType: dataType, root: 1, isInPlace: false,
                    counts: [7, 0, 13]
                ).run(on: communicator)
            }
            try Exercise(collective: .allToAll, count: 0, dataType: dataType)
                .runExchange(on: communicator) { from, to in from + 2 * to }
        }
    }

    // MARK: Counts that do not agree

    /// A call of which one rank's counts differ.
    struct Disagreement: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Makes the call of a rank, which is the odd one or not, with 100 elements of memory for each buffer.
        var make:
            @Sendable (Rank, _ isOdd: Bool, UnsafeMutableRawBufferPointer, UnsafeMutableRawBufferPointer) ->
                CollectiveOperation
    }

    private static func part(_ bytes: UnsafeMutableRawBufferPointer, _ count: Int)
        -> UnsafeMutableRawBufferPointer
    {
        UnsafeMutableRawBufferPointer(rebasing: bytes[..<(count * 4)])
    }

    static let disagreements = [
        Disagreement(testDescription: "all-gather") { rank, isOdd, input, output in
            let counts = isOdd ? [6, 4, 5] : [5, 5, 5]
            return .allGather(
                from: UnsafeRawBufferPointer(part(input, counts[rank])), into: part(output, 15), .float32,
                counts: counts)
        },
        Disagreement(testDescription: "all-gather, others' shares") { rank, isOdd, input, output in
            // The odd rank's own count is that of the others' view.
            let counts = isOdd ? [4, 6, 5] : [6, 4, 5]
            return .allGather(part(output, 15), .float32, counts: rank == 2 ? counts : [6, 4, 5])
        },
        Disagreement(testDescription: "reduce-scatter") { rank, isOdd, input, output in
            .reduceScatter(part(output, 15), .float32, .sum, counts: isOdd ? [6, 4, 5] : [5, 5, 5])
        },
        Disagreement(testDescription: "gather, more than the root expects") { rank, isOdd, input, output in
            .gather(
                from: UnsafeRawBufferPointer(part(input, isOdd ? 6 : 5)),
                into: part(output, rank == 0 ? 15 : 0), .float32, counts: rank == 0 ? [5, 5, 5] : [], root: 0)
        },
        Disagreement(testDescription: "gather, less than the root expects") { rank, isOdd, input, output in
            .gather(
                from: UnsafeRawBufferPointer(part(input, isOdd ? 3 : 5)),
                into: part(output, rank == 0 ? 15 : 0), .float32, counts: rank == 0 ? [5, 5, 5] : [], root: 0)
        },
        Disagreement(testDescription: "gather, nothing where the root expects") {
            rank, isOdd, input, output in
            .gather(
                from: UnsafeRawBufferPointer(part(input, isOdd ? 0 : 5)),
                into: part(output, rank == 0 ? 15 : 0), .float32, counts: rank == 0 ? [5, 5, 5] : [], root: 0)
        },
        Disagreement(testDescription: "scatter") { rank, isOdd, input, output in
            .scatter(
                from: UnsafeRawBufferPointer(part(input, rank == 0 ? 15 : 0)),
                into: part(output, isOdd ? 4 : 5), .float32, counts: rank == 0 ? [5, 5, 5] : [], root: 0)
        },
        Disagreement(testDescription: "all-to-all") { rank, isOdd, input, output in
            // The odd rank sends rank 0 one element more than it expects.
            let counts = isOdd ? [3, 2, 2] : [2, 2, 2]
            return .allToAll(
                from: UnsafeRawBufferPointer(part(input, counts.reduce(0, +))), counts: counts,
                into: part(output, 6), receiveCounts: [2, 2, 2], .float32)
        },
        Disagreement(testDescription: "by counts or not") { rank, isOdd, input, output in
            isOdd
                ? .gather(part(output, 15), .float32, root: 0)
                : .gather(part(output, 15), .float32, counts: [5, 5, 5], root: 0)
        },
        Disagreement(testDescription: "even, another count") { rank, isOdd, input, output in
            .allToAll(part(output, isOdd ? 9 : 6), .float32)
        },
        Disagreement(testDescription: "even, nothing on one rank") { rank, isOdd, input, output in
            .allToAll(part(output, isOdd ? 0 : 6), .float32)
        },
    ]

    /// Ranks whose counts do not agree all get the one error that says so, well before any deadline.
    @Test(arguments: disagreements) func wrongCounts(_ disagreement: Disagreement) async throws {
        let group = try await RankGroup.connect(3)
        let watch = Stopwatch()
        let outcomes = await group.run(timing: watch) { communicator in
            var (input, output) = ([Float](repeating: 1, count: 100), [Float](repeating: 2, count: 100))
            try input.withUnsafeMutableBytes { input in
                try output.withUnsafeMutableBytes { output in
                    // Ranks whose own part is done go on to a barrier, where they find out.
                    _ = try communicator.run(
                        disagreement.make(communicator.rank, communicator.rank == 2, input, output))
                    try communicator.barrier()
                }
            }
        }
        #expect(watch.elapsed < FailureTests.slack)
        let error = try FailureTests.commonError(outcomes)
        #expect(error.code == .mismatch, "\(error)")
        #expect(error.message.contains("rank 2"), "\(error)")
        await group.close()
    }
}
