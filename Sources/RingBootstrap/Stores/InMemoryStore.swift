public import RingCore
import RingSystem

/// A store in this process's memory, for ranks that are threads of one process.
public final class InMemoryStore: Store {
    private struct State {
        var values: [String: [UInt8]] = [:]
        var isClosed = false

        func checkOpen() throws {
            if isClosed { throw CollectiveError(.closed, "the in-memory store was closed") }
        }
    }

    private let state = Monitor(State())

    /// Creates an empty store.
    public init() {}

    public func set(_ key: String, to value: [UInt8], by deadline: Deadline) throws {
        try StoreLimits.check(key: key)
        try StoreLimits.check(value: value)
        try state.withLock(notifying: true) {
            try $0.checkOpen()
            $0.values[key] = value
        }
    }

    public func setIfAbsent(_ key: String, to value: [UInt8], by deadline: Deadline) throws -> [UInt8]? {
        try StoreLimits.check(key: key)
        try StoreLimits.check(value: value)
        return try state.withLock(notifying: true) {
            try $0.checkOpen()
            if let existing = $0.values[key] { return existing }
            $0.values[key] = value
            return nil
        }
    }

    public func values(
        of keys: [String], interruptedBy interruption: String?, by deadline: Deadline
    ) throws -> [[UInt8]] {
        try StoreLimits.check(keys: keys, interruption: interruption)
        var missing: [String] = []
        let found: [[UInt8]]? = try state.wait(until: deadline) { state in
            try state.checkOpen()
            if let interruption, let value = state.values[interruption] {
                throw CollectiveError.interrupted(interruption, value: value)
            }
            missing = keys.filter { state.values[$0] == nil }
            return missing.isEmpty ? keys.map { state.values[$0]! } : nil
        }
        guard let found else { throw CollectiveError.missing(missing, in: "the in-memory store") }
        return found
    }

    public func remove(_ key: String, by deadline: Deadline) throws -> Bool {
        try StoreLimits.check(key: key)
        return try state.withLock(notifying: true) {
            try $0.checkOpen()
            return $0.values.removeValue(forKey: key) != nil
        }
    }

    public func removeAll(withPrefix prefix: String, by deadline: Deadline) throws -> Int {
        try state.withLock(notifying: true) { state in
            try state.checkOpen()
            let keys = state.values.keys.filter { $0.utf8.starts(with: prefix.utf8) }
            for key in keys { state.values[key] = nil }
            return keys.count
        }
    }

    /// Ends all waiting calls of all threads: the store is one object that they share.
    public func close() {
        state.withLock(notifying: true) { $0.isClosed = true }
    }
}
