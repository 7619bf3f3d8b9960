public import RingCore
import RingPlan
import RingSystem
import RingTransport
import Synchronization

/// A group of ranks that carry out collective operations together.
///
/// All ranks must make the same calls, in the same order, with the same element counts, types, operators and roots;
/// a rank that does not makes the call throw `.mismatch` on all ranks. (A message concerns the two ranks alone that send
/// and receive it.) Operations begin in the order in which they were submitted; those of a group run together. A
/// communicator may be used from several threads, but then the program must see to it that the order is the same on
/// all ranks.
///
/// A failed communicator stays failed: every later call throws the first cause.
///
/// `split(color:key:)` makes communicators of some of the ranks, which run side by side with this one.
///
/// There are three ways to call:
/// - `async` methods on arrays, which suspend the task;
/// - blocking methods on buffers and spans, which have the lowest latency, as the caller's own thread does the
///   work: do not call them from Swift's cooperative pool for anything but short operations;
/// - ``start(_:)``, which returns a handle, to overlap communication with computation.
public final class Communicator: Sendable {
    /// This process's number, 0 to `worldSize - 1`.
    public let rank: Rank
    /// How many ranks there are.
    public let worldSize: Int
    /// This process's number among the communicator's ranks on its host.
    public let localRank: Int
    /// How many of the communicator's ranks are on this host.
    public let localWorldSize: Int
    /// The name of the transport: `tcp`; `none` for a single rank.
    public let transportName: String

    /// By rank, each one's rank in the communicator by which the job connected: the number that the launcher gave.
    public var members: [Rank] { roster.members }

    let roster: Roster
    let settings: Settings
    let parts: Parts
    let chooser: AlgorithmChooser
    private let engine: Engine
    private let isClosed = Atomic(false)

    /// What the communicator holds beneath the engine.
    ///
    /// A single rank has none of it.
    struct Parts: Sendable {
        var job: Job?
        var transport: CommunicatorTransport?
        var watchdog: Watchdog?
        var reaction: FailureReaction?
    }

    init(roster: Roster, settings: Settings, engine: Engine, parts: Parts) {
        self.roster = roster
        self.settings = settings
        self.engine = engine
        self.parts = parts
        rank = roster.rank
        worldSize = roster.members.count
        let systems = parts.job.map { job in roster.members.map { job.systems[$0] } } ?? [""]
        let neighbours = systems.indices.filter { systems[$0] == systems[roster.rank] }
        localRank = neighbours.firstIndex(of: roster.rank)!
        localWorldSize = neighbours.count
        transportName = parts.transport?.name ?? "none"
        let mostOnHost = Dictionary(grouping: systems) { $0 }.values.lazy.map(\.count).max()
        chooser = AlgorithmChooser(
            settings.selector,
            topology: RankTopology(
                worldSize: worldSize, ranksPerHost: mostOnHost, processors: settings.processors),
            rank: rank)
    }

    deinit {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // Closing may wait for an operation, and the last reference may be let go of on any thread.
        let (engine, parts) = (engine, parts)
        let closing = try? SystemThread(name: "ring-close") { Self.close(engine, parts) }
        if closing == nil { Self.close(engine, parts) }
    }

    /// Starts an operation and returns at once.
    ///
    /// The operation's memory must stay valid and untouched until the returned handle says that it has ended.
    /// Throws `.invalidArgument` for what cannot be right, and the first cause if the communicator has failed.
    public func start(_ operation: CollectiveOperation) throws -> Work {
        try explaining { try engine.submit(known(operation).request) }
    }

    /// Runs an operation to its end, blocking the calling thread, which does the work itself if nothing else is going
    /// on. Returns what it cost.
    @discardableResult
    public func run(_ operation: CollectiveOperation) throws -> OperationStatistics {
        do {
            if let statistics = try engine.runAgain(operation) { return statistics }
            let (request, call) = try known(operation)
            return try engine.run(request, as: call)
        } catch let error as CollectiveError { throw roster.explain(error) }
    }

