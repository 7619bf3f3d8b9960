import CRingSystem
import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A ``MemoryWatch`` by the kernel's `userfaultfd`.
///
/// Whoever unmaps, moves or empties memory sleeps in the kernel until the event has been read here, which a thread of its
/// own does. Before that the memory may already be gone and its place be somebody else's: but then the kernel says that
/// something is changing, so that nobody takes what is there now for what was there before.
///
/// Who sleeps may hold the allocator's locks. So whatever holds this object's lock, the thread above all, allocates and
/// frees nothing.
package final class UserfaultWatch: MemoryWatch {
    package let capacity: Int
    private let events: WatchedRanges
    private let thread: SystemThread

    /// Watches nothing yet. Throws if this process may not, or the kernel cannot.
    package init(capacity: Int = 1024) throws(SystemError) {
        self.capacity = capacity
        let events = try WatchedRanges(capacity: capacity)
        self.events = events
        do {
            thread = try SystemThread(name: "ring-memory") { events.readUntilStopped() }
        } catch {
            events.close()
            throw error
        }
    }

    deinit {
        stop()
    }

    package func add(_ pages: UnsafeRawBufferPointer) -> Int? { events.add(pages) }

    package func remove(_ number: Int) { events.remove(number) }

    package func isGone(_ number: Int) -> Bool { events.isGone(number) }

    package func look() -> MemoryNews {
        // Whoever has been noticed says so himself, once he runs again.
        for _ in 0..<Self.patience {
            if let news = events.look() { return news }
            sched_yield()
        }
        return .changing
    }

    /// How often it is looked again while something is changing.
    private static let patience = 200

    package func stop() {
        events.stop()
        thread.join(until: .after(.seconds(5)))
    }
}
