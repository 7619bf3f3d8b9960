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

    private struct Memory {
        var names: [Key: String] = [:]
        /// What was asked for last: it often is the next one too.
        var last: (key: Key, name: String)?
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
            guard let name = memory.names[key] else { return nil }
            memory.last = (key, name)
            return name
        }
        if let known { return known }
        let query = CostQuery(
            collective, elementCount: Self.count(shape.elementCount, elementSize, compression),
            elementSize: elementSize, topology: topology)
        let candidates = Planners.candidates(
            for: PlanRequest(
                collective, worldSize: topology.worldSize, rank: rank, elementCount: shape.elementCount,
                counts: shape.counts, hasOnlyOwnCounts: shape.isByCounts, root: 0, isInPlace: isInPlace)
        )
        .filter { compression.isLossless || Self.keepsResultsAlike($0, collective) }
        let choice = selector.choose(query, among: candidates)
        let name = Self.least(of: choice, compression, collective) ?? choice.algorithm
        memory.withLock {
            if $0.names.count >= Self.capacity { $0.names.removeAll() }
            $0.names[key] = name
            $0.last = (key, name)
        }
        return name
    }
}

// What compression changes.
extension AlgorithmChooser {
    /// Whether the ranks' results stay alike where what is sent is not what was there: not where two ranks complete the
    /// same element, each from its own sum.
    static func keepsResultsAlike(_ algorithm: String, _ collective: Collective) -> Bool {
        !(collective == .allReduce && algorithm == "recursive-doubling")
    }

    /// As many elements as have the bytes, uncompressed, that these have compressed.
    private static func count(_ count: Int, _ elementSize: Int, _ compression: Compression) -> Int {
        guard let perElement = compression.bytesPerElement else { return count }
        return Int(Double(count) * perElement / Double(elementSize))
    }

    /// The exchange that encodes each contribution once, where that costs little: int4 loses so much at every hop that
    /// it is worth half as much time again.
    private static func least(of choice: Choice, _ compression: Compression, _ collective: Collective)
        -> String?
    {
        guard compression.method == .int4, collective == .allReduce || collective == .reduceScatter,
            choice.reason != .wanted,
            let direct = choice.candidates.first(where: { $0.algorithm == "direct" })
        else { return nil }
        func time(_ candidate: Choice.Candidate) -> Double? { candidate.measured ?? candidate.predicted }
        guard let own = time(direct), let best = time(choice.chosen) else { return nil }
        return own <= 1.5 * best ? direct.algorithm : nil
    }
}
