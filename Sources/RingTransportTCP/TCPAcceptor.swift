import Logging
import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Takes in the connections that other ranks make, on a thread of its own.
///
/// A connection that says nothing, or nonsense, is dropped after its time and keeps nobody else waiting.
final class TCPAcceptor: Sendable {
    /// Whom to welcome, and what to do with them.
    struct Context: Sendable {
        var rank: Rank
        var worldSize: Int
        var authenticator: any LinkAuthenticator
        var handshakeTimeout: Duration
        var logger: Logger
        /// Is given each connection whose other end has proved itself. Runs on the acceptor's thread.
        var arrived: @Sendable (LinkHandshake.Hello, consuming Socket) -> Void
    }

    /// More unfinished handshakes than this, beside a few for each rank, are strangers' doing: the oldest is dropped.
    private static let mostStrangers = 1024
    /// How many connections are taken in before those that are there have their turn.
    private static let mostAtOnce = 64
    /// How long nobody is taken in after the system could not.
    private static let pause: Duration = .milliseconds(50)

    private let stop: WakeUp
    private let thread: SystemThread

    init(listeners: ListenerSet, context: Context) throws(SystemError) {
        let stop = try WakeUp()
        self.stop = stop
        thread = try SystemThread(name: "ring-accept-\(context.rank)") {
            var loop = Loop(listeners: listeners, context: context, stop: stop)
            loop.run()
        }
    }

    /// Stops listening.
    func shutDown() {
        stop.set()
        thread.join(until: .after(.seconds(5)))
    }

    /// Listening sockets; held by one thread at a time.
    final class ListenerSet: @unchecked Sendable {
        // Filled before it is handed to the acceptor's thread, and that thread's from then on.
        private(set) var first: [Listener] = []

        final class Listener {
            let socket: Socket
            init(_ socket: consuming Socket) { self.socket = socket }
        }

        func add(_ socket: consuming Socket) { first.append(Listener(socket)) }

        func closeAll() { first = [] }
    }

    private struct Loop {
        let listeners: ListenerSet
        let context: Context
        let stop: WakeUp
        var pending: [PendingHandshake] = []
        /// Until when nobody is taken in.
        var pausedUntil = Deadline.now

        mutating func run() {
            while true {
                var descriptors = [pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0)]
                // A negative descriptor is passed over.
                let isPaused = !pausedUntil.hasPassed
                descriptors += listeners.first.map {
                    pollfd(fd: isPaused ? -1 : $0.socket.number, events: Int16(POLLIN), revents: 0)
                }
                descriptors += pending.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
                let due = pending.map(\.deadline) + (isPaused ? [pausedUntil] : [])
                let wait = due.min()?.remainingMilliseconds(atMost: 60_000) ?? 60_000
                _ = try? SystemCall.poll(&descriptors, milliseconds: wait)
                if descriptors[0].revents != 0 { break }
                advancePending()
                if !isPaused { acceptNew() }
            }
            listeners.closeAll()
            pending = []
        }

        private mutating func acceptNew() {
            for listener in listeners.first {
                for _ in 0..<TCPAcceptor.mostAtOnce {
                    do {
                        guard let accepted = try listener.socket.accept() else { break }
                        let source = accepted.address?.description ?? "an unknown address"
                        pending.append(
                            PendingHandshake(
                                accepted.take(), source: source, deadline: .after(context.handshakeTimeout)))
                    } catch {
                        // Whoever has not said a word holds in vain the descriptor that another needs.
                        let isShort = [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.number)
                        if isShort, dropOldest(because: "it is in the way of others: \(error.reason)") {
                            continue
                        }
                        // The listener stays ready all the while: polling it at once would only burn a processor.
                        pausedUntil = .after(TCPAcceptor.pause)
                        return
                    }
                    if pending.count > TCPAcceptor.mostStrangers + 4 * context.worldSize {
                        dropOldest(because: "too many are waiting that did not say who they are")
                    }
                }
            }
        }

        @discardableResult
        private mutating func dropOldest(because reason: String) -> Bool {
            guard let oldest = pending.first else { return false }
            context.logger.warning("dropped a connection from \(oldest.source): \(reason)")
            pending.removeFirst()
            return true
        }

        private mutating func advancePending() {
            pending.removeAll { [context] handshake in
                switch handshake.advance(context) {
                case .waiting:
                    guard handshake.deadline.hasPassed else { return false }
                    context.logger.warning(
                        "dropped a connection from \(handshake.source) that did not say who it is")
                    return true
                case .failed(let reason):
                    context.logger.warning("dropped a connection from \(handshake.source): \(reason)")
                    return true
                case .finished(let hello):
                    if let socket = handshake.takeSocket() { context.arrived(hello, socket) }
                    return true
                }
            }
        }
    }
}
