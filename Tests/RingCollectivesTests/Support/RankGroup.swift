import Logging
import RingBootstrap
import RingCollectives
import RingCore
import RingSystem
import RingTransport
import RingTransportRDMA
import RingTransportTesting

/// How the ranks of a test are connected.
struct RankOptions: Sendable {
    /// What carries the bytes.
    enum Wire: Sendable {
        /// An in-memory network whose links hold so many bytes.
        case memory(capacity: Int)
        /// Loopback, with a TCP store.
        case tcp
        /// RDMA, over devices in memory.
        case rdma
        /// RDMA, over the device that this machine has, with a TCP store.
        case rdmaDevice
    }

    var wire = Wire.memory(capacity: 64 << 10)
    var cost: InMemoryNetwork.Cost?
    var transport = TransportOptions()
    /// Which algorithms run where a test does not say: not the library's choice, so that what a test sees does not
    /// depend on the machine.
    var algorithms = "ring"
    /// Each rank's tuning document.
    var tuningFiles: [Rank: String] = [:]
    /// The operations' default timeout: by default longer than any test waits, so that only the watchdog can be quicker.
    var timeout: Duration = .seconds(180)
    /// How many bytes of ordinary memory a rank keeps registered, over RDMA devices in memory.
    var cachedBytes = RDMAOptions().cachedBytes
    /// How long the ranks may take for one ``RankGroup/run(within:_:)``.
    ///
    /// Generous, since a loaded machine is slow and a sanitizer slower still: it only ends what hangs.
    static let limit: Duration = .seconds(120)
}

/// A test's own failure: a rank that did not come back in time.
struct Overdue: Error, CustomStringConvertible {
    var rank: Rank
    var description: String { "rank \(rank) was still busy at the test's deadline" }
}

/// Connected communicators of one process, whose ranks run as threads or tasks.
final class RankGroup: Sendable {
    let communicators: [Communicator]
    /// The network, if the ranks are connected by one.
    let network: InMemoryNetwork?
    /// The devices in memory, and each rank's calls of them, if the ranks are connected so.
    let fabric: SoftwareFabric
    let verbs: [SoftwareVerbs]

    private init(
        _ communicators: [Communicator], network: InMemoryNetwork?, fabric: SoftwareFabric,
        verbs: [SoftwareVerbs]
    ) {
        self.communicators = communicators
        self.network = network
        self.fabric = fabric
        self.verbs = verbs
    }

    /// Connects `count` ranks; throws the first rank's error.
    ///
    /// The small frames that rank `hostile` sends over an in-memory network are changed.
    static func connect(
        _ count: Int, _ options: RankOptions = RankOptions(), hostile: Rank? = nil,
        change: @escaping HostileTransport.Change = { _ in }
    ) async throws -> RankGroup {
        var network: InMemoryNetwork?
        if case .memory(let capacity) = options.wire {
            network = InMemoryNetwork(worldSize: count, capacity: capacity, cost: options.cost)
        }
        let fabric = SoftwareFabric()
        let verbs = (0..<count).map { _ in fabric.verbs() }
        let isHere = if case .rdma = options.wire { true } else { network != nil }
        let store =
            isHere ? .custom(InMemoryStore()) : StoreChoice.tcp(host: "127.0.0.1", port: try freePort())
        let outcomes = await onThreads(count, within: RankOptions.limit) { [network] rank in
            var configuration = Configuration(rank: rank, worldSize: count, store: store)
            configuration.timeout = options.timeout
            configuration.connectTimeout = .seconds(60)
            configuration.transport = options.transport
            configuration.algorithms = options.algorithms
            configuration.tuningFile = options.tuningFiles[rank]
            if let network {
                let transport = network.transport(for: rank)
                return try Communicator.connect(
                    configuration,
                    over: rank == hostile ? HostileTransport(transport, change: change) : transport)
            }
            switch options.wire {
            case .rdma:
                return try Communicator.connect(
                    configuration,
                    over: try rdmaTransport(
                        rank, of: count, on: fabric, verbs: verbs[rank], cachedBytes: options.cachedBytes))
            case .rdmaDevice: configuration.transport.kind = .rdma
            case .memory, .tcp: configuration.transport.kind = .tcp
            }
            return try Communicator.connectBlocking(configuration)
        }
        return RankGroup(
            try outcomes.map { try $0.get() }, network: network, fabric: fabric, verbs: verbs)
    }

    /// Runs a closure on a thread a rank; what came of it, by rank.
    func run<Outcome: Sendable>(
        within limit: Duration = RankOptions.limit, timing watch: Stopwatch? = nil,
        _ body: @escaping @Sendable (Communicator) throws -> Outcome
    ) async -> [Result<Outcome, any Error>] {
        await onThreads(communicators.count, within: limit, timing: watch) { [communicators] in
            try body(communicators[$0])
        }
    }

