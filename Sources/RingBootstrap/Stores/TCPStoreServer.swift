import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What is told of things that need no action: a stray connection was turned away, a name cannot be resolved
/// yet. It may be called on any thread.
public typealias StoreWarning = @Sendable (String) -> Void

/// The server of a TCP store, which rank 0 keeps for as long as the job may bootstrap communicators.
///
/// One thread serves all connections without blocking on any. A connection must prove within ten seconds that
/// it holds the job's secret, and may not send anything longer than a request can be; whatever does not
/// follow the protocol is closed, so that a stray or hostile peer costs one connection for a short time and
/// no more. When connections run out, those that have proved nothing yet go first.
public final class TCPStoreServer: Sendable {
    /// The port that it listens on, also where port 0 left the choice to the system.
    public let port: UInt16

    /// The address and port that it listens on, in numbers.
    public let address: String

    /// The host by which this process itself reaches it: rank 0 need not be able to reach the address that
    /// others use, a cluster's service for one.
    let ownHost: String

    /// The sign for the thread to end.
    private let signal: WakeUp
    private let thread: SystemThread

    /// Listens, and serves until ``close()``.
    ///
    /// - Parameters:
    ///   - host: An address in numbers is listened on alone, if this host has it. Any other name, an address
    ///     of another host (as a cluster's service has) or nil means all addresses of this host, IPv6 and
    ///     IPv4: what a host calls itself often is not what others reach it by.
    ///   - port: The port; 0 for any that is free.
    ///   - secret: The job's secret, if it has one.
    ///   - identity: Who serves, for the clients' error messages: `host gpu1, process 4711`.
    ///   - onWarning: Told of each connection that was turned away.
    /// - Throws: `unreachable` when the address cannot be listened on: the message names it and what to do.
    public init(
        host: String?, port: UInt16, secret: [UInt8]?, identity: String = "",
        onWarning: @escaping StoreWarning = { _ in }
    ) throws {
        let listener = try Self.listener(host: host, port: port)
        do {
            let bound = try listener.localAddress()
            self.port = bound.port
            address = bound.description
            ownHost =
                (bound.isWildcard ? .loopback(family: bound.family, port: port) : bound).scopedHostText
            signal = try WakeUp()
            let service = StoreService(
                listener: listener, signal: signal, authenticator: JobAuthenticator(secret: secret),
                identity: identity, onWarning: onWarning)
            thread = try SystemThread(name: "ring-store") { service.run() }
        } catch {
            throw CollectiveError(
                .system, "rank 0 cannot serve its store: \(error.reason)", peer: 0, cause: error)
        }
    }

    deinit {
        close()
    }

    /// Ends the service and closes all connections.
    ///
    /// Whoever waits is told at once. Ranks in the middle of a rendezvous, which left a will, have up to two
    /// seconds to end it; the call waits for that.
    public func close() {
        signal.set()
        thread.join(until: .after(Self.longestEnd))
    }

    /// What the service's own two seconds never come near, unless who is warned does not return.
    private static let longestEnd = Duration.seconds(10)

    private static func listener(host: String?, port: UInt16) throws -> Socket {
        var candidates: [SocketAddress] = []
        if host == "localhost" {
            candidates = [AF_INET, AF_INET6].map { .loopback(family: $0, port: port) }
        } else if let host, let address = SocketAddress(numericHost: host, port: port) {
            candidates = [address]
        }
        let specific = candidates.count
        candidates += [AF_INET6, AF_INET].map { SocketAddress.wildcard(family: $0, port: port) }
        for (index, candidate) in candidates.enumerated() {
            do {
                return try listen(at: candidate)
            } catch {
                // Not this host's address, or a family that this host does not have: try the next.
                let isForeign = error.number == EADDRNOTAVAIL || error.number == EAFNOSUPPORT
                if isForeign && index + 1 < candidates.count { continue }
                let place = SocketAddress.text(
                    host: index < specific ? candidate.hostText : host ?? "*", port: port)
                throw CollectiveError(
                    .unreachable, "rank 0 cannot serve its store at \(place): \(advice(error, port: port))",
                    peer: 0, cause: error)
            }
        }
        preconditionFailure("the last address returns or throws")
    }

    private static func listen(at address: SocketAddress) throws(SystemError) -> Socket {
        for _ in 0..<10 {
            do {
                return try Socket.listening(on: address, backlog: 4096)
            } catch {
                guard error.number == EADDRINUSE else { throw error }
            }
            // A rank of this host that tries to connect may hold the port for a moment.
            _ = poll(nil, 0, 20)
        }
        return try Socket.listening(on: address, backlog: 4096)
    }

    private static func advice(_ error: SystemError, port: UInt16) -> String {
        switch error.number {
        case EADDRINUSE:
            "another program uses this port already; end it, or set MASTER_PORT to a free port on all ranks"
        case EACCES:
            "\(error.reason); set MASTER_PORT to a port above 1023 on all ranks"
        default:
            error.reason
        }
    }
}

extension Socket {
    /// What connections of a store have in common: no delay for small frames, and a dead host is noticed.
    func prepareForRequests() throws(SystemError) {
        try setNoDelay()
        try setKeepAlive(seconds: 60)
    }
}
