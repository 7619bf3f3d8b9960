import RingCore
import RingPlan
import Synchronization

/// Chooses the algorithms of a communicator's operations where their callers leave it to the library, and remembers
/// what it chose.
///
/// It goes by what all ranks know alike, so that all choose alike: the selector that rank 0 of the job has shared, the
/// ranks, and the call as every rank sees it.
final class AlgorithmChooser: Sendable {
    private struct Key: Hashable {
        var collective: Collective
        var elementCount: Int
        var elementSize: Int
        var hasCounts: Bool
        var hasOnlyOwnCounts: Bool
        var isInPlace: Bool
    }

    /// More choices than this, and the memory starts afresh.
    private static let capacity = 4096

    private let selector: Selector
    private let topology: RankTopology
    private let rank: Rank
    private let chosen = Mutex<[Key: String]>([:])

    /// Chooses for one rank of a topology.
    init(_ selector: Selector, topology: RankTopology, rank: Rank) {
        self.selector = selector
        self.topology = topology
        self.rank = rank
    }

    /// The name of the algorithm for an operation of this shape.
    func name(
        _ collective: Collective, _ shape: OperationShape, elementSize: Int, isInPlace: Bool
    ) -> String {
        // A message takes no algorithm: there is one way.
        guard collective != .sendReceive else { return "direct" }
        let key = Key(
            collective: collective, elementCount: shape.elementCount, elementSize: elementSize,
            hasCounts: shape.counts != nil, hasOnlyOwnCounts: shape.isByCounts, isInPlace: isInPlace)
        if let known = chosen.withLock({ $0[key] }) { return known }
        let query = CostQuery(
            collective, elementCount: shape.elementCount, elementSize: elementSize, topology: topology)
        let candidates = Planners.candidates(
            for: PlanRequest(
                collective, worldSize: topology.worldSize, rank: rank, elementCount: shape.elementCount,
                counts: shape.counts, hasOnlyOwnCounts: shape.isByCounts, root: 0, isInPlace: isInPlace))
        let name = selector.choose(query, among: candidates).algorithm
        chosen.withLock {
            if $0.count >= Self.capacity { $0.removeAll() }
            $0[key] = name
        }
        return name
    }
}
