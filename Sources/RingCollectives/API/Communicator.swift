public import RingCore
import RingSystem
import RingTransport
import Synchronization

/// A group of ranks that carry out collective operations together.
///
/// All ranks must make the same calls, in the same order, with the same element counts, types, operators and roots;
/// a rank that does not makes the call throw `.mismatch` on all ranks. Operations run in the order in which they were
/// submitted, one at a time. A communicator may be used from several threads, but then the program must see to
/// it that the order is the same on all ranks.
///
/// A failed communicator stays failed: every later call throws the first cause.
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
    /// This process's number among those on its host.
    public let localRank: Int
    /// How many ranks are on this host.
    public let localWorldSize: Int
    /// The name of the transport: `tcp`; `none` for a single rank.
    public let transportName: String

    let defaultTimeout: Duration
    private let engine: Engine
    private let parts: Parts
    private let isClosed = Atomic(false)

    /// What the communicator holds beneath the engine.
    struct Parts: Sendable {
        var transport: (any Transport)?
        var watchdog: Watchdog?
        /// Ends what the bootstrap left open.
        var onClose: @Sendable () -> Void
    }

    init(
        rank: Rank, worldSize: Int, localRank: Int, localWorldSize: Int, timeout: Duration, engine: Engine,
        parts: Parts
    ) {
        self.rank = rank
        self.worldSize = worldSize
        self.localRank = localRank
        self.localWorldSize = localWorldSize
        self.engine = engine
        self.parts = parts
        transportName = parts.transport?.name ?? "none"
        defaultTimeout = timeout
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
        try engine.submit([request(operation)])[0]
    }

    /// Runs an operation to its end, blocking the calling thread, which does the work itself if nothing else is going
    /// on. Returns what it cost.
    @discardableResult
    public func run(_ operation: CollectiveOperation) throws -> OperationStatistics {
        try engine.run(request(operation))
    }

    /// Leaves the communicator in good order; what has been started and not begun fails with `.closed`.
    ///
    /// Every rank closes for itself, after its last operation has ended. A rank that ends without closing counts as
    /// lost to those that still run. An operation that runs is waited for for five seconds, blocking the calling thread,
    /// and then ended on all ranks. Calling it twice is fine.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        Self.close(engine, parts)
    }

    private static func close(_ engine: Engine, _ parts: Parts) {
        engine.close()
        parts.watchdog?.leave()
        parts.transport?.shutdown()
        parts.onClose()
    }

    private func request(_ operation: CollectiveOperation) throws -> OperationRequest {
        try operation.request(rank: rank, worldSize: worldSize, defaultTimeout: defaultTimeout)
    }
}

extension Communicator: CustomStringConvertible {
    public var description: String { "rank \(rank) of \(worldSize) over \(transportName)" }
}