    /// Starts operations that run together and returns at once; each has a handle of its own.
    ///
    /// A group is for operations that need each other, as a send and a receive that cross, and for many small ones,
    /// which travel together. All are checked before the first begins, and none may write memory that another uses.
    /// Ranks may put messages, which concern two of them only, into groups as they like; the other operations must be
    /// the same on all ranks, in the same order.
    public func start(group: [CollectiveOperation]) throws -> [Work] {
        try explaining { try engine.submit(known(group).requests) }
    }

    /// Runs operations together, to the end of the last, blocking the calling thread. Returns what each cost.
    @discardableResult
    public func run(group: [CollectiveOperation]) throws -> [OperationStatistics] {
        try explaining {
            if let statistics = try engine.runAgain(group) { return statistics }
            let (requests, call) = try known(group)
            return try engine.run(requests, as: call)
        }
    }

    /// Runs operations together, to the end of the last; returns what each cost.
    ///
    /// Cancelling the task ends them, and the communicator, on all ranks.
    @discardableResult
    public func run(group: [CollectiveOperation]) async throws -> [OperationStatistics] {
        let works = try start(group: group)
        var failure: (any Error)?
        // Each is waited for, whatever became of the others: until it has ended it uses the caller's memory.
        for work in works {
            do { try await work.value } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        return works.map { $0.statistics! }
    }

    func start(_ request: OperationRequest) throws -> Work {
        try explaining { try engine.submit(request) }
    }

    @discardableResult
    func run(_ request: OperationRequest) throws -> OperationStatistics {
        try explaining { try engine.run(request, as: nil) }
    }

    /// Leaves the communicator in good order.
    ///
    /// Every rank closes for itself, after its last operation has ended. A rank that ends without closing counts as
    /// lost to those that still run. Operations that have been started are waited for for five seconds, blocking the
    /// calling thread, and then ended on all ranks. Calling it twice is fine.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        Self.close(engine, parts)
    }

    /// What this rank has copied of operations' elements, beside what system calls copy.
    var copiedBytes: Int { engine.copiedBytes }

    private static func close(_ engine: Engine, _ parts: Parts) {
        engine.close()
        parts.watchdog?.leave()
        parts.transport?.shutdown()
    }

    /// The request for an operation, and what was made of the same one before, if it is of the kind that is kept.
    private func known(
        _ operation: CollectiveOperation
    ) throws -> (request: OperationRequest, call: RecentCall?) {
        if let call = engine.recent(operation) { return (call.request(0, for: operation), call) }
        var request = try operation.request(
            rank: rank, worldSize: worldSize, defaultTimeout: settings.timeout, chooser: chooser)
        try engine.plan(&request)
        return (request, engine.remember([operation], [request]))
    }

    /// As for one operation.
    private func known(
        _ group: [CollectiveOperation]
    ) throws -> (requests: [OperationRequest], call: RecentCall?) {
        if let call = engine.recent(group) {
            return (group.indices.map { call.request($0, for: group[$0]) }, call)
        }
        let requests = try requests(group)
        return (requests, engine.remember(group, requests))
    }

    private func requests(_ group: [CollectiveOperation]) throws(CollectiveError) -> [OperationRequest] {
        try CollectiveOperation.requests(
            group, rank: rank, worldSize: worldSize, defaultTimeout: settings.timeout, chooser: chooser)
    }

    /// Says in errors which of the job's ranks are meant, where the numbers differ.
    func explaining<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as CollectiveError { throw roster.explain(error) }
    }
}

extension Communicator: CustomStringConvertible {
    public var description: String {
        let part = roster.communicator == 0 ? "" : " of communicator \(roster.communicator)"
        return "rank \(rank) of \(worldSize)\(part) over \(transportName)"
    }
}
