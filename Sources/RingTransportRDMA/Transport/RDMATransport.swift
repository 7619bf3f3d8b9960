package import Logging
package import RingCore
package import RingSystem
package import RingTransport

/// Links over RDMA: reliable-connected queue pairs, one a link, that the connection manager connects.
///
/// A rank listens from the moment it is created. Of two ranks that want a link, the higher dials. Connections are
/// made when a plan first needs them and then kept.
package final class RDMATransport: Transport {
    package let name = "rdma"
    package let card: [UInt8]

    let rank: Rank
    let worldSize: Int
    let options: RDMAOptions
    let authenticator: any LinkAuthenticator
    let ownCard: AddressCard
    let logger: Logger
    let reactor: RDMAReactor
    /// The devices that listen, each once.
    private let devices: [VerbsHandle]
    private let state: Monitor<State>
    private let thread: SystemThread

    private struct Key: Hashable {
        var peer: Rank
        var identifier: LinkIdentifier
    }

    private struct State {
        var cards: [AddressCard] = []
        var arrivals: [Key: RDMALink] = [:]
        var failure: CollectiveError?
        /// Communicators that have failed, or been closed, on this rank.
        var failures: [UInt32: CollectiveError] = [:]
        var retired: Set<UInt32> = []

        func failure(of communicator: UInt32) -> CollectiveError? { failure ?? failures[communicator] }
    }

    /// Starts to listen, by calls of `verbs`, on addresses of `interfaces` that belong to RDMA devices.
    ///
    /// Throws `.unsupported` if there is no device that is ready, `.system` if this process may not use it,
    /// `.invalidConfiguration` if what the options name does not exist or is no RDMA device's.
    package init(
        rank: Rank, worldSize: Int, host: String, options: RDMAOptions, authenticator: any LinkAuthenticator,
        verbs: any Verbs, interfaces: [NetworkInterface], logger: Logger
    ) throws {
        self.rank = rank
        self.worldSize = worldSize
        self.options = options
        self.authenticator = authenticator
        self.logger = logger
        let reactor: RDMAReactor
        do {
            reactor = try RDMAReactor(verbs)
        } catch { throw RDMAErrors.begin(error, rank: rank) }
        self.reactor = reactor
        let listeners = try RDMAListening(
            reactor: reactor, options: options, rank: rank, interfaces: interfaces
        ).listeners()
        ownCard = AddressCard(host: host, addresses: listeners.map(\.address))
        card = ownCard.bytes
        devices = listeners.map(\.deviceHandle).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        logger.info(
            "rank \(rank) listens for RDMA on \(listeners.map { "\($0.address) (\($0.device))" }.joined(separator: ", "))"
        )
        let state = Monitor(State())
        self.state = state
        let acceptor = RDMAAcceptor(
            reactor: reactor, options: options, rank: rank, worldSize: worldSize,
            authenticator: authenticator, logger: logger
        ) { hello, connection, source in
            Self.arrived(hello, connection, source, reactor: reactor, options: options, state: state)
        }
        thread = try SystemThread(name: "ring-rdma-\(rank)") {
            var loop = RDMALoop(reactor: reactor, acceptor: acceptor, listeners: listeners)
            loop.run()
        }
    }

    deinit {
        stopListening()
    }

    package func meet(_ cards: [[UInt8]]) throws {
        let parsed = try cards.enumerated().map { peer, bytes in
            guard let card = AddressCard(bytes) else {
                throw CollectiveError(
                    .invalidConfiguration,
                    "rank \(peer) published no RDMA address: do all ranks use one transport?", peer: peer)
            }
            return card
        }
        state.withLock { $0.cards = parsed }
    }

    package func link(to peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> any Link {
        precondition(
            peer != rank && peer >= 0 && peer < worldSize, "a link from rank \(rank) to rank \(peer)")
        if dials(peer) { return try dial(peer, identifier, deadline: deadline) }
        let arrival = try state.wait(until: deadline) { state throws(CollectiveError) -> RDMALink? in
            if let failure = state.failure(of: identifier.communicator) { throw failure }
            return state.arrivals.removeValue(forKey: Key(peer: peer, identifier: identifier))
        }
        guard let arrival else {
            throw CollectiveError(
                .timedOut,
                "rank \(peer) did not connect to rank \(rank) at \(ownCard.address(for: identifier)) in time",
                peer: peer)
        }
        return arrival
    }

    package func dials(_ peer: Rank) -> Bool { rank > peer }

    /// Where a peer listens. Throws the error that ended the use that a communicator makes of the transport, if one did.
    func card(of peer: Rank, for communicator: UInt32) throws -> AddressCard {
        try state.withLock { state in
            if let failure = state.failure(of: communicator) { throw failure }
            precondition(state.cards.indices.contains(peer), "a link was asked for before the ranks have met")
            return state.cards[peer]
        }
    }

    /// The error that ended the use that a communicator makes of the transport, if one did.
    func failure(of communicator: UInt32) -> CollectiveError? {
        state.withLock { $0.failure(of: communicator) }
    }

    package func register(_ memory: UnsafeMutableRawBufferPointer) throws -> (any MemoryRegistration)? {
        do throws(SystemError) {
            let domains = try devices.map { device throws(SystemError) in try reactor.domain(of: device) }
            return try RDMARegistration(memory, with: domains, reactor.verbs, reactor.regions)
        } catch { throw RDMAErrors.setUp(.memory(error, byteCount: memory.count), rank: rank) }
    }

    package func isRegistered(_ address: UnsafeRawPointer) -> Bool {
        reactor.regions.region(of: UnsafeRawBufferPointer(start: address, count: 1)) != nil
    }

    package var copiedBytes: Int { reactor.copies.count }

    package func abort(_ error: CollectiveError, communicator: UInt32?) {
        state.withLock(notifying: true) { state in
            if let communicator {
                state.failures[communicator] = state.failures[communicator] ?? error
            } else {
                state.failure = state.failure ?? error
            }
        }
        reactor.interrupt(communicator: communicator)
    }

    package func retire(communicator: UInt32) {
        abort(
            CollectiveError(.closed, "rank \(rank) has closed that communicator", peer: rank),
            communicator: communicator)
        // What has arrived in vain ends here, outside the lock.
        _ = state.withLock { state in
            state.retired.insert(communicator)
            let inVain = state.arrivals.filter { $0.key.identifier.communicator == communicator }
            for key in inVain.keys { state.arrivals[key] = nil }
            return inVain
        }
    }

    package func shutdown() {
        stopListening()
        abort(CollectiveError(.closed, "rank \(rank)'s transport has been shut down", peer: rank))
        // What has arrived in vain ends here, outside the lock.
        _ = state.withLock { state in
            defer { state.arrivals = [:] }
            return state.arrivals
        }
        // The process may end now, and with it what is under way.
        reactor.waitForEndings()
    }

    private func stopListening() {
        reactor.state.withLock { $0.isStopping = true }
        reactor.wakeUp.set()
        _ = reactor.state.wait(until: .after(.seconds(5))) { $0.hasStoppedListening ? true : nil }
    }

    private static func arrived(
        _ hello: LinkHandshake.Hello, _ connection: RDMAConnection, _ source: String, reactor: RDMAReactor,
        options: RDMAOptions, state: Monitor<State>
    ) {
        let peer = Rank(hello.from)
        let link = makeLink(peer, source, connection, hello.identifier, reactor, options)
        state.withLock(notifying: true) { state in
            let key = Key(peer: peer, identifier: hello.identifier)
            let isWanted = state.failure == nil && !state.retired.contains(hello.identifier.communicator)
            if isWanted, state.arrivals[key] == nil { state.arrivals[key] = link }
        }
    }

    /// Makes a link of a connection, which the reactor keeps until it is closed.
    static func makeLink(
        _ peer: Rank, _ address: String, _ connection: RDMAConnection, _ identifier: LinkIdentifier,
        _ reactor: RDMAReactor, _ options: RDMAOptions
    ) -> RDMALink {
        let isControl = identifier.channel == LinkIdentifier.controlChannel
        reactor.keep(connection, isProbed: isControl)
        return RDMALink(
            peer: peer, address: address, connection: connection, fewestLentBytes: options.fewestLentBytes,
            copies: isControl ? ByteCounter() : reactor.copies
        ) { reactor.close($0) }
    }
}