    /// Runs a closure as a task a rank; what came of it, by rank.
    func runTasks<Outcome: Sendable>(
        within limit: Duration = RankOptions.limit,
        _ body: @escaping @Sendable (Communicator) async throws -> Outcome
    ) async -> [Result<Outcome, any Error>] {
        let collector = Collector<Outcome>(communicators.count)
        for (rank, communicator) in communicators.enumerated() {
            Task {
                do { collector.add(.success(try await body(communicator)), rank) } catch {
                    collector.add(.failure(error), rank)
                }
            }
        }
        return await collector.results(within: limit)
    }

    /// Closes all communicators.
    func close() async {
        _ = await run { $0.close() }
    }
}

/// Connects ranks, runs a closure on a thread each, and closes them; throws the first rank's error.
@discardableResult
func withRanks<Outcome: Sendable>(
    _ count: Int, _ options: RankOptions = RankOptions(),
    _ body: @escaping @Sendable (Communicator) throws -> Outcome
) async throws -> [Outcome] {
    let group = try await RankGroup.connect(count, options)
    let outcomes = await group.run(body)
    await group.close()
    return try outcomes.map { try $0.get() }
}

/// Connects ranks for a closure that has them do one thing after another, and closes them.
func withGroup(
    _ count: Int, _ options: RankOptions = RankOptions(), _ body: (RankGroup) async throws -> Void
) async throws {
    let group = try await RankGroup.connect(count, options)
    do {
        try await body(group)
    } catch {
        await group.close()
        throw error
    }
    await group.close()
}

/// Runs a closure on `count` threads at once, each with its number.
func onThreads<Outcome: Sendable>(
    _ count: Int, within limit: Duration, timing watch: Stopwatch? = nil,
    _ body: @escaping @Sendable (Int) throws -> Outcome
) async -> [Result<Outcome, any Error>] {
    let collector = Collector<Outcome>(count)
    for rank in 0..<count {
        do {
            _ = try SystemThread(name: "test-\(rank)") {
                let result = Result { try body(rank) }
                watch?.stop()
                collector.add(result, rank)
            }
        } catch { collector.add(.failure(error), rank) }
    }
    return await collector.results(within: limit)
}

/// How long threads took that run beside others, from its making to the last of them.
///
/// Not how long it took until their test went on: among hundreds of tests it may wait for a minute until it is its turn.
final class Stopwatch: Sendable {
    private let begin = ContinuousClock.now
    private let end = Monitor<ContinuousClock.Instant?>(nil)

    /// A thread has done its work.
    func stop() { end.withLock { $0 = .now } }

    /// The time until the last of them had.
    var elapsed: Duration { end.withLock { ($0 ?? .now) - begin } }
}

/// The RDMA transport of a rank, over a device in memory, with rings that are soon full.
func rdmaTransport(
    _ rank: Rank, of worldSize: Int, on fabric: SoftwareFabric, verbs: SoftwareVerbs? = nil,
    cachedBytes: Int = RDMAOptions().cachedBytes
) throws -> RDMATransport {
    var options = RDMAOptions()
    options.slotCount = 32
    options.cachedBytes = cachedBytes
    return try RDMATransport(
        rank: rank, worldSize: worldSize, host: "here", options: options, authenticator: OpenToAll(),
        verbs: verbs ?? fabric.verbs(), interfaces: fabric.interfaces,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
}

/// Proves nothing.
private struct OpenToAll: LinkAuthenticator {
    func proof(label: String, transcript: [UInt8]) -> [UInt8] { [UInt8](repeating: 1, count: 32) }
}

/// A port that nothing listens on at the moment.
func freePort() throws -> UInt16 {
    let socket = try Socket.listening(on: SocketAddress(host: [127, 0, 0, 1], port: 0))
    return try socket.localAddress().port
}

/// Collects what the ranks come to, and waits without blocking a thread of the cooperative pool.
private final class Collector<Outcome: Sendable>: Sendable {
    private struct State {
        var results: [Result<Outcome, any Error>?]
        var waiting: CheckedContinuation<Void, Never>?
        var isOver = false
    }

    private let state: Monitor<State>

    init(_ count: Int) {
        state = Monitor(State(results: Array(repeating: nil, count: count)))
    }

    func add(_ result: Result<Outcome, any Error>, _ rank: Int) {
        state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.results[rank] = result
            guard state.results.allSatisfy({ $0 != nil }) else { return nil }
            return Self.end(&state)
        }?.resume()
    }

    func results(within limit: Duration) async -> [Result<Outcome, any Error>] {
        let timer = Task { [self] in
            try? await Task.sleep(for: limit)
            state.withLock { Self.end(&$0) }?.resume()
        }
        await withCheckedContinuation { continuation in
            state.withLock { state -> CheckedContinuation<Void, Never>? in
                if state.isOver { return continuation }
                state.waiting = continuation
                return nil
            }?.resume()
        }
        timer.cancel()
        return state.withLock { state in
            state.results.enumerated().map { $0.element ?? .failure(Overdue(rank: $0.offset)) }
        }
    }

    private static func end(_ state: inout State) -> CheckedContinuation<Void, Never>? {
        state.isOver = true
        defer { state.waiting = nil }
        return state.waiting
    }
}

extension Result {
    /// The error as the library's, if it is one.
    var collectiveError: CollectiveError? {
        if case .failure(let error) = self { error as? CollectiveError } else { nil }
    }
}
