import Synchronization

/// How many bytes something has happened to, counted by any threads.
package final class ByteCounter: Sendable {
    private let total = Atomic(0)

    package init() {}

    package func add(_ byteCount: Int) {
        if byteCount > 0 { total.add(byteCount, ordering: .relaxed) }
    }

    package var count: Int { total.load(ordering: .relaxed) }
}
