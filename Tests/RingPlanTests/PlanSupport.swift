import RingCore
import RingPlan
import Testing

/// The plans of all ranks.
func plans(
    _ collective: Collective, by algorithm: String, worldSize: Int, elementCount: Int, counts: [Int]? = nil,
    root: Rank? = nil, isInPlace: Bool, chunkCount: Int? = nil
) throws -> [Plan] {
    try (0..<worldSize).map { rank in
        try Planners.plan(
            PlanRequest(
                collective, worldSize: worldSize, rank: rank, elementCount: elementCount, counts: counts,
                root: root, isInPlace: isInPlace, chunkCount: chunkCount),
            algorithm: algorithm)
    }
}

/// The counts at which a split over so many ranks can go wrong: none, fewer than ranks, even, uneven, large.
func telling(_ worldSize: Int) -> [Int] {
    Set([0, 1, worldSize - 1, worldSize, worldSize + 1, 2 * worldSize + 3, 1_000_003]).sorted()
}

/// Counts that differ between ranks, in ways in which a split can go wrong: nothing at all, some nothing, one
/// everything, large and small.
func tellingCounts(_ count: Int) -> [[Int]] {
    [
        Array(repeating: 0, count: count),
        (0..<count).map { $0 % 3 },
        (0..<count).map { $0 == count / 2 ? 17 : 0 },
        (0..<count).map { $0 % 5 == 1 ? 100_003 : 7 * $0 % 11 },
    ]
}

/// The counts of elements at which a planner for a collective can go wrong, for so many ranks.
func telling(_ collective: Collective, _ worldSize: Int) -> [Int] {
    switch collective {
    case .barrier: [0]
    case .allToAll: [0, worldSize * worldSize, 3 * worldSize * worldSize]
    default: [0, 1, worldSize, 2 * worldSize + 1]
    }
}

/// The roots of a collective: none, or every rank.
func roots(_ collective: Collective, _ worldSize: Int) -> [Rank?] {
    collective.isRooted ? (0..<worldSize).map { $0 } : [nil]
}

/// The most bits that are set in a number below this one: how deep a binomial tree is.
func depth(_ worldSize: Int) -> Int {
    (0..<worldSize).map(\.nonzeroBitCount).max() ?? 0
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

/// A planner by its name, as test cases are called.
struct PlannerName: Sendable, CustomTestStringConvertible {
    var collective: Collective
    var name: String

    init(_ planner: any Planner.Type) {
        collective = planner.collective
        name = planner.name
    }

    var testDescription: String { "\(collective.name) by \(name)" }
}
