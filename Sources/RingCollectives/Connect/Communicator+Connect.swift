import Logging
import RingBootstrap
import RingCore
import RingSystem
package import RingTransport

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
        if configuration.worldSize == 1 {
            return try single(
                .whole(rank: 0, worldSize: 1),
                settings: configuration.settings(
                    localWorldSize: 1, transport: "none", basis: .own(tuningFile: configuration.tuningFile)))
        }
        return try connect(configuration) { try TransportOffers(configuration) }
    }

    /// Joins over a transport of the caller's, which is shut down with the communicator. Blocks.
    package static func connect(
        _ configuration: Configuration, over transport: any Transport
    ) throws -> Communicator {
        try configuration.validate()
        return try connect(configuration) { TransportOffers([transport]) }
    }

    /// Joins over the best of several transports of the caller's that all ranks have and can reach each other by. Blocks.
    package static func connect(
        _ configuration: Configuration, overOneOf transports: [any Transport], lack: String = ""
    ) throws -> Communicator {
        try configuration.validate()
        return try connect(configuration) { TransportOffers(transports, lack: lack) }
    }

    private static func connect(
        _ configuration: Configuration, offering makeOffers: () throws -> TransportOffers
    ) throws -> Communicator {
        let deadline = Deadline.after(configuration.connectTimeout)
        let opened = try OpenedStore(configuration, deadline: deadline)
        do {
            return try connect(configuration, offers: makeOffers(), opened: opened, deadline: deadline)
        } catch {
            opened.abandon(rank: configuration.rank)
            throw error
        }
    }

    private static func connect(
        _ configuration: Configuration, offers: TransportOffers, opened: OpenedStore, deadline: Deadline
    ) throws -> Communicator {
        do {
            let (rank, worldSize) = (configuration.rank, configuration.worldSize)
            let will = try opened.leaveWill(rank: rank, deadline: deadline)
            let cards = try rendezvous(
                configuration, offers: offers, store: opened.store, deadline: deadline)
            let transport = try TransportAgreement(
                configuration: configuration, offers: offers, cards: cards, opened: opened, deadline: deadline
            ).transport()
            let identifier = LinkIdentifier(channel: LinkIdentifier.controlChannel)
            let links = try ControlStar.connect(
                rank: rank, worldSize: worldSize, transport: transport, identifier: identifier,
                deadline: deadline,
                timeout: configuration.connectTimeout, lossCheck: opened.checkLosses)
            opened.withdraw(will)
            return try assemble(
                configuration, transport: transport, cards: cards, links: links, opened: opened)
        } catch {
            offers.shutdown()
            throw error
        }
    }

    private static func rendezvous(
        _ configuration: Configuration, offers: TransportOffers, store: any Store, deadline: Deadline
    ) throws -> [RankCard] {
        let tuningFile = configuration.rank == 0 ? configuration.tuningFile : nil
        let own = RankCard(
            system: Host.system, offers: offers.cards, lack: offers.lack,
            basis: try .own(tuningFile: tuningFile))
        let members = try Rendezvous.run(
            store: store, rank: configuration.rank, worldSize: configuration.worldSize, card: own.bytes,
            identity: Host.identity, prefix: configuration.storePrefix, deadline: deadline)
        return try members.enumerated().map { rank, member in
            guard let card = RankCard(member.card) else {
                throw CollectiveError(
                    .protocolViolation, "rank \(rank) published an unreadable card", peer: rank)
            }
            return card
        }
    }

    private static func assemble(
        _ configuration: Configuration, transport: any Transport, cards: [RankCard],
        links: sending [any Link], opened: OpenedStore
    ) throws -> Communicator {
        let system = cards[configuration.rank].system
        let settings = try configuration.settings(
            localWorldSize: cards.count { $0.system == system }, transport: transport.name,
            basis: cards[0].basis)
        let job = Job(transport: transport, systems: cards.map(\.system)) { opened.close() }
        let roster = Roster.whole(rank: configuration.rank, worldSize: configuration.worldSize)
        return try assemble(
            job: job, transport: CommunicatorTransport(job: job, roster: roster), links: links,
            settings: settings)
    }
}
