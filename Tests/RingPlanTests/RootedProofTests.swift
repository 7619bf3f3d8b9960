import RingCore
import RingPlan
import Testing

/// Reduce, gather and scatter, proved for every world size up to 64, from and to every root of a small world.
@Suite struct RootedProofTests {
    /// A rank's number, counted from the root.
    private func number(_ rank: Rank, _ root: Rank, _ worldSize: Int) -> Int {
        (rank + worldSize - root) % worldSize
    }

    @Test(arguments: 1...64) func pipelinedRingReduce(worldSize: Int) throws {
        for root in PlannerProofTests.roots(worldSize) {
            for (count, chunkCount) in [(0, nil), (1, nil), (5, 8), (64, 7), (1_000_003, nil)]
                as [(Int, Int?)]
            {
                for isInPlace in PlannerProofTests.places(worldSize) {
                    let plans = try plans(
                        .reduce, by: "pipelined-ring", worldSize: worldSize, elementCount: count, root: root,
                        isInPlace: isInPlace, chunkCount: chunkCount)
                    let traffic = try Simulator.prove(plans)
                    for (rank, sent) in traffic.elementsSent.enumerated() {
                        #expect(sent == (rank == root ? 0 : count))
                    }
                    let chunks = plans[0].chunks
                    if worldSize > 1, count > 0 {
                        #expect(traffic.criticalPath == worldSize - 2 + chunks.count)
                    }
                    #expect(plans.allSatisfy { $0.scratchCount <= 2 * chunks.largest })
                }
            }
        }
    }

