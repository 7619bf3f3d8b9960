import RingCore
import RingPlan

/// The plans of all ranks.
func plans(
    _ collective: Collective, by algorithm: String, worldSize: Int, elementCount: Int, root: Rank? = nil,
    isInPlace: Bool, chunkCount: Int? = nil
) throws -> [Plan] {
    try (0..<worldSize).map { rank in
        try Planners.plan(
            PlanRequest(
                collective, worldSize: worldSize, rank: rank, elementCount: elementCount, root: root,
                isInPlace: isInPlace, chunkCount: chunkCount),
            algorithm: algorithm)
    }
}

/// The counts at which a split over so many ranks can go wrong: none, fewer than ranks, even, uneven, large.
func telling(_ worldSize: Int) -> [Int] {
    Set([0, 1, worldSize - 1, worldSize, worldSize + 1, 2 * worldSize + 3, 1_000_003]).sorted()
}

/// The steps in a row of a tree over so many ranks: the logarithm, rounded up.
func logarithm(_ worldSize: Int) -> Int {
    Int.bitWidth - (worldSize - 1).leadingZeroBitCount
}

extension [Plan] {
    /// These plans with one rank's changed.
    func changing(_ rank: Rank, _ change: (inout Plan) -> Void) -> [Plan] {
        var plans = self
        change(&plans[rank])
        return plans
    }
}
