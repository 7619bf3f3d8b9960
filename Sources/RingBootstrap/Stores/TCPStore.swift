public import RingCore
import RingSystem

/// A store that rank 0 serves over TCP; this is the client that every rank, rank 0 too, has of its own.
///
/// Calls of several threads go over connections of their own, which are kept for later calls.
public final class TCPStore: Store {
    private struct State {
        var idle: [StoreClientConnection] = []
        var busy: [ObjectIdentifier: StoreClientConnection] = [:]
        var isClosed = false
        /// How the server was lost. It does not come back: every later call throws this at once.
        var loss: CollectiveError?

        mutating func idleConnection(_ connector: StoreConnector) throws -> StoreClientConnection? {
            if isClosed { throw connector.closed }
            if let loss { throw loss }
            guard let connection = idle.popLast() else { return nil }
            busy[ObjectIdentifier(connection)] = connection
            return connection
        }
    }

    private let connector: StoreConnector
    private let state = Monitor(State())

    /// The identity that the server was given: who serves, as in `host gpu1, process 4711`. May be empty.
    public let serverIdentity: String

    /// Connects to the store, and tries again until the deadline where rank 0 does not serve it yet.
    ///
    /// - Parameters:
    ///   - host: A name or an address in numbers, IPv4 or IPv6.
    ///   - secret: The job's secret, which client and server prove to one another that they hold.
    ///   - onWarning: Told once if `host` cannot be resolved at first.
    /// - Throws: `unreachable` when the deadline passes first, with the reason of the last attempt;
    ///   `authenticationFailed`; `protocolViolation` when something else listens there.
    public init(
        host: String, port: UInt16, secret: [UInt8]?, by deadline: Deadline,
        onWarning: @escaping StoreWarning = { _ in }
    ) throws {
        connector = StoreConnector(host: host, port: port, secret: secret, onWarning: onWarning)
        let first = try connector.connect(by: deadline)
        serverIdentity = first.serverIdentity
        state.withLock { $0.idle.append(first) }
    }

    deinit {
        close()
    }

    /// Closes the connections, and has the server carry out the wills that were not withdrawn.
    public func close() {
        let busy = state.withLock { state in
            state.isClosed = true
            state.idle = []
            return Array(state.busy.values)
        }
        for connection in busy { connection.interrupt() }
    }

    public func set(_ key: String, to value: [UInt8], by deadline: Deadline) throws {
        try StoreLimits.check(key: key)
        try StoreLimits.check(value: value)
        try expectDone(.set(key: key, value: value), by: deadline)
    }

    public func setIfAbsent(_ key: String, to value: [UInt8], by deadline: Deadline) throws -> [UInt8]? {
        try StoreLimits.check(key: key)
        try StoreLimits.check(value: value)
        switch try perform(.setIfAbsent(key: key, value: value), by: deadline) {
        case .done: return nil
        case .existing(let existing): return existing
        case let other: throw connector.unexpected(other)
        }
    }

    public func values(
        of keys: [String], interruptedBy interruption: String?, by deadline: Deadline
    ) throws -> [[UInt8]] {
        try StoreLimits.check(keys: keys, interruption: interruption)
        // The server stops waiting a little earlier, so that its list of what is missing still comes in time.
        let left = deadline.remainingMilliseconds()
        let milliseconds = UInt32(left - min(1000, left / 4))
        let request = StoreRequest.values(keys: keys, interruption: interruption, milliseconds: milliseconds)
        switch try perform(request, by: deadline) {
        case .values(let values) where values.count == keys.count: return values
        case .missing(let indices) where indices.allSatisfy { $0 < keys.count }:
            throw CollectiveError.missing(indices.map { keys[Int($0)] }, in: connector.name)
        case .interrupted(let value):
            throw CollectiveError.interrupted(interruption ?? "", value: value)
        case let other: throw connector.unexpected(other)
        }
    }

    public func remove(_ key: String, by deadline: Deadline) throws -> Bool {
        try StoreLimits.check(key: key)
        return try expectCount(.remove(key: key), by: deadline) > 0
    }

    public func removeAll(withPrefix prefix: String, by deadline: Deadline) throws -> Int {
        guard prefix.utf8.count <= StoreLimits.keyBytes else { return 0 }
        return try expectCount(.removeAll(prefix: prefix), by: deadline)
    }

    public func leave(_ will: StoreWill, by deadline: Deadline) throws {
        try StoreLimits.check(key: will.key)
        try StoreLimits.check(value: will.value)
        try StoreLimits.check(key: will.token)
        try expectDone(.leave(will), by: deadline)
    }

    public func withdraw(_ will: StoreWill, by deadline: Deadline) throws {
        try StoreLimits.check(key: will.token)
        try expectDone(.withdraw(token: will.token), by: deadline)
    }
}

extension TCPStore {
    private func expectDone(_ request: StoreRequest, by deadline: Deadline) throws {
        let response = try perform(request, by: deadline)
        guard response == .done else { throw connector.unexpected(response) }
    }

    private func expectCount(_ request: StoreRequest, by deadline: Deadline) throws -> Int {
        let response = try perform(request, by: deadline)
        guard case .count(let count) = response else { throw connector.unexpected(response) }
        return Int(count)
    }

    /// Sends a request over a connection that nobody uses, and returns the answer.
    ///
    /// A connection is only used again after a whole answer. It is not closed before that, since it may
    /// carry wills; one that failed has ended, and its wills with it.
    private func perform(_ request: StoreRequest, by deadline: Deadline) throws -> StoreResponse {
        let connection = try takeConnection(by: deadline)
        let result = Result { () throws -> StoreResponse in
            let response = try connection.exchange(request.frame, by: deadline)
            if case .closing = response { throw connector.lost("was closed by its owner") }
            return response
        }
        let isClosed = state.withLock { state in
            state.busy[ObjectIdentifier(connection)] = nil
            switch result {
            case .success: if !state.isClosed { state.idle.append(connection) }
            case .failure(let error as CollectiveError) where error.code == .peerLost:
                state.loss = state.loss ?? error
            case .failure: break
            }
            return state.isClosed
        }
        if isClosed, case .failure = result { throw connector.closed }
        let response = try result.get()
        if case .refused(let reason) = response {
            throw CollectiveError(.invalidArgument, "\(connector.name) refused a request: \(reason)")
        }
        return response
    }

    private func takeConnection(by deadline: Deadline) throws -> StoreClientConnection {
        if let idle = try state.withLock({ try $0.idleConnection(connector) }) { return idle }
        let connection = try connector.connect(by: deadline)
        return try state.withLock { state in
            state.idle.append(connection)
            return try state.idleConnection(connector)!
        }
    }
}
