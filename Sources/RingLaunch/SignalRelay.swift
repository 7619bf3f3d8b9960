import RingSystem
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Turns signals into bytes that can be polled for.
///
/// A handler may do almost nothing, so ours writes the signal's number into a socket. It works in a program
/// of many threads, whichever of them is interrupted.
final class SignalRelay {
    /// The signals that are passed on to the ranks.
    static let forwarded = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2]

    /// What the handler writes to; -1 while no relay exists.
    private static let target = Atomic<Int32>(-1)

    /// Where to poll.
    let descriptor: Int32

    /// Of the forwarded signals, those that were ignored from the start and stay so: `nohup`.
    let ignored: Set<Int32>

    private var previous: [(Int32, sigaction)] = []
    private var previousMask = sigset_t()

    init() throws {
        var numbers: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        try SystemCall.check("socketpair") { socketpair(AF_UNIX, kind, 0, &numbers) }
        descriptor = numbers[0]
        Self.target.store(numbers[1], ordering: .releasing)

        var old = sigaction()
        sigaction(SIGHUP, nil, &old)
        // A shell's background jobs ignore SIGINT from the start; SIGHUP alone is ignored on purpose.
        ignored = unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == 1 ? [SIGHUP] : []

        var relay = sigaction()
        relay.__sigaction_handler.sa_handler = { signal in
            var byte = UInt8(truncatingIfNeeded: signal)
            let number = errno
            write(SignalRelay.target.load(ordering: .acquiring), &byte, 1)
            errno = number
        }
        relay.sa_flags = SA_RESTART
        var ignore = sigaction()
        ignore.__sigaction_handler.sa_handler = SIG_IGN
        for signal in Self.forwarded + [SIGCHLD] where !ignored.contains(signal) { replace(signal, relay) }
        // A reader of our output that leaves is an error of `write`. SIGTTOU stays ignored in the ranks, so
        // that one in the background of the terminal may still draw on it.
        for signal in [SIGPIPE, SIGTTOU] { replace(signal, ignore) }
        // A program that started us from a thread which takes no signals has passed that on.
        var taken = sigset_t()
        sigemptyset(&taken)
        for signal in Self.forwarded + [SIGCHLD] { sigaddset(&taken, signal) }
        pthread_sigmask(SIG_UNBLOCK, &taken, &previousMask)
    }

    private func replace(_ signal: Int32, _ action: sigaction) {
        var action = action
        var old = sigaction()
        sigaction(signal, &action, &old)
        previous.append((signal, old))
    }

    deinit {
        pthread_sigmask(SIG_SETMASK, &previousMask, nil)
        for (signal, action) in previous {
            var action = action
            sigaction(signal, &action, nil)
        }
        close(Self.target.exchange(-1, ordering: .acquiringAndReleasing))
        close(descriptor)
    }

    /// The signals that came since it was last asked, oldest first.
    func take() -> [Int32] {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        return count > 0 ? bytes[..<count].map(Int32.init) : []
    }
}
