public import RingCore

/// A small shared table of keys and values, over which the ranks of a job find each other.
///
/// The *bootstrap* is how ranks that know nothing of one another become a communicator: each puts its
/// address into a store and reads everybody else's (the *rendezvous*). A store is used for that only, never
/// for data.
///
/// **Contract.** Every call blocks its thread until it is done or its deadline has passed, so it must not be
/// made from Swift's cooperative pool; calls may come from several threads at once and do not wait for one
/// another. A key is 1 to ``StoreLimits/keyBytes`` bytes of UTF-8, a value at most ``StoreLimits/valueBytes``
/// bytes; anything else throws `invalidArgument`. Setting is atomic: a reader sees a whole value or none.
/// Errors are ``RingCore/CollectiveError``: `timedOut` when the deadline passed, `peerLost` when the store
/// has gone, `closed` after ``close()``, `system` when the operating system refuses.
public protocol Store: Sendable {
    /// Sets a key's value, whether it had one or not.
    func set(_ key: String, to value: [UInt8], by deadline: Deadline) throws

    /// Sets a key's value unless it has one. Returns the value that was there, nil if this call set it.
    func setIfAbsent(_ key: String, to value: [UInt8], by deadline: Deadline) throws -> [UInt8]?

    /// The values of all the keys, in their order, once all exist.
    ///
    /// If `interruption` names a key and that key exists, or comes to exist during the wait, the call ends
    /// at once. Throws an error whose cause is a ``StoreWaitFailure``: which keys were missing at the
    /// deadline (`timedOut`), or the interrupting value (`cancelled`). The keys are looked at at least once,
    /// however short the time.
    func values(
        of keys: [String], interruptedBy interruption: String?, by deadline: Deadline
    ) throws -> [[UInt8]]

    /// Removes a key. Returns whether it existed.
    func remove(_ key: String, by deadline: Deadline) throws -> Bool

    /// Removes all keys that begin with `prefix`. Returns how many there were.
    func removeAll(withPrefix prefix: String, by deadline: Deadline) throws -> Int

    /// Leaves a will: if this process dies, or closes the store, before it withdraws the will, the store
    /// sets the will's key unless it exists.
    ///
    /// A store that cannot see its users die keeps no wills; leaving one there does nothing.
    func leave(_ will: StoreWill, by deadline: Deadline) throws

    /// Withdraws a will, which need not exist.
    func withdraw(_ will: StoreWill, by deadline: Deadline) throws

    /// Whether keys stay when all ranks have gone, so that the users must clear up after themselves.
    var outlivesJob: Bool { get }

    /// Ends the use of the store by this rank. Waiting calls end with an error. May be repeated.
    func close()
}

extension Store {
    public func leave(_ will: StoreWill, by deadline: Deadline) throws {}

    public func withdraw(_ will: StoreWill, by deadline: Deadline) throws {}

    public var outlivesJob: Bool { false }
}

/// A key that a store sets when the process that left the will has gone.
public struct StoreWill: Hashable, Sendable {
    /// What no other will of the store has: two wills may have the same key.
    public var token: String
    /// The key to set, unless it exists by then.
    public var key: String
    /// The value to set it to.
    public var value: [UInt8]

    /// A will with a token of its own.
    public init(key: String, value: [UInt8]) {
        let token = JobAuthenticator.makeNonce().prefix(16).map { hexadecimal($0) }.joined()
        self.init(token: token, key: key, value: value)
    }

    init(token: String, key: String, value: [UInt8]) {
        self.token = token
        self.key = key
        self.value = value
    }
}

/// Why waiting for keys ended without them. It is the cause of the error that
/// ``Store/values(of:interruptedBy:by:)`` throws.
public enum StoreWaitFailure: Error, Hashable, Sendable {
    /// These keys did not exist when the deadline passed.
    case missing([String])
    /// The interrupting key exists, with this value.
    case interrupted([UInt8])
}

/// What every store accepts.
public enum StoreLimits {
    /// The longest key, in bytes of UTF-8: a file name must hold it in any escaping.
    public static let keyBytes = 180
    /// The longest value, in bytes.
    public static let valueBytes = 1 << 20
    /// The most keys of one call.
    public static let keysPerCall = 1 << 16

    static func check(key: String) throws {
        guard (1...keyBytes).contains(key.utf8.count) else {
            throw CollectiveError(
                .invalidArgument,
                "a store's key must have 1 to \(keyBytes) bytes; this one has \(key.utf8.count)")
        }
    }

    static func check(value: [UInt8]) throws {
        guard value.count <= valueBytes else {
            throw CollectiveError(
                .invalidArgument,
                "a store's value may have \(valueBytes) bytes at most; this one has \(value.count)")
        }
    }

    static func check(keys: [String], interruption: String?) throws {
        guard keys.count <= keysPerCall else {
            throw CollectiveError(
                .invalidArgument,
                "a store reads \(keysPerCall) keys in one call at most; these are \(keys.count)")
        }
        for key in keys { try check(key: key) }
        if let interruption { try check(key: interruption) }
    }
}

extension CollectiveError {
    static func missing(_ keys: [String], in store: String) -> CollectiveError {
        let shown = keys.prefix(4).joined(separator: ", ") + (keys.count > 4 ? " and others" : "")
        return CollectiveError(
            .timedOut, "\(keys.count) keys did not come to exist in \(store) in time: \(shown)",
            cause: StoreWaitFailure.missing(keys))
    }

    static func interrupted(_ key: String, value: [UInt8]) -> CollectiveError {
        CollectiveError(
            .cancelled, "waiting for a store's keys was ended by the key \(key)",
            cause: StoreWaitFailure.interrupted(value))
    }
}

/// Two digits of a byte.
func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
}
