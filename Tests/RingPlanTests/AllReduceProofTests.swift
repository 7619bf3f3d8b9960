import RingCore
import RingPlan
import Testing

/// The all-reduces beside the ring, proved for every world size up to 64, their results bit-identical.
@Suite struct AllReduceProofTests {
    /// Proves an algorithm at every count, in place and out of place, and hands each outcome on.
    private func prove(
        _ algorithm: String, _ worldSize: Int, chunkCount: Int? = nil,
        _ check: (_ traffic: Traffic, _ plans: [Plan], _ count: Int) throws -> Void
    ) throws {
        for test in PlannerProofTests.cases(worldSize) {
            let plans = try plans(
                .allReduce, by: algorithm, worldSize: worldSize, elementCount: test.count,
                isInPlace: test.isInPlace, chunkCount: chunkCount)
            try check(Simulator.prove(plans), plans, test.count)
        }
    }

    @Test(arguments: 1...64) func bidirectionalRing(worldSize: Int) throws {
        try prove("bidirectional-ring", worldSize) { traffic, plans, count in
            let chunks = Partition(count: count, parts: 2 * worldSize)
            for (rank, sent) in traffic.elementsSent.enumerated() {
                let next = (rank + 1) % worldSize
                let previous = (rank + worldSize - 1) % worldSize
                let kept = [rank, next, worldSize + rank, worldSize + previous].map { chunks[$0].count }
                #expect(sent == (worldSize == 1 ? 0 : 2 * count - kept.reduce(0, +)))
            }
            if count >= 2 * worldSize {
                // Two ranks have one link for both rings.
                #expect(traffic.criticalPath == (worldSize == 2 ? 4 : 2 * (worldSize - 1)))
                #expect(traffic.messagesSent.allSatisfy { $0 == 4 * (worldSize - 1) })
            }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }

    @Test(arguments: 1...64) func doubleBinaryTree(worldSize: Int) throws {
        try prove("double-binary-tree", worldSize, chunkCount: worldSize % 3 == 0 ? nil : 8) {
            traffic, plans, count in
            #expect(traffic.elementsSent.reduce(0, +) == 2 * (worldSize - 1) * count)
            // An inner rank of one tree is a leaf of the other: up once in each, down to two children in one.
            let half = (count + 1) / 2
            #expect(traffic.elementsSent.allSatisfy { $0 <= 4 * half })
            let chunks = plans[0].chunks.count
            if count >= chunks {
                #expect(traffic.criticalPath <= 4 * logarithm(worldSize) + 2 * chunks)
            }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }

    /// The time of more chunks is theirs alone, and not the tree's depth times theirs.
    @Test func doubleBinaryTreeIsPipelined() throws {
        for worldSize in [6, 9, 16, 33, 64] {
            let paths = try [2, 102, 202].map { chunkCount in
                try Simulator.prove(
                    plans(
                        .allReduce, by: "double-binary-tree", worldSize: worldSize, elementCount: 100_000,
                        isInPlace: true, chunkCount: chunkCount)
                ).criticalPath
            }
            #expect(paths[1] - paths[0] <= 2 * 50 + 4 && paths[2] - paths[1] <= 2 * 50, "\(paths)")
        }
    }

    @Test(arguments: 1...64) func halvingDoubling(worldSize: Int) throws {
        let levels = logarithm(worldSize)
        let isPowerOfTwo = worldSize & (worldSize - 1) == 0
        try prove("halving-doubling", worldSize) { traffic, plans, count in
            #expect(traffic.elementsSent.reduce(0, +) == 2 * (worldSize - 1) * count)
            let shares = Partition(count: count, parts: worldSize)
            for (rank, sent) in traffic.elementsSent.enumerated() where isPowerOfTwo {
                // All but its own share on the way in; on the way out, the shares of its groups of 1, 2, 4, ...
                let groups = (0..<levels).map { level in
                    let first = (rank >> level) << level
                    return (first..<(first + (1 << level))).reduce(0) { $0 + shares[$1].count }
                }
                #expect(sent == count - shares[rank].count + groups.reduce(0, +))
            }
            if count >= 1_000_000 {
                if isPowerOfTwo {
                    #expect(traffic.criticalPath == 2 * levels)
                    #expect(traffic.messagesSent.allSatisfy { $0 == 2 * levels })
                } else {
                    #expect(traffic.criticalPath <= 3 * levels)
                    #expect(traffic.elementsSent.allSatisfy { $0 <= 5 * count / 2 })
                }
            }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }

    @Test(arguments: 1...64) func recursiveDoubling(worldSize: Int) throws {
        let rounds = Int.bitWidth - 1 - worldSize.leadingZeroBitCount
        let surplus = worldSize - (1 << rounds)
        try prove("recursive-doubling", worldSize) { traffic, plans, count in
            #expect(traffic.elementsSent.reduce(0, +) == (rounds * (1 << rounds) + 2 * surplus) * count)
            #expect(traffic.elementsSent.allSatisfy { $0 <= (rounds + min(1, surplus)) * count })
            if count > 0 { #expect(traffic.criticalPath == rounds + 2 * min(1, surplus)) }
            #expect(plans.allSatisfy { $0.scratchCount <= ($0.isInPlace ? 2 : 1) * count })
        }
    }

    /// In place, only one exchange alone needs a copy at its end: else the last sum lands in the output.
    @Test(arguments: 1...64) func recursiveDoublingCopies(worldSize: Int) throws {
        for isInPlace in [true, false] {
            let plans = try plans(
                .allReduce, by: "recursive-doubling", worldSize: worldSize, elementCount: 5,
                isInPlace: isInPlace)
            let copies = plans.flatMap(\.steps).filter { $0.copy != nil }.count
            switch worldSize {
            case 1: #expect(copies == (isInPlace ? 0 : 1))
            case 2: #expect(copies == (isInPlace ? 2 : 0))
            case 3: #expect(copies == (isInPlace ? 1 : 0))
            default: #expect(copies == 0)
            }
        }
    }

    @Test(arguments: 1...64) func binomialTree(worldSize: Int) throws {
        try prove("binomial-tree", worldSize) { traffic, plans, count in
            for (rank, sent) in traffic.elementsSent.enumerated() {
                let span = rank == 0 ? logarithm(worldSize) : rank.trailingZeroBitCount
                let children = (0..<span).filter { rank + (1 << $0) < worldSize }.count
                #expect(sent == (children + (rank == 0 ? 0 : 1)) * count)
            }
            if count > 0 { #expect(traffic.criticalPath == logarithm(worldSize) + depth(worldSize)) }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }

    @Test(arguments: 1...64) func direct(worldSize: Int) throws {
        try prove("direct", worldSize) { traffic, plans, count in
            let shares = Partition(count: count, parts: worldSize)
            for (rank, sent) in traffic.elementsSent.enumerated() {
                #expect(sent == count + (worldSize - 2) * shares[rank].count || worldSize == 1)
            }
            // The owner adds up one after the other.
            if count >= worldSize, worldSize > 1 { #expect(traffic.criticalPath == worldSize) }
            #expect(plans.allSatisfy { $0.scratchCount == 0 })
        }
    }
}
