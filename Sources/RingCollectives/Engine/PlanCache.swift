import RingCore
import RingPlan
import RingSystem
import RingTransport

/// Programs of operations that have been run before: a training loop makes the same calls again and again.
final class PlanCache: Sendable {
    private struct Key: Hashable {
        var signature: OperationSignature
        var isInPlace: Bool
        var counts: [Int]?
        var message: MessageRequest?
        var mayLend: Bool

        init(_ request: OperationRequest) {
            signature = request.signature
            isInPlace = request.isInPlace
            counts = request.counts
            message = request.message
            mayLend = request.mayLend
        }
    }

    private final class Entry: Sendable {
        let key: Key
        let program: PlanProgram

        init(_ key: Key, _ program: PlanProgram) {
            (self.key, self.program) = (key, program)
        }
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// What was asked for lately, the newest first: often that is what comes next.
        var recent: [Entry] = []

        mutating func remember(_ entry: Entry) {
            if recent.count == PlanCache.recentCount { recent.removeLast() }
            recent.insert(entry, at: 0)
        }
    }

    /// As many as are looked through faster than a key is hashed.
    private static let recentCount = 4
    /// More programs than this, and the cache starts afresh.
    private static let capacity = 1024

    private let rank: Rank
    private let worldSize: Int
    private let state = Monitor(State())

    init(rank: Rank, worldSize: Int) {
        self.rank = rank
        self.worldSize = worldSize
    }

    /// The program of an operation. Throws `.invalidArgument` if there is no such plan.
    func program(for request: OperationRequest) throws -> PlanProgram {
        let key = Key(request)
        let found = state.withLock { state -> PlanProgram? in
            for entry in state.recent where entry.key == key { return entry.program }
            guard let entry = state.entries[key] else { return nil }
            state.remember(entry)
            return entry.program
        }
        if let found { return found }
        let made = try makeProgram(request)
        state.withLock {
            if $0.entries.count >= Self.capacity { $0.entries.removeAll() }
            let entry = Entry(key, made)
            $0.entries[key] = entry
            $0.remember(entry)
        }
        return made
    }

    private func makeProgram(_ request: OperationRequest) throws -> PlanProgram {
        let signature = request.signature
        let elementSize = signature.dataType.byteCount
        if let message = request.message { return PlanProgram(message, byteCount: request.byteCount) }
        let plan = try plan(of: rank, for: request)
        return PlanProgram(
            plan, elementSize: elementSize, stores: request.mayLend ? try stores(plan, request) : [:])
    }

    private func plan(of rank: Rank, for request: OperationRequest) throws -> Plan {
        let wanted = PlanRequest(
            request.signature.collective, worldSize: worldSize, rank: rank,
            elementCount: request.plannedCount,
            counts: request.counts, hasOnlyOwnCounts: request.isPairwise, root: request.signature.root,
            isInPlace: request.isInPlace)
        return try request.plans?.plan(for: wanted) ?? Planners.plan(wanted, algorithm: request.algorithm)
    }

    /// What each peer does with what it gets from this rank, in order: whether it stores it. By its own plan, which may have
    /// other buffers but has the same transfers.
    private func stores(_ plan: Plan, _ request: OperationRequest) throws -> [Rank: [Bool]] {
        let sends = Dictionary(grouping: plan.steps.compactMap(\.send), by: \.peer)
        guard request.signature.op != nil else { return sends.mapValues { $0.map { _ in true } } }
        return try Dictionary(
            uniqueKeysWithValues: sends.keys.map { peer in
                let receives = try self.plan(of: peer, for: request).steps.compactMap(\.receive)
                return (
                    peer,
                    receives.filter { $0.peer == rank }.map {
                        if case .reduce = $0.action { false } else { true }
                    }
                )
            })
    }
}
