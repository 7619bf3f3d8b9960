import RingCollectives
import RingCore
import RingPlan
import Testing

/// Every collective, for small worlds and the counts at which a split can go wrong.
@Suite(.serialized) struct CollectiveTests {
    static func counts(_ worldSize: Int) -> [Int] {
        Set([0, 1, worldSize - 1, worldSize, worldSize + 1, 2 * worldSize + 3, 1_001]).sorted()
    }

    @Test(arguments: 1...9) func everyCount(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            for count in Self.counts(worldSize) {
                for isInPlace in [true, false] {
                    for collective in [Collective.allReduce, .reduceScatter, .allGather] {
                        try Exercise(collective: collective, count: count, isInPlace: isInPlace).run(
                            on: communicator)
                    }
                }
            }
        }
    }

    @Test(arguments: 1...9) func everyRootAndAlgorithm(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            for root in 0..<worldSize {
                for name in Planners.names(for: .broadcast) + ["auto"] {
                    for (index, count) in [0, 1, worldSize, 1_001].enumerated() {
                        try Exercise(
                            collective: .broadcast, count: count, root: root,
                            isInPlace: (index + root) % 2 == 0,
                            algorithm: Algorithm(name: name)
                        ).run(on: communicator)
                    }
                }
            }
        }
    }

    /// Whatever the planners offer, by its name.
    @Test(arguments: [2, 5]) func everyAlgorithm(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            for planner in Planners.all {
                let exercise = Exercise(
                    collective: planner.collective,
                    count: planner.collective == .allToAll ? 700 : 777,
                    algorithm: Algorithm(name: planner.name))
                try exercise.run(on: communicator)
            }
        }
    }

    @Test(arguments: [1, 2, 3, 5]) func everyTypeAndOperator(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            for dataType in DataType.allCases {
                for op in ReductionOperator.allCases {
                    for (index, collective) in [Collective.allReduce, .reduceScatter].enumerated() {
                        try Exercise(
                            collective: collective, count: 67, dataType: dataType, op: op,
                            isInPlace: index == 0
                        ).run(on: communicator)
                    }
                }
                try Exercise(collective: .allGather, count: 67, dataType: dataType).run(on: communicator)
                try Exercise(collective: .broadcast, count: 67, dataType: dataType, root: worldSize - 1)
                    .run(on: communicator)
            }
        }
    }

    /// The quotient of an integer average is rounded towards zero, on either side of it.
    @Test func integerAverage() async throws {
        let results = try await withRanks(3) { communicator in
            var elements: [Int32] = [
                communicator.rank == 0 ? -5 : 0, communicator.rank == 1 ? 5 : 0, -3, Int32.max,
            ]
            try elements.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .average) }
            return elements
        }
        let wrapped = Int32.max &+ Int32.max &+ Int32.max
        for result in results { #expect(result == [-1, 1, -3, wrapped / 3]) }
    }

    /// Ranks may differ in whether they are in place.
    @Test func mixedPlaces() async throws {
        try await withRanks(4) { communicator in
            for collective in [Collective.allReduce, .reduceScatter, .allGather] {
                try Exercise(collective: collective, count: 103, isInPlace: communicator.rank % 2 == 0)
                    .run(on: communicator)
            }
        }
    }

    /// No rank leaves a barrier before the last has come.
    @Test(arguments: [2, 3, 8]) func barrierHoldsEverybody(worldSize: Int) async throws {
        let arrivals = Counter()
        try await withRanks(worldSize) { communicator in
            for round in 1...20 {
                arrivals.add()
                try communicator.barrier()
                guard arrivals.value >= round * worldSize else {
                    throw Wrong(description: "rank \(communicator.rank) left barrier \(round) early")
                }
                try communicator.barrier()
            }
        }
    }
}
