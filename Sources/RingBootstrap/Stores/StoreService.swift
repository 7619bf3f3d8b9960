import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The loop of a TCP store's server: polls, reads requests, asks the table, writes answers.
///
/// `@unchecked Sendable`: it is made before the server's thread, and lives on that thread alone.
final class StoreService: @unchecked Sendable {
    /// How long a connection may take to prove that it belongs to the job.
    private static let handshakeTime = Duration.seconds(10)
    /// How long ranks that are in a rendezvous when the owner closes the store may take to end it.
    private static let closingTime = Duration.seconds(2)
    /// The most connections that have proved nothing yet: more than any job's ranks that arrive at once.
    private static let mostUnproved = 8192

    private let listener: Socket
    private let signal: WakeUp
    private let authenticator: JobAuthenticator
    private let identity: String
    private let onWarning: StoreWarning

    private var table = StoreTable()
    private var connections: [Int: StoreServerConnection] = [:]
    private var nextNumber = 0
    private var acceptsAgain = Deadline.now
    /// When it ends at the latest; set once the owner closed it.
    private var closingDeadline: Deadline?
    /// The last answer that was put together: all ranks of a job ask for the same keys at the same time.
    private var lastValues: (values: [[UInt8]], frame: [UInt8])?

    init(
        listener: consuming Socket, signal: WakeUp, authenticator: JobAuthenticator, identity: String,
        onWarning: @escaping StoreWarning
    ) {
        self.listener = listener
        self.signal = signal
        self.authenticator = authenticator
        self.identity = identity
        self.onWarning = onWarning
    }

    /// Serves until the signal is set, and a little longer for those in a rendezvous.
    func run() {
        while !isOver {
            let numbers = Array(connections.keys)
            let isAccepting = acceptsAgain.hasPassed && closingDeadline == nil
            // A negative number is passed over.
            var descriptors = [
                pollfd(
                    fd: closingDeadline == nil ? signal.descriptor : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isAccepting ? listener.number : -1, events: Int16(POLLIN), revents: 0),
            ]
            for number in numbers {
                let connection = connections[number]!
                descriptors.append(
                    pollfd(fd: connection.socket.number, events: connection.events, revents: 0))
            }
            do {
                try SystemCall.poll(&descriptors, milliseconds: millisecondsToNextDeadline())
            } catch {
                onWarning("rank 0's store: \(error)")
                return
            }
            for (index, number) in numbers.enumerated() where descriptors[index + 2].revents != 0 {
                serve(number)
            }
            expire()
            lastValues = nil
            if descriptors[1].revents != 0 { accept() }
            if descriptors[0].revents != 0 { beginClosing() }
        }
    }

    /// Whether nothing is left to do after the owner closed the store.
    private var isOver: Bool {
        guard let closingDeadline else { return false }
        return closingDeadline.hasPassed
            || !connections.values.contains { $0.hasOutput || !$0.wills.isEmpty }
    }

    /// Tells whoever waits, and serves on for a short time.
    ///
    /// Rank 0 has all cards, and may close, before the others have asked for them. A rank's will shows that
    /// it is not through yet.
    private func beginClosing() {
        closingDeadline = .after(Self.closingTime)
        for number in Array(connections.keys) where table.stopWaiting(number) != nil { dismiss(number) }
    }

    /// Tells a connection that nothing more comes; what it wanted said when it goes is said by that.
    private func dismiss(_ number: Int) {
        connections[number]?.wills = []
        reply(to: number, StoreResponse.closing.frame)
    }

    private func millisecondsToNextDeadline() -> Int32 {
        var earliest = connections.values.compactMap(\.deadline)
        if !acceptsAgain.hasPassed { earliest.append(acceptsAgain) }
        if let closingDeadline { earliest.append(closingDeadline) }
        return earliest.min()?.remainingMilliseconds() ?? -1
    }

    // MARK: Connections

    private func accept() {
        for _ in 0..<256 {
            do {
                guard let accepted = try listener.accept() else { return }
                let socket = accepted.take()
                try? socket.prepareForRequests()
                connections[nextNumber] = StoreServerConnection(
                    socket: socket,
                    handshake: StoreHandshake.Server(authenticator: authenticator, identity: identity),
                    deadline: .after(Self.handshakeTime))
                nextNumber += 1
                if connections.count > Self.mostUnproved { evictUnproved(beyond: Self.mostUnproved) }
            } catch  where [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.number) {
                if evictUnproved(beyond: 0) { continue }
                onWarning("rank 0's store cannot take another connection: \(error.reason)")
                acceptsAgain = .after(.milliseconds(100))
                return
            } catch {
                // The connection ended before it was accepted.
                continue
            }
        }
    }

    /// Closes the oldest connection that has proved nothing, if there are more of them than `limit`.
    @discardableResult
    private func evictUnproved(beyond limit: Int) -> Bool {
        let unproved = connections.filter { $0.value.isUnproved }.keys
        guard unproved.count > limit, let oldest = unproved.min() else { return false }
        drop(oldest, because: "was closed to make room for others")
        return true
    }

