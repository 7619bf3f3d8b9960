import Logging
import RingBootstrap
import RingCollectives
import RingCore
import RingSystem
import RingTransport
import RingTransportRDMA
import RingTransportTesting
import Testing

/// Which transport the ranks take, of those that each of them has: the same on all.
@Suite struct TransportAgreementTests {
    /// What rank 0 has logged.
    private final class Log: LogHandler, @unchecked Sendable {
        // Guarded by the monitor; the rest is not changed.
        let lines = Monitor<[String]>([])
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.withLock { $0.append("\(event.message)") }
        }
    }

    private struct Outcome {
        var names: [String] = []
        var log: [String] = []
        var errors: [CollectiveError] = []
    }

    /// Connects three ranks, of which those in `able` have a device, over a fabric; all have the in-memory network unless
    /// they are among `insisting`.
    private static func connect(
        able: Set<Rank> = [0, 1, 2], insisting: Set<Rank> = [],
        prepare: @escaping @Sendable (Rank, SoftwareVerbs) -> Void = { _, _ in }
    ) async throws -> (Outcome, SoftwareFabric) {
        let fabric = SoftwareFabric()
        let network = InMemoryNetwork(worldSize: 3)
        let store = InMemoryStore()
        let log = Log()
        let results = await onThreads(3, within: RankOptions.limit) { rank -> String in
            var configuration = Configuration(rank: rank, worldSize: 3, store: .custom(store))
            configuration.connectTimeout = .seconds(60)
            configuration.logger = Logger(label: "test") { _ -> any LogHandler in
                if rank == 0 { log } else { SwiftLogNoOpLogHandler() }
            }
            var transports: [any Transport] = []
            if able.contains(rank) {
                let verbs = fabric.verbs()
                prepare(rank, verbs)
                transports.append(try rdmaTransport(rank, of: 3, on: fabric, verbs: verbs))
            }
            if !insisting.contains(rank) { transports.append(network.transport(for: rank)) }
            let world = try Communicator.connect(
                configuration, overOneOf: transports,
                lack: able.contains(rank) ? "" : "rank \(rank) has no device")
            try Exercise(collective: .allReduce, count: 1000).run(on: world)
            world.close()
            return world.transportName
        }
        var outcome = Outcome()
        for result in results {
            if let error = result.collectiveError { outcome.errors.append(error) }
            if case .success(let name) = result { outcome.names.append(name) }
        }
        outcome.log = log.lines.withLock { $0.filter { $0.hasPrefix("transport") } }
        return (outcome, fabric)
    }

    @Test func rdmaWhereAllHaveIt() async throws {
        let (outcome, fabric) = try await Self.connect()
        #expect(outcome.names == ["rdma", "rdma", "rdma"])
        #expect(outcome.log == ["transport rdma"])
        #expect(fabric.violations == [])
    }

    @Test func anotherWhereOneHasNone() async throws {
        let (outcome, _) = try await Self.connect(able: [0, 1])
        #expect(outcome.names == ["memory", "memory", "memory"])
        #expect(outcome.log == ["transport memory: rank 2 has no device"])
    }

    /// A rank that cannot reach another makes all take the other transport.
    @Test(arguments: [
        (SoftwareVerbs.Call.resolveAddress, ConnectionEvent.Kind.addressFailed, "cannot resolve"),
        (.resolveRoute, .routeFailed, "no RDMA route"),
    ])
    func anotherWhereAPairCannotConnect(
        call: SoftwareVerbs.Call, kind: ConnectionEvent.Kind, words: String
    ) async throws {
        let (outcome, _) = try await Self.connect { rank, verbs in
            if rank == 2 { verbs.end(call, with: kind) }
        }
        #expect(outcome.names == ["memory", "memory", "memory"])
        let line = try #require(outcome.log.first)
        #expect(outcome.log.count == 1)
        #expect(line.hasPrefix("transport memory: rank 2 ") && line.contains(words), "\(line)")
    }

    /// Where one insists, all go along if they can, and otherwise it is an error that says what is missing.
    @Test func oneInsists() async throws {
        let (outcome, _) = try await Self.connect(insisting: [1])
        #expect(outcome.names == ["rdma", "rdma", "rdma"])
        let (failed, _) = try await Self.connect(able: [0, 1], insisting: [1])
        #expect(failed.names == [])
        #expect(failed.errors.count == 3)
        for error in failed.errors {
            #expect(error.code == .invalidConfiguration)
            #expect(error.message.contains("RING_TRANSPORT"))
        }
    }

    @Test func aBuildOrHostWithoutRDMASaysSo() throws {
        var configuration = Configuration(rank: 0, worldSize: 2, store: .custom(InMemoryStore()))
        configuration.transport.kind = .rdma
        configuration.transport.rdma.device = "no-such-device"
        configuration.connectTimeout = .seconds(5)
        let error = #expect(throws: CollectiveError.self) {
            _ = try Communicator.connectBlocking(configuration)
        }
        #expect(error?.code == .unsupported || error?.code == .system)
        #expect(error?.message.contains("RDMA") == true)
    }
}
