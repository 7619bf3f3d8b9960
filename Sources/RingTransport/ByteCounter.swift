public import Synchronization

/// How many bytes something has happened to, counted by any threads.
public final class ByteCounter: Sendable {
    // Public because it is inlinable, as with ``RepeatedHeader``.
    @usableFromInline let total = Atomic(0)

    package init() {}

    @inlinable
    public func add(_ byteCount: Int) {
        if byteCount > 0 { total.add(byteCount, ordering: .relaxed) }
    }

    package var count: Int { total.load(ordering: .relaxed) }
}