    private func serve(_ number: Int) {
        guard let connection = connections[number] else { return }
        do {
            try connection.flush()
            while let received = try connection.receive() {
                switch received {
                case .step(.reply(let bytes)): connection.send(bytes)
                case .step(.accept(let bytes)): connection.send(bytes)
                case .step(.reject(let bytes, let reason)):
                    connection.send(bytes)
                    try? connection.flush()
                    drop(number, because: reason)
                    return
                case .request(let request): answer(request, of: number, connection)
                case .end:
                    drop(number, because: connection.isUnproved ? "ended before it proved anything" : nil)
                    return
                }
                try connection.flush()
            }
        } catch {
            drop(number, because: "\(error)")
        }
    }

    /// Closes a connection and carries out the wills that were left over it.
    private func drop(_ number: Int, because reason: String?) {
        guard let connection = connections.removeValue(forKey: number) else { return }
        if let reason {
            let peer = (try? connection.socket.peerAddress().description) ?? "a peer that has gone"
            onWarning("rank 0's store closed the connection from \(peer), which \(reason)")
        }
        table.stopWaiting(number)
        for will in connection.wills where table.value(of: will.key) == nil { set(will.key, to: will.value) }
    }

    /// Ends the waits and handshakes whose time is over.
    private func expire() {
        for (number, connection) in connections {
            guard let deadline = connection.deadline, deadline.hasPassed else { continue }
            if connection.isUnproved {
                drop(number, because: "did not prove in time that it belongs to the job")
            } else if let missing = table.stopWaiting(number) {
                reply(to: number, StoreResponse.missing(missing.map(UInt32.init)).frame)
            }
        }
    }

    // MARK: Requests

    private func answer(_ request: StoreRequest, of number: Int, _ connection: StoreServerConnection) {
        do {
            let response: StoreResponse
            switch request {
            case .set(let key, let value):
                try StoreLimits.check(key: key)
                try StoreLimits.check(value: value)
                response = set(key, to: value) ? .done : Self.full
            case .setIfAbsent(let key, let value):
                try StoreLimits.check(key: key)
                try StoreLimits.check(value: value)
                if let existing = table.value(of: key) {
                    response = .existing(existing)
                } else {
                    response = set(key, to: value) ? .done : Self.full
                }
            case .values(let keys, let interruption, let milliseconds):
                try StoreLimits.check(keys: keys, interruption: interruption)
                connection.deadline = .after(.milliseconds(Int64(milliseconds)))
                if let answer = table.wait(number, for: keys, interruptedBy: interruption) {
                    reply(to: number, frame(of: answer))
                } else if closingDeadline != nil {
                    table.stopWaiting(number)
                    dismiss(number)
                }
                return
            case .remove(let key):
                response = .count(table.remove(key) ? 1 : 0)
            case .removeAll(let prefix):
                response = .count(UInt32(table.removeAll(withPrefix: prefix)))
            case .leave(let will):
                try StoreLimits.check(key: will.key)
                try StoreLimits.check(value: will.value)
                if connection.wills.count < 1024 {
                    connection.wills.append(will)
                    response = .done
                } else {
                    response = .refused("a connection may leave 1024 wills at most")
                }
            case .withdraw(let token):
                for other in connections.values { other.wills.removeAll { $0.token == token } }
                response = .done
            }
            reply(to: number, response.frame)
        } catch let error as CollectiveError {
            reply(to: number, StoreResponse.refused(error.message).frame)
        } catch {
            reply(to: number, StoreResponse.refused("\(error)").frame)
        }
    }

    private static let full = StoreResponse.refused("the store is full")

    /// Sets a key and answers those who waited for it. Returns whether there was room.
    @discardableResult
    private func set(_ key: String, to value: [UInt8]) -> Bool {
        guard let answers = table.set(key, to: value) else { return false }
        for (waiter, answer) in answers { reply(to: waiter, frame(of: answer)) }
        return true
    }

    private func frame(of answer: StoreTable.Answer) -> [UInt8] {
        switch answer {
        case .interrupted(let value): return StoreResponse.interrupted(value).frame
        case .values(let values):
            if let lastValues, lastValues.values == values { return lastValues.frame }
            let bytes = values.reduce(0) { $0 + $1.count + 4 }
            guard bytes < StoreFrame.responseBytes else {
                return StoreResponse.refused("the values have \(bytes) bytes, more than an answer holds")
                    .frame
            }
            let frame = StoreResponse.values(values).frame
            lastValues = (values, frame)
            return frame
        }
    }

    /// Ends a connection's wait and sends it an answer. What fails is noticed when it is polled next.
    private func reply(to number: Int, _ frame: [UInt8]) {
        guard let connection = connections[number] else { return }
        connection.deadline = nil
        connection.send(frame)
        try? connection.flush()
    }
}
