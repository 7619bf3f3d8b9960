import RingCore

/// The keys and values of a TCP store's server, and who waits for which; pure, without I/O.
///
/// A waiter is only looked at again when the first key that it lacked has come, so that n ranks that wait
/// for n keys cost n x n steps and not n x n x n.
struct StoreTable {
    /// Whoever waits; the server's number for a connection.
    typealias Waiter = Int

    /// Why a wait is over.
    enum Answer: Equatable {
        case values([[UInt8]])
        case interrupted([UInt8])
    }

    private struct Wait {
        var keys: [String]
        var interruption: String?
        /// All keys before this one were there when last looked at.
        var next = 0
    }

    /// The most bytes of keys and values together.
    let capacity: Int

    private var values: [String: [UInt8]] = [:]
    private var usedBytes = 0
    private var waits: [Waiter: Wait] = [:]
    private var waitersByKey: [String: Set<Waiter>] = [:]

    init(capacity: Int = 1 << 29) {
        self.capacity = capacity
    }

    /// A key's value, if it has one.
    func value(of key: String) -> [UInt8]? { values[key] }

    /// Sets a key. Returns whose waits are over now; nil if the table is full.
    mutating func set(_ key: String, to value: [UInt8]) -> [(Waiter, Answer)]? {
        let change = value.count - (values[key]?.count ?? -Self.entryBytes(key))
        guard usedBytes + change <= capacity else { return nil }
        usedBytes += change
        values[key] = value
        var answers: [(Waiter, Answer)] = []
        for waiter in waitersByKey.removeValue(forKey: key)?.sorted() ?? [] {
            guard var wait = waits[waiter] else { continue }
            if let answer = Self.look(&wait, in: values) {
                waits[waiter] = wait
                stopWaiting(waiter)
                answers.append((waiter, answer))
            } else {
                waits[waiter] = wait
                waitersByKey[wait.keys[wait.next], default: []].insert(waiter)
            }
        }
        return answers
    }

    /// Removes a key. Returns whether it existed.
    mutating func remove(_ key: String) -> Bool {
        guard let value = values.removeValue(forKey: key) else { return false }
        usedBytes -= value.count + Self.entryBytes(key)
        return true
    }

    /// Removes all keys that begin so. Returns how many.
    mutating func removeAll(withPrefix prefix: String) -> Int {
        values.keys.filter { $0.utf8.starts(with: prefix.utf8) }.filter { remove($0) }.count
    }

    /// Answers at once if it can; else keeps the waiter, whose answer a later `set` returns.
    mutating func wait(_ waiter: Waiter, for keys: [String], interruptedBy interruption: String?) -> Answer? {
        var wait = Wait(keys: keys, interruption: interruption)
        if let answer = Self.look(&wait, in: values) { return answer }
        waits[waiter] = wait
        waitersByKey[keys[wait.next], default: []].insert(waiter)
        if let interruption { waitersByKey[interruption, default: []].insert(waiter) }
        return nil
    }

    /// Forgets a waiter. Returns the indices of the keys that it still lacked; nil if it was not waiting.
    @discardableResult
    mutating func stopWaiting(_ waiter: Waiter) -> [Int]? {
        guard let wait = waits.removeValue(forKey: waiter) else { return nil }
        let expected = wait.next < wait.keys.count ? wait.keys[wait.next] : nil
        for key in [expected, wait.interruption].compactMap({ $0 }) {
            waitersByKey[key]?.remove(waiter)
            if waitersByKey[key]?.isEmpty == true { waitersByKey[key] = nil }
        }
        return wait.keys.indices.filter { values[wait.keys[$0]] == nil }
    }

    /// What a key costs beside its value.
    private static func entryBytes(_ key: String) -> Int { key.utf8.count + 64 }

    private static func look(_ wait: inout Wait, in values: [String: [UInt8]]) -> Answer? {
        if let interruption = wait.interruption, let value = values[interruption] {
            return .interrupted(value)
        }
        while wait.next < wait.keys.count, values[wait.keys[wait.next]] != nil { wait.next += 1 }
        guard wait.next == wait.keys.count else { return nil }
        // A key seen earlier may have been removed since.
        if let gone = wait.keys.firstIndex(where: { values[$0] == nil }) {
            wait.next = gone
            return nil
        }
        return .values(wait.keys.map { values[$0]! })
    }
}
