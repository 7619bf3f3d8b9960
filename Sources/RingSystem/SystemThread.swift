import CRingSystem
package import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A thread of the operating system, for work that blocks.
///
/// Swift's cooperative pool must not be blocked; what waits in the kernel runs on one of these. All signals are
/// blocked on it, so that the program's handlers run on the program's own threads.
package final class SystemThread: Sendable {
    private let ended = Monitor(false)

    /// Starts `body` on a new thread. `name` is what debuggers show, 15 bytes of it. What `body` holds is released
    /// before the thread counts as ended.
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = Start(name: name, body: body, ended: ended)
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        // A thread begins with its creator's mask.
        var (all, previous) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
        let retained = Unmanaged.passRetained(start)
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                SystemThread.run(argument!).withLock(notifying: true) { $0 = true }
                return nil
            }, retained.toOpaque())
        if status != 0 {
            retained.release()
            throw SystemError("pthread_create", status)
        }
    }

    /// Waits until the thread has ended; false once the deadline has passed.
    @discardableResult
    package func join(until deadline: Deadline) -> Bool {
        ended.wait(until: deadline) { $0 ? true : nil } ?? false
    }

    /// Runs what was to be started and lets go of it; who is to be told of its end.
    private static func run(_ argument: UnsafeMutableRawPointer) -> Monitor<Bool> {
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        ring_thread_set_name(start.name)
        start.body()
        return start.ended
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        let ended: Monitor<Bool>

        init(name: String, body: @escaping @Sendable () -> Void, ended: Monitor<Bool>) {
            self.name = name
            self.body = body
            self.ended = ended
        }
    }
}
