import Logging
import RingBootstrap
import RingCore
import RingKernels
import RingSystem
package import RingTransport
import RingTransportTCP

extension Communicator {
    /// Joins the communicator: waits until all ranks have arrived and can reach rank 0.
    ///
    /// Throws, each with one line that names the rank: `.invalidConfiguration` for settings that cannot be right,
    /// `.unreachable` for an address that cannot be reached or listened on, `.rendezvousFailed` if ranks are
    /// missing, doubled or do not belong, `.authenticationFailed` for a wrong secret.
    public static func connect(_ configuration: Configuration) async throws -> Communicator {
        // The bootstrap blocks its thread, which must not be one of the cooperative pool's.
        try await withCheckedThrowingContinuation { continuation in
            do {
                _ = try SystemThread(name: "ring-connect") {
                    continuation.resume(with: Result { try connectBlocking(configuration) })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Joins the communicator as ``connect(_:)`` does, but blocks the calling thread.
    public static func connectBlocking(_ configuration: Configuration) throws -> Communicator {
        try configuration.validate()
        if configuration.worldSize == 1 { return try single(configuration) }
        let deadline = Deadline.after(configuration.connectTimeout)
        let opened = try OpenedStore(configuration, deadline: deadline)
        do {
            let transport = try TCPTransport(
                rank: configuration.rank, worldSize: configuration.worldSize, host: Host.network,
                options: configuration.tcpOptions, authenticator: configuration.authenticator,
                logger: configuration.logger)
            return try connect(configuration, transport: transport, opened: opened, deadline: deadline)
        } catch {
            opened.abandon(rank: configuration.rank)
            throw error
        }
    }

    /// Joins over a transport of the caller's, which is shut down with the communicator. Blocks.
    package static func connect(
        _ configuration: Configuration, over transport: any Transport
    ) throws -> Communicator {
        try configuration.validate()
        let deadline = Deadline.after(configuration.connectTimeout)
        let opened = try OpenedStore(configuration, deadline: deadline)
        do {
            return try connect(configuration, transport: transport, opened: opened, deadline: deadline)
        } catch {
            opened.abandon(rank: configuration.rank)
            throw error
        }
    }

    private static func connect(
        _ configuration: Configuration, transport: any Transport, opened: OpenedStore, deadline: Deadline
    ) throws -> Communicator {
        do {
            let (rank, worldSize) = (configuration.rank, configuration.worldSize)
            let will = try opened.leaveWill(rank: rank, deadline: deadline)
            let cards = try rendezvous(
                configuration, transport: transport, store: opened.store, deadline: deadline)
            try transport.meet(cards.map(\.transportCard))
            let identifier = LinkIdentifier(channel: LinkIdentifier.controlChannel)
            let links = try ControlStar.connect(
                rank: rank, worldSize: worldSize, transport: transport, identifier: identifier,
                deadline: deadline,
                timeout: configuration.connectTimeout, lossCheck: opened.checkLosses)
            opened.withdraw(will)
            return try assemble(
                configuration, transport: transport, cards: cards, links: links, opened: opened)
        } catch {
            transport.shutdown()
            throw error
        }
    }

    private static func rendezvous(
        _ configuration: Configuration, transport: any Transport, store: any Store, deadline: Deadline
    ) throws -> [RankCard] {
        let own = RankCard(system: Host.system, transport: transport.name, transportCard: transport.card)
        let members = try Rendezvous.run(
            store: store, rank: configuration.rank, worldSize: configuration.worldSize, card: own.bytes,
            identity: Host.identity, prefix: configuration.storePrefix, deadline: deadline)
        return try members.enumerated().map { rank, member in
            guard let card = RankCard(member.card) else {
                throw CollectiveError(
                    .protocolViolation, "rank \(rank) published an unreadable card", peer: rank)
            }
            guard card.transport == own.transport else {
                throw CollectiveError(
                    .invalidConfiguration,
                    "rank \(rank) uses the transport \(card.transport), rank \(configuration.rank) uses "
                        + "\(own.transport): set RING_TRANSPORT alike on all ranks", peer: rank)
            }
            return card
        }
    }

    private static func assemble(
        _ configuration: Configuration, transport: any Transport, cards: [RankCard],
        links: sending [any Link],
        opened: OpenedStore
    ) throws -> Communicator {
        let (rank, worldSize) = (configuration.rank, configuration.worldSize)
        let neighbours = cards.indices.filter { cards[$0].system == cards[rank].system }
        let wakeUp = try WakeUp()
        let reaction = FailureReaction(transport: transport, rank: rank, wakeUp: wakeUp)
        let watchdog = try Watchdog(
            rank: rank, worldSize: worldSize, links: links,
            identifier: LinkIdentifier(channel: LinkIdentifier.controlChannel)
        ) { reaction.react(to: $0) }
        let context = RunnerContext(rank: rank, transport: transport, watchdog: watchdog, wakeUp: wakeUp)
        let options = configuration.engineOptions(localWorldSize: neighbours.count)
        configuration.logger.info(
            """
            rank \(rank) of \(worldSize) is connected over \(transport.name): \(neighbours.count) ranks on this host, \
            \(options.channels) channels, spinning \(options.spinNanoseconds) ns, \(KernelLevel.selected.name) kernels
            """)
        let engine: Engine
        do {
            engine = try Engine(
                rank: rank, worldSize: worldSize, identifier: LinkIdentifier(channel: 0), options: options,
                context: context, logger: configuration.logger)
        } catch {
            watchdog.leave()
            throw error
        }
        reaction.attach(context: context, engine: engine)
        return Communicator(
            rank: rank, worldSize: worldSize, localRank: neighbours.firstIndex(of: rank)!,
            localWorldSize: neighbours.count, timeout: configuration.timeout, engine: engine,
            parts: Parts(transport: transport, watchdog: watchdog) { opened.close() })
    }

    private static func single(_ configuration: Configuration) throws -> Communicator {
        let context = RunnerContext(rank: 0, transport: nil, watchdog: nil, wakeUp: try WakeUp())
        let engine = try Engine(
            rank: 0, worldSize: 1, identifier: LinkIdentifier(channel: 0), options: EngineOptions(),
            context: context, logger: configuration.logger)
        return Communicator(
            rank: 0, worldSize: 1, localRank: 0, localWorldSize: 1, timeout: configuration.timeout,
            engine: engine,
            parts: Parts(transport: nil, watchdog: nil) {})
    }
}

/// What happens on this rank when there is a verdict.
private final class FailureReaction: Sendable {
    private struct Attached {
        // Weak, since both hold the watchdog, which holds the reaction.
        weak var engine: Engine?
        weak var context: RunnerContext?
        var verdict: Verdict?
    }

    private let transport: any Transport
    private let state = Monitor(Attached())

    init(transport: any Transport, rank: Rank, wakeUp: WakeUp) {
        self.transport = transport
    }

    /// Completes the circle: the watchdog must exist before the engine that it can stop.
    func attach(context: RunnerContext, engine: Engine) {
        let verdict = state.withLock { state in
            state.engine = engine
            state.context = context
            return state.verdict
        }
        if let verdict { react(to: verdict) }
    }

    func react(to verdict: Verdict) {
        let (engine, context) = state.withLock { state in
            state.verdict = verdict
            return (state.engine, state.context)
        }
        context?.fail(urgently: verdict.isUrgent)
        transport.abort(verdict.error)
        engine?.fail(verdict.error)
    }
}
