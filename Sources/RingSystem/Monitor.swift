public import RingCore

#if canImport(Glibc)
    public import Glibc
#elseif canImport(Musl)
    public import Musl
#endif

/// State behind a lock on whose change a thread can wait, with a deadline.
///
/// `Synchronization.Mutex` has no condition to wait on, and the thread sanitizer does not see its locking when it is
/// contended; this is the lock of the whole package. Waiting blocks the calling thread, so call it
/// from a thread of your own, never from Swift's cooperative pool.
public final class Monitor<State>: @unchecked Sendable {
    private struct Lock {
        var mutex = pthread_mutex_t()
        var condition = pthread_cond_t()
    }

    // What is inlinable is compiled for each state and body in whatever module they are, which saves half the time of a
    // lock that nobody else wants. The compiler does so with what is public alone; no product has this module.

    // The lock lives on the heap because its address must not change. It guards `state`.
    private let lock: UnsafeMutablePointer<Lock>
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline let condition: UnsafeMutablePointer<pthread_cond_t>
    // The lock excludes what the language would check for at run time.
    @exclusivity(unchecked) @usableFromInline var state: State

    /// Puts `state` behind a lock.
    public init(_ state: sending State) {
        self.state = state
        lock = .allocate(capacity: 1)
        lock.initialize(to: Lock())
        mutex = lock.pointer(to: \.mutex)!
        condition = lock.pointer(to: \.condition)!
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        lock.deallocate()
    }

    /// Runs `body` with exclusive access to the state. Waiting threads look again afterwards if `notifying`.
    @discardableResult @inlinable
    public func withLock<Result, Failure: Error>(
        notifying: Bool = false, _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            if notifying { pthread_cond_broadcast(condition) }
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Runs `body` with exclusive access to the state. Waiting threads look again afterwards if it returns true.
    @inlinable
    public func update(_ body: (inout State) -> Bool) {
        pthread_mutex_lock(mutex)
        let isNotifying = body(&state)
        pthread_mutex_unlock(mutex)
        if isNotifying { pthread_cond_broadcast(condition) }
    }

    /// Waits until `body` returns a value, and returns it; nil once the deadline has passed.
    ///
    /// `body` runs with exclusive access, at once and after each notification.
    public func wait<Result>(
        until deadline: Deadline, for body: (inout State) throws -> Result?
    ) rethrows -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try body(&state) { return result }
            // Time far away would overflow the system's type: a year is as good.
            let nanoseconds = min(deadline.nanoseconds, Deadline.now.nanoseconds + 31_536_000_000_000_000)
            var time = timespec(
                tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
            _ = pthread_cond_timedwait(condition, mutex, &time)
            // Whoever is woken without end must not outlive the deadline either.
            if deadline.hasPassed { return try body(&state) }
        }
    }
}
