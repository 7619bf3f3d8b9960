import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Makes connections to a TCP store's server, and words what can go wrong with them.
struct StoreConnector: Sendable {
    let host: String
    let port: UInt16
    private let authenticator: JobAuthenticator
    private let onWarning: StoreWarning

    /// The longest time for one address, so that others are tried too.
    private static let attemptTime = Duration.seconds(5)

    init(host: String, port: UInt16, secret: [UInt8]?, onWarning: @escaping StoreWarning) {
        self.host = host
        self.port = port
        authenticator = JobAuthenticator(secret: secret)
        self.onWarning = onWarning
    }

    /// The store, as messages name it.
    var name: String { "rank 0's store at \(SocketAddress.text(host: host, port: port))" }

    /// A reason to try again.
    private struct NotYet: Error {
        var reason: String
    }

    /// Connects and authenticates; until the deadline, again and again while rank 0 does not serve yet.
    func connect(by deadline: Deadline) throws -> StoreClientConnection {
        let time = deadline.remaining
        var reason = "no time was left"
        var pause: Int32 = 10
        var hasWarned = false
        repeat {
            do {
                let addresses = try SocketAddress.resolve(host: host, port: port, by: deadline)
                for address in addresses {
                    do {
                        return try connect(to: address, by: deadline)
                    } catch let error as NotYet {
                        reason = error.reason
                    }
                    if deadline.hasPassed { break }
                }
            } catch let error as SocketAddress.ResolutionFailure {
                // The name of a host that is only just starting may become known later.
                reason = "the host name \(host) cannot be resolved: \(error)"
                if !hasWarned { onWarning("\(name) cannot be reached yet: \(reason)") }
                hasWarned = true
                pause = max(pause, 200)
            }
            _ = poll(nil, 0, deadline.remainingMilliseconds(atMost: pause))
            pause = min(250, pause * 2)
        } while !deadline.hasPassed
        throw CollectiveError(
            .unreachable, "\(name) could not be reached within \(time.roundedText): \(reason)", peer: 0)
    }

    private func connect(to address: SocketAddress, by deadline: Deadline) throws -> StoreClientConnection {
        let connection: StoreClientConnection
        do {
            let socket = try Socket.connecting(to: address)
            try socket.prepareForRequests()
            let attempt = min(deadline, .after(Self.attemptTime))
            var descriptors = [pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)]
            while try SystemCall.poll(&descriptors, milliseconds: attempt.remainingMilliseconds()) == 0 {
                if attempt.hasPassed { throw NotYet(reason: "no answer from \(address.hostText)") }
            }
            if let error = socket.connectionError() { throw error }
            // On one host, a connection to a port where nobody listens yet can happen to reach itself.
            if try socket.localAddress() == socket.peerAddress() {
                throw NotYet(reason: "connection refused")
            }
            connection = StoreClientConnection(socket: socket, connector: self)
        } catch let error as SystemError {
            throw NotYet(reason: error.reason)
        }
        do {
            try authenticate(connection, by: deadline)
            return connection
        } catch let error as CollectiveError where error.code == .timedOut {
            throw NotYet(reason: "it accepted the connection and did not answer")
        }
    }

    /// The client's part of the handshake.
    private func authenticate(_ connection: StoreClientConnection, by deadline: Deadline) throws {
        let own = StoreHandshake.Hello(hasSecret: authenticator.hasSecret).bytes(
            magic: StoreHandshake.clientMagic)
        let reply: [UInt8]
        do {
            try connection.send(own, by: deadline)
            reply = try connection.receive(
                StoreHandshake.helloBytes + StoreHandshake.proofBytes, by: deadline)
        } catch let error as CollectiveError where error.code == .peerLost {
            // As a proxy does whose server has not started.
            throw NotYet(reason: "the connection was closed before the store answered")
        }
        let bytes = Array(reply.prefix(StoreHandshake.helloBytes))
        guard let hello = StoreHandshake.Hello(bytes: bytes, magic: StoreHandshake.serverMagic) else {
            throw CollectiveError(
                .protocolViolation,
                "\(name) does not answer as a store does: another program listens there", peer: 0)
        }
        guard hello.version == StoreHandshake.version else {
            throw CollectiveError(
                .mismatch,
                "\(name) speaks version \(hello.version) of the store's protocol, this rank version "
                    + "\(StoreHandshake.version); run the same version on all ranks", peer: 0)
        }
        let proof = Array(reply.dropFirst(StoreHandshake.helloBytes))
        let label = StoreHandshake.serverLabel
        guard authenticator.verify(proof, label: label, transcript: own + bytes) else {
            throw rejected(serverHasSecret: hello.hasSecret)
        }
        do {
            try connection.send(
                authenticator.proof(label: StoreHandshake.clientLabel, transcript: own + reply), by: deadline)
            var verdict = ByteReader(try connection.receiveFrame(by: deadline))
            guard try verdict.integer(UInt8.self) == 1 else {
                throw rejected(serverHasSecret: hello.hasSecret)
            }
            connection.serverIdentity = oneLine(try verdict.text())
        } catch let error as CollectiveError where error.code == .peerLost {
            throw rejected(serverHasSecret: hello.hasSecret)
        } catch let error as WireError {
            throw violation(error)
        }
    }
}

// MARK: Errors

extension StoreConnector {
    private func rejected(serverHasSecret: Bool) -> CollectiveError {
        let reason =
            switch (authenticator.hasSecret, serverHasSecret) {
            case (true, true): "its job secret differs from this rank's"
            case (true, false): "it has no job secret and this rank has one"
            case (false, true): "it has a job secret and this rank has none"
            case (false, false): "its proof is wrong"
            }
        return CollectiveError(
            .authenticationFailed,
            "\(name) does not belong to this rank's job: \(reason); give all ranks the same RING_JOB_SECRET",
            peer: 0)
    }

    /// The store was closed by this rank.
    var closed: CollectiveError {
        CollectiveError(.closed, "this rank closed its use of \(name)")
    }

    /// The server has gone.
    func lost(_ how: String, cause: (any Error)? = nil) -> CollectiveError {
        CollectiveError(.peerLost, "\(name) \(how)", peer: 0, cause: cause)
    }

    /// The server did not answer in time.
    func silent(for time: Duration) -> CollectiveError {
        CollectiveError(.timedOut, "\(name) did not answer within \(time.roundedText)", peer: 0)
    }

    func violation(_ error: WireError) -> CollectiveError {
        CollectiveError(
            .protocolViolation, "\(name) sent what cannot be right: \(error)", peer: 0, cause: error)
    }

    func unexpected(_ response: StoreResponse) -> CollectiveError {
        violation(WireError(description: "an answer that does not fit the question"))
    }
}

extension Duration {
    /// The duration as a person gave it: what has passed since, up to a hundredth of a second, is added
    /// again.
    var roundedText: String {
        let step: UInt64 = 10_000_000
        let nanoseconds = clampedNanoseconds
        let steps = nanoseconds / step + (nanoseconds % step == 0 ? 0 : 1)
        return Duration.nanoseconds(Int64(clamping: steps.multipliedReportingOverflow(by: step).partialValue))
            .shortText
    }
}

/// Text of another process made fit for one line of a message: no control characters, not too long.
func oneLine(_ text: String) -> String {
    let clean = String(
        String.UnicodeScalarView(
            text.unicodeScalars.prefix(300).map { $0.properties.generalCategory == .control ? " " : $0 }))
    return clean
}
