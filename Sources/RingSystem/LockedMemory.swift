import CRingSystem

/// Memory that the system must not move or page out.
package enum LockedMemory {
    /// How many bytes this process may lock; nil if there is no limit.
    package static var limit: UInt64? {
        let limit = ring_locked_memory_limit()
        return limit == .max ? nil : limit
    }
}