    @Test(arguments: 1...64) func binomialTreeReduce(worldSize: Int) throws {
        for root in PlannerProofTests.roots(worldSize) {
            for count in [0, 1, 1_000_003] {
                for isInPlace in [true, false] {
                    let plans = try plans(
                        .reduce, by: "binomial-tree", worldSize: worldSize, elementCount: count, root: root,
                        isInPlace: isInPlace)
                    let traffic = try Simulator.prove(plans)
                    for (rank, sent) in traffic.elementsSent.enumerated() {
                        #expect(sent == (rank == root ? 0 : count))
                    }
                    if count > 0 { #expect(traffic.criticalPath == logarithm(worldSize)) }
                    for (rank, plan) in plans.enumerated() {
                        let isLeaf = rank == root || number(rank, root, worldSize) % 2 == 1
                        #expect(plan.scratchCount <= (isLeaf ? 0 : count))
                    }
                }
            }
        }
    }

    /// Even counts and counts that differ, some of them none.
    private func shares(_ worldSize: Int) -> [(count: Int, counts: [Int]?)] {
        [0, 1, worldSize - 1, 2 * worldSize + 3, 1_000_003].map { ($0, nil) }
            + tellingCounts(worldSize).map { ($0.reduce(0, +), $0) }
    }

    private func prove(
        _ collective: Collective, _ algorithm: String, _ worldSize: Int,
        _ check: (_ traffic: Traffic, _ plans: [Plan], _ shares: [Int], _ root: Rank) throws -> Void
    ) throws {
        for root in PlannerProofTests.roots(worldSize) {
            for (index, test) in shares(worldSize).enumerated() {
                let isInPlace = (root + index) % 2 == 0
                let plans = try plans(
                    collective, by: algorithm, worldSize: worldSize, elementCount: test.count,
                    counts: test.counts, root: root, isInPlace: isInPlace)
                let partition = Partition(count: test.count, parts: worldSize)
                let shares = test.counts ?? (0..<worldSize).map { partition[$0].count }
                try check(Simulator.prove(plans), plans, shares, root)
            }
        }
    }

    @Test(arguments: 1...64) func directGather(worldSize: Int) throws {
        try prove(.gather, "direct", worldSize) { traffic, plans, shares, root in
            for (rank, sent) in traffic.elementsSent.enumerated() {
                #expect(sent == (rank == root ? 0 : shares[rank]))
            }
            if shares.allSatisfy({ $0 > 0 }) { #expect(traffic.criticalPath == min(1, worldSize - 1)) }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
            // With counts, also what is empty is sent.
            if plans[0].counts != nil {
                #expect(traffic.messagesSent.reduce(0, +) == worldSize - 1)
            }
        }
    }

    @Test(arguments: 1...64) func directScatter(worldSize: Int) throws {
        try prove(.scatter, "direct", worldSize) { traffic, plans, shares, root in
            for (rank, sent) in traffic.elementsSent.enumerated() {
                #expect(sent == (rank == root ? shares.reduce(0, +) - shares[root] : 0))
            }
            if shares.allSatisfy({ $0 > 0 }) { #expect(traffic.criticalPath == min(1, worldSize - 1)) }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
            if plans[0].counts != nil {
                #expect(traffic.messagesSent.reduce(0, +) == worldSize - 1)
            }
        }
    }

    @Test(arguments: ["gather", "scatter"], 1...64) func binomialTree(name: String, worldSize: Int) throws {
        let collective = try #require(Collective(name: name))
        try prove(collective, "binomial-tree", worldSize) { traffic, plans, shares, root in
            // A share is sent as often as its rank's number has bits.
            let expected = (0..<worldSize).reduce(0) {
                $0 + shares[$1] * number($1, root, worldSize).nonzeroBitCount
            }
            #expect(traffic.elementsSent.reduce(0, +) == expected)
            // A message may be two, where its ranks go on past the last one.
            #expect(traffic.messagesSent.reduce(0, +) <= 2 * (worldSize - 1))
            #expect(traffic.criticalPath <= 2 * logarithm(worldSize))
            if shares.allSatisfy({ $0 > 0 }), root == 0 {
                #expect(traffic.criticalPath == depth(worldSize))
                #expect(traffic.messagesSent.reduce(0, +) == worldSize - 1)
            }
            for (rank, plan) in plans.enumerated() {
                let isInner = rank != root && number(rank, root, worldSize) % 2 == 0
                #expect(plan.scratchCount <= (isInner ? shares.reduce(0, +) : 0))
            }
        }
    }

    /// A rank that knows only its own count makes the same plan for itself as one that knows all.
    @Test(arguments: [true, false]) func ownCountsAlone(isInPlace: Bool) throws {
        let counts = [3, 0, 5, 2]
        for collective in [Collective.gather, .scatter] {
            let plans = try plans(
                collective, by: "direct", worldSize: 4, elementCount: 10, counts: counts, root: 2,
                isInPlace: isInPlace)
            for rank in [0, 1, 3] {
                var own = [0, 0, 0, 0]
                own[rank] = counts[rank]
                var request = PlanRequest(
                    collective, worldSize: 4, rank: rank, elementCount: counts[rank], counts: own,
                    hasOnlyOwnCounts: true, root: 2, isInPlace: isInPlace)
                let plan = try Planners.plan(request, algorithm: "direct")
                #expect(plan.peers == plans[rank].peers)
                let (found, wanted) = (plan.steps, plans[rank].steps)
                #expect(found.count == 1 && wanted.count == 1)
                #expect(found[0].send?.source.chunks == wanted[0].send?.source.chunks)
                #expect(found[0].send?.source.range.count == wanted[0].send?.source.range.count)
                #expect(found[0].receive?.destination.chunks == wanted[0].receive?.destination.chunks)
                // Ranks that know less than all cannot pass on what is others'.
                #expect(Planners.candidates(for: request) == ["direct"])
                let error = try #require(throws: CollectiveError.self) {
                    try Planners.plan(request, algorithm: "binomial-tree")
                }
                #expect(error.message.hasSuffix("only where every rank knows all of them: use one of direct"))
                request.hasOnlyOwnCounts = false
                #expect(Planners.candidates(for: request) == ["direct", "binomial-tree"])
            }
        }
    }
}
