package import Logging
package import RingCore
import RingSystem
package import RingTransport

/// Links over TCP: non-blocking sockets, one connection a link.
///
/// A rank listens from the moment it is created. Of two ranks that want a link, the higher dials. Connections are
/// made when a plan first needs them and then kept.
package final class TCPTransport: Transport {
    package let name = "tcp"
    package let card: [UInt8]

    let rank: Rank
    let worldSize: Int
    let options: TCPOptions
    let authenticator: any LinkAuthenticator
    let ownCard: AddressCard
    let logger: Logger
    private let state: Monitor<State>
    private let acceptor: TCPAcceptor

    private struct Key: Hashable {
        var peer: Rank
        var identifier: LinkIdentifier
    }

    private struct State {
        var cards: [AddressCard] = []
        var arrivals: [Key: StreamLink] = [:]
        var failure: CollectiveError?
        /// Communicators that have failed, or been closed, on this rank.
        var failures: [UInt32: CollectiveError] = [:]
        var retired: Set<UInt32> = []
        /// What ends the dials of a communicator early.
        var interruptions: [UInt32: WakeUp] = [:]

        func failure(of communicator: UInt32) -> CollectiveError? { failure ?? failures[communicator] }
    }

    /// Starts to listen.
    ///
    /// Throws `.invalidConfiguration` if an interface does not exist, `.unreachable` naming the address and ports if
    /// none of those can be listened on, `.unsupported` if the system lacks the congestion control.
    package init(
        rank: Rank, worldSize: Int, host: String, options: TCPOptions, authenticator: any LinkAuthenticator,
        logger: Logger
    ) throws {
        self.rank = rank
        self.worldSize = worldSize
        self.options = options
        self.authenticator = authenticator
        self.logger = logger
        let listeners = TCPAcceptor.ListenerSet()
        var addresses: [SocketAddress] = []
        for address in try InterfaceSelection.addresses(
            matching: options.interfaces, routeHint: options.routeHint, rank: rank)
        {
            let socket = try Self.listen(on: address, options: options, rank: rank)
            addresses.append(try socket.localAddress())
            listeners.add(socket)
        }
        ownCard = AddressCard(host: host, addresses: addresses)
        card = ownCard.bytes
        let state = Monitor(State())
        self.state = state
        acceptor = try TCPAcceptor(
            listeners: listeners,
            context: TCPAcceptor.Context(
                rank: rank, worldSize: worldSize, authenticator: authenticator,
                handshakeTimeout: options.handshakeTimeout, logger: logger,
                arrived: { [pieceSize = options.pieceSize] hello, socket in
                    Self.arrived(
                        hello, socket, state: state, options: options, pieceSize: pieceSize, host: host)
                }))
    }

    deinit {
        acceptor.shutDown()
    }

    package func meet(_ cards: [[UInt8]]) throws {
        let parsed = try cards.enumerated().map { peer, bytes in
            guard let card = AddressCard(bytes) else {
                throw CollectiveError(
                    .invalidConfiguration,
                    "rank \(peer) published no TCP address: do all ranks use one transport?",
                    peer: peer)
            }
            if card.host != ownCard.host, let loopback = card.addresses.first(where: \.isLoopback) {
                throw CollectiveError(
                    .invalidConfiguration,
                    "rank \(peer) listens on \(loopback), which rank \(rank) on another host cannot reach: "
                        + "set RING_INTERFACE on rank \(peer)'s host, or MASTER_ADDR to an address of rank 0's network",
                    peer: peer)
            }
            return card
        }
        state.withLock { $0.cards = parsed }
    }

    package func link(to peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> any Link {
        precondition(
            peer != rank && peer >= 0 && peer < worldSize, "a link from rank \(rank) to rank \(peer)")
        if dials(peer) {
            let (card, interruption) = try state.withLock { state in
                if let failure = state.failure(of: identifier.communicator) { throw failure }
                precondition(
                    state.cards.indices.contains(peer), "a link was asked for before the ranks have met")
                let interruption = try state.interruptions[identifier.communicator] ?? WakeUp()
                state.interruptions[identifier.communicator] = interruption
                return (state.cards[peer], interruption)
            }
            return try dial(peer, card, identifier, interruption: interruption, deadline: deadline)
        }
        let arrival = try state.wait(until: deadline) { state throws(CollectiveError) -> StreamLink? in
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

    /// The error that ended the use that a communicator makes of the transport, if one did.
    func failure(of communicator: UInt32) -> CollectiveError? {
        state.withLock { $0.failure(of: communicator) }
    }

    package func abort(_ error: CollectiveError, communicator: UInt32?) {
        let interruptions = state.withLock(notifying: true) { state in
            guard let communicator else {
                state.failure = state.failure ?? error
                return Array(state.interruptions.values)
            }
            state.failures[communicator] = state.failures[communicator] ?? error
            return [state.interruptions[communicator]].compactMap { $0 }
        }
        for interruption in interruptions { interruption.set() }
    }

    package func retire(communicator: UInt32) {
        abort(
            CollectiveError(.closed, "rank \(rank) has closed that communicator", peer: rank),
            communicator: communicator)
        // What has arrived in vain ends here, outside the lock.
        _ = state.withLock { state in
            state.retired.insert(communicator)
            state.interruptions[communicator] = nil
            let inVain = state.arrivals.filter { $0.key.identifier.communicator == communicator }
            for key in inVain.keys { state.arrivals[key] = nil }
            return inVain
        }
    }

    package func shutdown() {
        acceptor.shutDown()
        abort(CollectiveError(.closed, "rank \(rank)'s transport has been shut down", peer: rank))
        state.withLock { $0.arrivals = [:] }
    }

    private static func listen(
        on address: SocketAddress, options: TCPOptions, rank: Rank
    ) throws -> Socket {
        var lastError: SystemError?
        for port in options.portRange ?? 0...0 {
            do {
                let socket = try Socket.listening(on: address.withPort(port))
                try TCPLinkOptions.check(options, on: socket, rank: rank)
                return socket
            } catch let error as SystemError {
                lastError = error
            }
        }
        let ports = options.portRange.map {
            "port \($0.lowerBound)" + ($0.count > 1 ? " to \($0.upperBound)" : "")
        }
        throw CollectiveError(
            .unreachable,
            "rank \(rank) cannot listen on \(address.hostText), \(ports ?? "any port"): "
                + "\(lastError?.reason ?? "no port given"); choose other ports with RING_PORT_RANGE",
            peer: rank, cause: lastError)
    }

    private static func arrived(
        _ hello: LinkHandshake.Hello, _ socket: consuming Socket, state: Monitor<State>, options: TCPOptions,
        pieceSize: Int, host: String
    ) {
        let peer = Rank(hello.from)
        let isSameHost = state.withLock { state in
            state.cards.indices.contains(peer) && state.cards[peer].host == host
        }
        // Whether the system has what is asked for was checked when this transport was created.
        try? TCPLinkOptions.apply(options, identifier: hello.identifier, to: socket)
        try? TCPLinkOptions.setCongestionControl(
            options, isSameHost: isSameHost, identifier: hello.identifier, of: socket)
        let link = StreamLink(
            peer: peer, stream: TCPByteStream(socket), bufferSize: pieceSize)
        state.withLock(notifying: true) { state in
            let key = Key(peer: peer, identifier: hello.identifier)
            let isRetired = state.retired.contains(hello.identifier.communicator)
            if !isRetired, state.arrivals[key] == nil { state.arrivals[key] = link }
        }
    }
}

extension SocketAddress {
    /// Whether only this host can reach the address.
    var isLoopback: Bool {
        isIPv6 ? host == [UInt8](repeating: 0, count: 15) + [1] : host[0] == 127
    }
}
