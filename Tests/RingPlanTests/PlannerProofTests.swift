import RingCore
import RingPlan
import Testing

/// Every planner, proved for every world size up to 64.
@Suite struct PlannerProofTests {
    /// A count of elements, in place or not.
    struct Case {
        var count: Int
        var isInPlace: Bool
    }

    /// Up to here everything; beyond it, large counts take turns at being in place, to spare time.
    static let smallWorld = 16

    static func cases(_ worldSize: Int) -> [Case] {
        if worldSize <= smallWorld {
            return telling(worldSize).flatMap {
                [Case(count: $0, isInPlace: true), Case(count: $0, isInPlace: false)]
            }
        }
        let isEven = worldSize % 2 == 0
        return [
            Case(count: 0, isInPlace: isEven), Case(count: 1, isInPlace: true),
            Case(count: 1, isInPlace: false),
            Case(count: worldSize - 1, isInPlace: isEven), Case(count: 1_000_003, isInPlace: !isEven),
        ]
    }

    @Test(arguments: 1...64) func ringAllReduce(worldSize: Int) throws {
        for test in Self.cases(worldSize) {
            let (count, isInPlace) = (test.count, test.isInPlace)
            let plans = try plans(
                .allReduce, by: "ring", worldSize: worldSize, elementCount: count, isInPlace: isInPlace)
            let traffic = try Simulator.prove(plans)
            // All chunks but the own go out in the first half, all but the next in the second.
            #expect(traffic.elementsSent.reduce(0, +) == 2 * (worldSize - 1) * count)
            let shares = Partition(count: count, parts: worldSize)
            for (rank, sent) in traffic.elementsSent.enumerated() {
                let next = shares[(rank + 1) % worldSize].count
                #expect(sent == 2 * count - shares[rank].count - next)
            }
            if count >= worldSize {
                #expect(traffic.criticalPath == 2 * (worldSize - 1))
                #expect(traffic.messagesSent.allSatisfy { $0 == 2 * (worldSize - 1) })
            }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }

    @Test(arguments: 1...64) func ringReduceScatter(worldSize: Int) throws {
        for test in Self.cases(worldSize) {
            let (count, isInPlace) = (test.count, test.isInPlace)
            let plans = try plans(
                .reduceScatter, by: "ring", worldSize: worldSize, elementCount: count,
                isInPlace: isInPlace)
            let traffic = try Simulator.prove(plans)
            let shares = Partition(count: count, parts: worldSize)
            for (rank, sent) in traffic.elementsSent.enumerated() {
                #expect(sent == count - shares[rank].count)
            }
            if count >= worldSize { #expect(traffic.criticalPath == worldSize - 1) }
            #expect(plans.allSatisfy { $0.scratchCount <= (isInPlace ? 0 : 2 * shares.largest) })
        }
    }

    @Test(arguments: 1...64) func ringAllGather(worldSize: Int) throws {
        for test in Self.cases(worldSize) {
            let (count, isInPlace) = (test.count, test.isInPlace)
            let traffic = try Simulator.prove(
                plans(
                    .allGather, by: "ring", worldSize: worldSize, elementCount: count,
                    isInPlace: isInPlace))
            let shares = Partition(count: count, parts: worldSize)
            for (rank, sent) in traffic.elementsSent.enumerated() {
                #expect(sent == count - shares[(rank + 1) % worldSize].count)
            }
            if count >= worldSize { #expect(traffic.criticalPath == worldSize - 1) }
        }
    }

    /// Every root of a small world, some of a large one.
    static func roots(_ worldSize: Int) -> [Rank] {
        worldSize <= smallWorld ? Array(0..<worldSize) : [0, worldSize - 1]
    }

    @Test(arguments: 1...64) func pipelinedRingBroadcast(worldSize: Int) throws {
        for root in Self.roots(worldSize) {
            for (count, chunkCount) in [(0, nil), (1, nil), (5, 8), (64, 7), (1_000_003, nil)]
                as [(Int, Int?)]
            {
                let isInPlace = (root + count) % 2 == 0
                let plans = try plans(
                    .broadcast, by: "pipelined-ring", worldSize: worldSize, elementCount: count, root: root,
                    isInPlace: isInPlace, chunkCount: chunkCount)
                let traffic = try Simulator.prove(plans)
                for (rank, sent) in traffic.elementsSent.enumerated() {
                    #expect(sent == ((rank + 1) % worldSize == root ? 0 : count))
                }
                if worldSize > 1, count > 0 {
                    let chunks = min(count, chunkCount ?? PipelinedRingBroadcast.chunkCount(for: count))
                    #expect(traffic.criticalPath == worldSize - 2 + chunks)
                } else {
                    // Empty messages wait for nothing.
                    #expect(traffic.criticalPath == (worldSize > 1 ? 1 : 0))
                }
            }
        }
    }

    @Test(arguments: 1...64) func binomialTreeBroadcast(worldSize: Int) throws {
        // A rank is as many transfers from the root as its number, counted from there, has bits set.
        let depth = (0..<worldSize).map(\.nonzeroBitCount).max()
        for root in Self.roots(worldSize) {
            for count in [0, 1, 1_000_003] {
                for isInPlace in [true, false] {
                    let traffic = try Simulator.prove(
                        plans(
                            .broadcast, by: "binomial-tree", worldSize: worldSize, elementCount: count,
                            root: root,
                            isInPlace: isInPlace))
                    #expect(traffic.elementsSent.reduce(0, +) == (worldSize - 1) * count)
                    #expect(traffic.criticalPath == (count == 0 ? min(1, worldSize - 1) : depth))
                }
            }
        }
    }

    @Test(arguments: 1...64) func disseminationBarrier(worldSize: Int) throws {
        for isInPlace in [true, false] {
            let traffic = try Simulator.prove(
                plans(
                    .barrier, by: "dissemination", worldSize: worldSize, elementCount: 0, isInPlace: isInPlace
                ))
            #expect(traffic.elementsSent.allSatisfy { $0 == 0 })
            #expect(traffic.messagesSent.allSatisfy { $0 == logarithm(worldSize) })
            #expect(traffic.criticalPath == logarithm(worldSize))
        }
    }

    /// Ranks may differ in whether they are in place: it is nobody else's business.
    @Test(arguments: [Collective.allReduce, .reduceScatter, .allGather]) func mixedPlaces(
        collective: Collective
    )
        throws
    {
        let inPlace = try plans(collective, by: "ring", worldSize: 5, elementCount: 23, isInPlace: true)
        let outOfPlace = try plans(collective, by: "ring", worldSize: 5, elementCount: 23, isInPlace: false)
        try Simulator.prove((0..<5).map { $0 % 2 == 0 ? inPlace[$0] : outOfPlace[$0] })
    }

    /// All planners are covered above; this list says so, and fails when one is added without its proof.
    @Test func everyPlannerIsProved() {
        let proved = [
            "all-reduce ring", "reduce-scatter ring", "all-gather ring", "broadcast pipelined-ring",
            "broadcast binomial-tree", "barrier dissemination",
        ]
        #expect(Planners.all.map { "\($0.collective.name) \($0.name)" } == proved)
    }
}
