package import Logging
package import RingCore
package import RingSystem
package import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

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
    let logger: Logger
    let reactor: RDMAReactor
    let registry: LinkRegistry
    /// The devices that listen, each once.
    private let devices: [VerbsHandle]
    private let cache: RegistrationCache
    private let thread: SystemThread

    /// Starts to listen, by calls of `verbs`, on addresses of `interfaces` that belong to RDMA devices.
    ///
    /// `makeWatch` is called once, when memory is first leased.
    ///
    /// Throws `.unsupported` if there is no device that is ready, `.system` if this process may not use it,
    /// `.invalidConfiguration` if what the options name does not exist or is no RDMA device's.
    package init(
        rank: Rank, worldSize: Int, host: String, options: RDMAOptions, authenticator: any LinkAuthenticator,
        verbs: any Verbs, interfaces: [NetworkInterface], logger: Logger,
        makeWatch: @escaping @Sendable () throws(SystemError) -> any MemoryWatch = {
            () throws(SystemError) -> any MemoryWatch in try UserfaultWatch()
        }
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
        let registry = LinkRegistry(
            rank: rank, ownCard: AddressCard(host: host, addresses: listeners.map(\.address)))
        self.registry = registry
        card = registry.ownCard.bytes
        let devices: [VerbsHandle] = listeners.map(\.deviceHandle).reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        }
        self.devices = devices
        cache = RegistrationCache(
            capacity: options.cachedBytes, fewestBytes: options.fewestCachedBytes, logger: logger,
            makeWatch: makeWatch
        ) { memory throws(SystemError) in try Self.register(memory, with: devices, reactor) }
        logger.info(
            "rank \(rank) listens for RDMA on \(listeners.map { "\($0.address) (\($0.device))" }.joined(separator: ", "))"
        )
        let acceptor = RDMAAcceptor(
            reactor: reactor, options: options, rank: rank, worldSize: worldSize,
            authenticator: authenticator, logger: logger
        ) { hello, connection, source in
            registry.admit(
                Self.makeLink(Rank(hello.from), source, connection, hello.identifier, reactor, options),
                hello.identifier)
        }
        let cache = cache
        thread = try SystemThread(name: "ring-rdma-\(rank)") {
            var loop = RDMALoop(
                reactor: reactor, acceptor: acceptor, listeners: listeners, cache: cache)
            loop.run()
        }
    }

    deinit {
        stopListening()
    }

    package func meet(_ cards: [[UInt8]]) throws {
        try registry.meet(cards, kind: "RDMA")
    }

    package func link(to peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> any Link {
        precondition(
            peer != rank && peer >= 0 && peer < worldSize, "a link from rank \(rank) to rank \(peer)")
        return try dials(peer)
            ? dial(peer, identifier, deadline: deadline)
            : registry.take(from: peer, identifier, deadline: deadline)
    }

    package func dials(_ peer: Rank) -> Bool { rank > peer }

    /// Where this rank listens.
    var ownCard: AddressCard { registry.ownCard }

    package func register(_ memory: UnsafeMutableRawBufferPointer) throws -> (any MemoryRegistration)? {
        do throws(SystemError) {
            return RegisteredRange(
                UnsafeRawBufferPointer(memory), in: try registration(of: memory), reactor.regions,
                isLasting: true)
        } catch { throw RDMAErrors.setUp(.memory(error, byteCount: memory.count), rank: rank) }
    }

    /// Registers memory; what ordinary memory keeps locked gives way to it.
    private func registration(
        of memory: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> RDMARegistration {
        do throws(SystemError) {
            return try Self.register(memory, with: devices, reactor)
        } catch  where error.number == ENOMEM {
            guard cache.giveWay() else { throw error }
            return try Self.register(memory, with: devices, reactor)
        }
    }

    private static func register(
        _ memory: UnsafeMutableRawBufferPointer, with devices: [VerbsHandle], _ reactor: RDMAReactor
    ) throws(SystemError) -> RDMARegistration {
        let domains = try devices.map { device throws(SystemError) in try reactor.domain(of: device) }
        return try RDMARegistration(memory, with: domains, reactor.verbs)
    }

    package func isRegistered(_ address: UnsafeRawPointer) -> Bool {
        reactor.regions.isLasting(UnsafeRawBufferPointer(start: address, count: 1))
    }

    package var fewestLeasedBytes: Int? { cache.isOff ? nil : cache.fewestBytes }

    package func lease(_ memory: UnsafeRawBufferPointer) -> (any MemoryRegistration)? {
        cache.registration(of: memory).map {
            RegisteredRange(memory, in: $0, reactor.regions, isLasting: false)
        }
    }

    package var copiedBytes: Int { reactor.copies.count }

    package func abort(_ error: CollectiveError, communicator: UInt32?) {
        registry.abort(error, communicator: communicator)
        reactor.interrupt(communicator: communicator)
    }

    package func retire(communicator: UInt32) {
        abort(.retired(rank: rank), communicator: communicator)
        registry.retire(communicator: communicator)
    }

    package func shutdown() {
        stopListening()
        abort(.shutDown(rank: rank))
        registry.clear()
        cache.close()
        // The process may end now, and with it what is under way.
        reactor.waitForEndings()
    }

    private func stopListening() {
        reactor.state.withLock { $0.isStopping = true }
        reactor.wakeUp.set()
        _ = reactor.state.wait(until: .after(.seconds(5))) { $0.hasStoppedListening ? true : nil }
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
