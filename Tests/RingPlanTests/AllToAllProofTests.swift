import RingCore
import RingPlan
import Testing

/// The all-to-alls, with blocks of one size and of many, proved for every world size up to 64.
@Suite struct AllToAllProofTests {
    @Test(arguments: 1...64) func pairwise(worldSize: Int) throws {
        for block in [0, 1_003] {
            for isInPlace in [true, false] {
                let plans = try plans(
                    .allToAll, by: "pairwise", worldSize: worldSize,
                    elementCount: worldSize * worldSize * block, isInPlace: isInPlace)
                let traffic = try Simulator.prove(plans)
                #expect(traffic.elementsSent.allSatisfy { $0 == (worldSize - 1) * block })
                #expect(traffic.messagesSent.allSatisfy { $0 == worldSize - 1 })
                if !isInPlace {
                    #expect(traffic.criticalPath == min(1, worldSize - 1))
                } else if block > 0 {
                    #expect(traffic.criticalPath <= worldSize)
                    // One block of each two is copied, never the own one.
                    let copies = plans.map { plan in plan.steps.filter { $0.copy != nil }.count }
                    #expect(copies.allSatisfy { $0 == worldSize / 2 })
                }
                #expect(plans.allSatisfy { $0.scratchCount <= (isInPlace ? 2 * block : 0) })
            }
        }
    }

    @Test(arguments: 1...64) func pairwiseWithCounts(worldSize: Int) throws {
        for counts in PlannerProofTests.counts(worldSize, of: worldSize * worldSize) {
            let plans = try plans(
                .allToAll, by: "pairwise", worldSize: worldSize, elementCount: counts.reduce(0, +),
                counts: counts, isInPlace: false)
            let traffic = try Simulator.prove(plans)
            for (rank, sent) in traffic.elementsSent.enumerated() {
                let row = (0..<worldSize).filter { $0 != rank }.map { counts[rank * worldSize + $0] }
                #expect(sent == row.reduce(0, +))
            }
            // Also what is empty is sent, so that counts that differ are noticed.
            #expect(traffic.messagesSent.allSatisfy { $0 == worldSize - 1 })
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }

    @Test(arguments: 1...64) func bruck(worldSize: Int) throws {
        let leaps = (0..<worldSize).reduce(0) { $0 + $1.nonzeroBitCount }
        for (index, block) in [0, 7].enumerated() {
            // In a large world, by turns.
            for isInPlace in PlannerProofTests.places(worldSize + index) {
                let plans = try plans(
                    .allToAll, by: "bruck", worldSize: worldSize,
                    elementCount: worldSize * worldSize * block, isInPlace: isInPlace)
                let traffic = try Simulator.prove(plans)
                #expect(traffic.elementsSent.allSatisfy { $0 == leaps * block })
                #expect(traffic.messagesSent.allSatisfy { $0 == leaps })
                #expect(plans.allSatisfy { $0.peers.send.count == logarithm(worldSize) })
                #expect(plans.allSatisfy { $0.scratchCount <= (isInPlace ? 3 : 2) * worldSize * block })
            }
        }
    }

    /// A rank that knows only its own row and column makes the same plan for itself as one that knows all.
    @Test func ownCountsAlone() throws {
        let counts = [1, 2, 0, 4, 0, 3, 5, 2, 1]
        let plans = try plans(
            .allToAll, by: "pairwise", worldSize: 3, elementCount: 18, counts: counts, isInPlace: false)
        for rank in 0..<3 {
            let own = counts.indices.map { $0 / 3 == rank || $0 % 3 == rank ? counts[$0] : 0 }
            let request = PlanRequest(
                .allToAll, worldSize: 3, rank: rank, elementCount: own.reduce(0, +), counts: own,
                hasOnlyOwnCounts: true, isInPlace: false)
            #expect(Planners.candidates(for: request) == ["pairwise"])
            let plan = try Planners.plan(request, algorithm: "pairwise")
            try plan.validate()
            #expect(plan.steps == plans[rank].steps)
            for buffer in Buffer.allCases {
                #expect(plan.count(of: buffer) == plans[rank].count(of: buffer))
            }
            let error = try #require(throws: CollectiveError.self) {
                try Planners.plan(request, algorithm: "bruck")
            }
            #expect(
                error.message
                    == "rank \(rank): bruck cannot carry out this all-to-all: it takes blocks of one size only: "
                    + "use one of pairwise")
        }
    }
}
