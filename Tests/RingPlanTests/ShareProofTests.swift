import RingCore
import RingPlan
import Testing

/// Reduce-scatters and all-gathers, also with shares that differ in size, proved for every world size up to 64.
@Suite struct ShareProofTests {
    /// Proves an algorithm with even shares and with shares that differ, in place and out of place, and hands each
    /// outcome on.
    private func prove(
        _ collective: Collective, _ algorithm: String, _ worldSize: Int,
        _ check: (_ traffic: Traffic, _ plans: [Plan], _ shares: [Int]) throws -> Void
    ) throws {
        let even = PlannerProofTests.cases(worldSize).map { ($0.count, nil as [Int]?, $0.isInPlace) }
        let uneven = PlannerProofTests.counts(worldSize, of: worldSize).flatMap { counts in
            PlannerProofTests.places(worldSize).map { (counts.reduce(0, +), Optional(counts), $0) }
        }
        for (count, counts, isInPlace) in even + uneven {
            let plans = try plans(
                collective, by: algorithm, worldSize: worldSize, elementCount: count, counts: counts,
                isInPlace: isInPlace)
            let traffic = try Simulator.prove(plans)
            let partition = Partition(count: count, parts: worldSize)
            try check(traffic, plans, counts ?? (0..<worldSize).map { partition[$0].count })
        }
    }

    @Test(arguments: 1...64) func ringReduceScatter(worldSize: Int) throws {
        try prove(.reduceScatter, "ring", worldSize) { traffic, plans, shares in
            let count = shares.reduce(0, +)
            #expect(traffic.elementsSent == shares.map { count - $0 })
            if shares.allSatisfy({ $0 > 0 }) { #expect(traffic.criticalPath == worldSize - 1) }
            let largest = shares.max() ?? 0
            #expect(plans.allSatisfy { $0.scratchCount <= ($0.isInPlace ? 0 : 2 * largest) })
        }
    }

    @Test(arguments: 1...64) func directReduceScatter(worldSize: Int) throws {
        try prove(.reduceScatter, "direct", worldSize) { traffic, plans, shares in
            let count = shares.reduce(0, +)
            #expect(traffic.elementsSent == shares.map { count - $0 })
            if shares.contains(where: { $0 > 0 }) { #expect(traffic.criticalPath == worldSize - 1) }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }

    @Test(arguments: 1...64) func ringAllGather(worldSize: Int) throws {
        try prove(.allGather, "ring", worldSize) { traffic, plans, shares in
            let count = shares.reduce(0, +)
            #expect(traffic.elementsSent == (0..<worldSize).map { count - shares[($0 + 1) % worldSize] })
            if shares.allSatisfy({ $0 > 0 }) { #expect(traffic.criticalPath == worldSize - 1) }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }

    @Test(arguments: 1...64) func directAllGather(worldSize: Int) throws {
        try prove(.allGather, "direct", worldSize) { traffic, plans, shares in
            #expect(traffic.elementsSent == shares.map { (worldSize - 1) * $0 })
            #expect(traffic.criticalPath == min(1, worldSize - 1))
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }

    @Test(arguments: 1...64) func bruckAllGather(worldSize: Int) throws {
        try prove(.allGather, "bruck", worldSize) { traffic, plans, shares in
            let count = shares.reduce(0, +)
            #expect(traffic.elementsSent.reduce(0, +) == (worldSize - 1) * count)
            if shares.allSatisfy({ $0 == shares[0] }) {
                #expect(traffic.elementsSent.allSatisfy { $0 == (worldSize - 1) * shares[0] })
            }
            if shares.allSatisfy({ $0 > 0 }) {
                // What a step sends may have been there for more than one.
                #expect((depth(worldSize)...logarithm(worldSize)).contains(traffic.criticalPath))
                #expect(traffic.messagesSent.allSatisfy { $0 <= 2 * logarithm(worldSize) })
            }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }
}
