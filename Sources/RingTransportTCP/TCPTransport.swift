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
    let logger: Logger
    let registry: LinkRegistry
    /// What ends the dials of a communicator early.
    private let interruptions = Monitor<[UInt32: WakeUp]>([:])
    private let acceptor: TCPAcceptor

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
        let registry = LinkRegistry(rank: rank, ownCard: AddressCard(host: host, addresses: addresses))
        self.registry = registry
        card = registry.ownCard.bytes
        acceptor = try TCPAcceptor(
            listeners: listeners,
            context: TCPAcceptor.Context(
                rank: rank, worldSize: worldSize, authenticator: authenticator,
                handshakeTimeout: options.handshakeTimeout, logger: logger,
                arrived: { hello, socket in
                    Self.arrived(hello, socket, registry: registry, options: options)
                }))
    }

    deinit {
        acceptor.shutDown()
    }

    package func meet(_ cards: [[UInt8]]) throws {
        try registry.meet(cards, kind: "TCP") { [rank, host = ownCard.host] peer, card in
            if card.host != host, let loopback = card.addresses.first(where: \.isLoopback) {
                throw CollectiveError(
                    .invalidConfiguration,
                    "rank \(peer) listens on \(loopback), which rank \(rank) on another host cannot reach: "
                        + "set RING_INTERFACE on rank \(peer)'s host, or MASTER_ADDR to an address of rank 0's network",
                    peer: peer)
            }
        }
    }

    package func link(to peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> any Link {
        precondition(
            peer != rank && peer >= 0 && peer < worldSize, "a link from rank \(rank) to rank \(peer)")
        guard dials(peer) else { return try registry.take(from: peer, identifier, deadline: deadline) }
        let communicator = identifier.communicator
        let card = try registry.card(of: peer, for: communicator)
        let interruption = try interruptions.withLock { interruptions in
            let interruption = try interruptions[communicator] ?? WakeUp()
            interruptions[communicator] = interruption
            return interruption
        }
        // An abort from now on interrupts the dial; one that came between is found here.
        if let failure = registry.failure(of: communicator) { throw failure }
        return try dial(peer, card, identifier, interruption: interruption, deadline: deadline)
    }

    package func dials(_ peer: Rank) -> Bool { rank > peer }

    /// Where this rank listens.
    var ownCard: AddressCard { registry.ownCard }

    package func abort(_ error: CollectiveError, communicator: UInt32?) {
        registry.abort(error, communicator: communicator)
        let concerned = interruptions.withLock { interruptions in
            interruptions.filter { communicator == nil || $0.key == communicator }
        }
        for interruption in concerned.values { interruption.set() }
    }

    package func retire(communicator: UInt32) {
        abort(.retired(rank: rank), communicator: communicator)
        registry.retire(communicator: communicator)
        interruptions.withLock { $0[communicator] = nil }
    }

    package func shutdown() {
        acceptor.shutDown()
        abort(.shutDown(rank: rank))
        registry.clear()
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
        _ hello: LinkHandshake.Hello, _ socket: consuming Socket, registry: LinkRegistry, options: TCPOptions
    ) {
        let peer = Rank(hello.from)
        // Whether the system has what is asked for was checked when this transport was created.
        try? TCPLinkOptions.apply(options, identifier: hello.identifier, to: socket)
        try? TCPLinkOptions.setCongestionControl(
            options, isSameHost: registry.isOnSameHost(peer), identifier: hello.identifier, of: socket)
        let link = StreamLink(peer: peer, stream: TCPByteStream(socket), bufferSize: options.pieceSize)
        registry.admit(link, hello.identifier)
    }
}

extension SocketAddress {
    /// Whether only this host can reach the address.
    var isLoopback: Bool {
        isIPv6 ? host == [UInt8](repeating: 0, count: 15) + [1] : host[0] == 127
    }
}
