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

    /// Up to here everything; beyond it, counts take turns at being in place, to spare time.
    static let smallWorld = 16

    /// In place and out of place, or, in a large world, one of them.
    static func places(_ worldSize: Int) -> [Bool] {
        worldSize <= smallWorld ? [true, false] : [worldSize % 2 == 0]
    }

    static func cases(_ worldSize: Int) -> [Case] {
        if worldSize <= smallWorld {
            return telling(worldSize).flatMap {
                [Case(count: $0, isInPlace: true), Case(count: $0, isInPlace: false)]
            }
        }
        let isEven = worldSize % 2 == 0
        return [
            Case(count: worldSize % 3 == 0 ? 0 : 1, isInPlace: isEven),
            Case(count: worldSize - 1, isInPlace: isEven), Case(count: 1_000_003, isInPlace: !isEven),
        ]
    }

    /// Counts that differ between ranks or pairs of ranks: all that can go wrong, or, in a large world, by turns.
    static func counts(_ worldSize: Int, of count: Int) -> [[Int]] {
        let all = tellingCounts(count)
        return worldSize <= smallWorld ? all : [all[worldSize / 2 % all.count]]
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
                    let chunks = min(count, chunkCount ?? Pipeline.chunkCount(for: count))
                    #expect(traffic.criticalPath == worldSize - 2 + chunks)
                } else {
                    // Empty messages wait for nothing.
                    #expect(traffic.criticalPath == (worldSize > 1 ? 1 : 0))
                }
            }
        }
    }

    @Test(arguments: 1...64) func binomialTreeBroadcast(worldSize: Int) throws {
        for root in Self.roots(worldSize) {
            for count in [0, 1, 1_000_003] {
                for isInPlace in [true, false] {
                    let traffic = try Simulator.prove(
                        plans(
                            .broadcast, by: "binomial-tree", worldSize: worldSize, elementCount: count,
                            root: root,
                            isInPlace: isInPlace))
                    #expect(traffic.elementsSent.reduce(0, +) == (worldSize - 1) * count)
                    // A rank is as many transfers from the root as its number, counted from there, has bits set.
                    #expect(traffic.criticalPath == (count == 0 ? min(1, worldSize - 1) : depth(worldSize)))
                }
            }
        }
    }

    @Test(arguments: 1...64) func directBroadcast(worldSize: Int) throws {
        for root in Self.roots(worldSize) {
            for count in [0, 1, 1_000_003] {
                let traffic = try Simulator.prove(
                    plans(
                        .broadcast, by: "direct", worldSize: worldSize, elementCount: count, root: root,
                        isInPlace: (root + count) % 2 == 0))
                for (rank, sent) in traffic.elementsSent.enumerated() {
                    #expect(sent == (rank == root ? (worldSize - 1) * count : 0))
                }
                #expect(traffic.criticalPath == min(1, worldSize - 1))
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
    @Test(arguments: Planners.all.map { PlannerName($0) }, [2, 5, 8]) func mixedPlaces(
        planner: PlannerName, worldSize: Int
    ) throws {
        let count = planner.collective == .barrier ? 0 : 2 * worldSize * worldSize
        let both = try [true, false].map {
            try plans(
                planner.collective, by: planner.name, worldSize: worldSize, elementCount: count,
                root: worldSize / 2, isInPlace: $0)
        }
        try Simulator.prove((0..<worldSize).map { both[$0 % 2][$0] })
        try Simulator.prove((0..<worldSize).map { both[($0 + 1) % 2][$0] })
    }

    /// All planners are covered above and in the proofs by collective; this list says so, and fails when one is added without its proof.
    @Test func everyPlannerIsProved() {
        let proved = [
            "all-reduce ring", "all-reduce bidirectional-ring", "all-reduce double-binary-tree",
            "all-reduce halving-doubling", "all-reduce recursive-doubling", "all-reduce binomial-tree",
            "all-reduce direct", "reduce-scatter ring", "reduce-scatter direct", "all-gather ring",
            "all-gather bruck", "all-gather direct", "broadcast pipelined-ring", "broadcast binomial-tree",
            "broadcast direct", "reduce pipelined-ring", "reduce binomial-tree", "gather direct",
            "gather binomial-tree", "scatter direct", "scatter binomial-tree", "all-to-all pairwise",
            "all-to-all bruck", "barrier dissemination",
        ]
        #expect(Planners.all.map { "\($0.collective.name) \($0.name)" } == proved)
    }
}
