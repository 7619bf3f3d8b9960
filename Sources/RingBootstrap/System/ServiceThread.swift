import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A thread of the system's, for work that blocks and so must not run on Swift's cooperative pool.
///
/// All signals are blocked on it, so that the program's handlers run on the program's own threads.
final class ServiceThread: Sendable {
    private let handle: Mutex<pthread_t?>

    /// Starts a thread that runs `body`; `join` must be called in the end.
    init(_ body: @escaping @Sendable () -> Void) throws {
        handle = Mutex(try Self.create(body))
    }

    /// Starts a thread that nobody waits for.
    static func startDetached(_ body: @escaping @Sendable () -> Void) throws {
        pthread_detach(try create(body))
    }

    /// Waits for the end of the thread. Only the first call waits.
    func join() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let thread { pthread_join(thread, nil) }
    }

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static func create(_ body: @escaping @Sendable () -> Void) throws -> pthread_t {
        var all = sigset_t()
        var previous = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
        let argument = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        guard status == 0 else {
            argument.release()
            throw SystemError("pthread_create", status)
        }
        return thread
    }
}
