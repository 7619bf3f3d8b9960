import RingCore
import RingPlan
import RingSystem

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
        var compression: Compression
    }

    private final class Choice: Sendable {
        let key: Key
        let name: String

        init(_ key: Key, _ name: String) {
            (self.key, self.name) = (key, name)
        }
    }

    private struct Memory {
        var choices: [Key: Choice] = [:]
        /// What was asked for last: it often is the next one too.
        var last: Choice?
    }

    /// More choices than this, and the memory starts afresh.
    private static let capacity = 4096

    private let selector: Selector
    private let topology: RankTopology
    private let rank: Rank
    private let memory = Monitor(Memory())
    /// The plans that callers bring themselves.
    let library: PlanLibrary

    /// Chooses for one rank of a topology.
    init(_ selector: Selector, topology: RankTopology, rank: Rank) {
        self.selector = selector
        self.topology = topology
        self.rank = rank
        library = PlanLibrary(rank: rank)
    }

    /// The name of the algorithm for an operation of this shape.
    func name(
        _ collective: Collective, _ shape: OperationShape, elementSize: Int, isInPlace: Bool,
        compression: Compression = .none
    ) -> String {
        // A message takes no algorithm: there is one way.
        guard collective != .sendReceive else { return "direct" }
        let key = Key(
            collective: collective, elementCount: shape.elementCount, elementSize: elementSize,
            hasCounts: shape.counts != nil, hasOnlyOwnCounts: shape.isByCounts, isInPlace: isInPlace,
            compression: compression)
        let known = memory.withLock { memory -> String? in
            if let last = memory.last, last.key == key { return last.name }
            guard let choice = memory.choices[key] else { return nil }
            memory.last = choice
            return choice.name
        }
        if let known { return known }
        let query = CostQuery(
            collective, elementCount: shape.elementCount, elementSize: elementSize, topology: topology)
        let candidates = Planners.candidates(
            for: PlanRequest(
                collective, worldSize: topology.worldSize, rank: rank, elementCount: shape.elementCount,
                counts: shape.counts, hasOnlyOwnCounts: shape.isByCounts, root: 0, isInPlace: isInPlace))
        let name = selector.choose(query, among: candidates, compression: compression).algorithm
        memory.withLock {
            if $0.choices.count >= Self.capacity { $0.choices.removeAll() }
            let choice = Choice(key, name)
            $0.choices[key] = choice
            $0.last = choice
        }
        return name
    }
}
