import CRingSystem
package import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A thread of the operating system, for work that blocks.
///
/// Swift's cooperative pool must not be blocked; what waits in the kernel runs on one of these.
package final class SystemThread: Sendable {
    private let ended = Monitor(false)

    /// Starts `body` on a new thread. `name` is what debuggers show, 15 bytes of it.
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = Start(name: name, body: body, ended: ended)
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        let retained = Unmanaged.passRetained(start)
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                ring_thread_set_name(start.name)
                start.body()
                start.ended.withLock(notifying: true) { $0 = true }
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
