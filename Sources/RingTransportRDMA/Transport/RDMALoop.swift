import Logging
import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the reactor's thread does: takes in connections, hands out events, and sees to ends.
///
/// A connection that says nothing, or nonsense, is dropped after its time and keeps nobody else waiting.
struct RDMALoop {
    let reactor: RDMAReactor
    let acceptor: RDMAAcceptor
    var listeners: [RDMAListener]
    let cache: RegistrationCache
    private var pending: [UInt64: RDMAPendingHandshake] = [:]
    private var nextProbe = Deadline.after(probePeriod)
    private var lastWarning: SystemError?

    /// More unfinished handshakes than this, beside a few for each rank, are strangers' doing: the oldest is dropped.
    private static let mostStrangers = 64
    /// How often a link is probed that must notice a dead host.
    private static let probePeriod: Duration = .seconds(5)
    /// How long is slept at most while a closed link's last bytes are under way.
    private static let endingPause: Int32 = 1

    init(
        reactor: RDMAReactor, acceptor: RDMAAcceptor, listeners: [RDMAListener], cache: RegistrationCache
    ) {
        self.cache = cache
        self.reactor = reactor
        self.acceptor = acceptor
        self.listeners = listeners
    }

    /// Runs until the transport has been shut down and the last link is closed.
    mutating func run() {
        var hasEndings = false
        while true {
            wait(hasEndings: hasEndings)
            takeEvents()
            advancePending()
            hasEndings = reactor.advanceEndings()
            if nextProbe.hasPassed {
                reactor.probe()
                cache.sweep()
                nextProbe = .after(Self.probePeriod)
            }
            let (isStopping, isIdle) = reactor.state.withLock { ($0.isStopping, $0.isIdle) }
            guard isStopping else { continue }
            if !listeners.isEmpty || !pending.isEmpty {
                listeners = []
                for handshake in pending.values { handshake.connection.abandon() }
                pending = [:]
            }
            reactor.state.withLock(notifying: true) { $0.hasStoppedListening = true }
            if isIdle { return }
        }
    }

    /// Sleeps until there is something to do.
    private func wait(hasEndings: Bool) {
        var descriptors = [
            pollfd(fd: reactor.wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: reactor.events.channel.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        for handshake in pending.values {
            // There is news already.
            guard let descriptor = handshake.connection.prepareToWait(for: .receiving) else { return }
            descriptors.append(descriptor)
        }
        let due = ([nextProbe] + pending.values.map(\.deadline)).min()!
        _ = try? SystemCall.poll(
            &descriptors,
            milliseconds: due.remainingMilliseconds(atMost: hasEndings ? Self.endingPause : 60_000))
        reactor.wakeUp.reset()
    }

    private mutating func takeEvents() {
        do {
            while let event = try reactor.events.channel.next() {
                if event.kind == .request {
                    take(event)
                    continue
                }
                if event.kind == .deviceRemoved, listeners.contains(where: { $0.context == event.context }) {
                    acceptor.logger.error("an RDMA device of rank \(acceptor.rank) has been removed")
                    listeners.removeAll { $0.context == event.context }
                }
                if let handshake = pending[event.context] {
                    switch event.kind {
                    case .disconnected, .connectFailed, .unreachable, .rejected:
                        handshake.connection.peerDisconnected()
                    case .deviceRemoved: handshake.connection.deviceRemoved()
                    default: break
                    }
                }
                reactor.dispatch(event)
            }
            lastWarning = nil
        } catch {
            // Events are awaited again later: those that are to come must not be lost for one that cannot be had.
            if lastWarning != error { acceptor.logger.error("no events of RDMA connections: \(error)") }
            lastWarning = error
            usleep(10_000)
        }
    }

    private mutating func take(_ request: ConnectionEvent) {
        guard listeners.contains(where: { $0.context == request.context }) else {
            // Nobody is listened for any more: what goes unanswered is rejected by the system.
            if let handle = request.request { reactor.verbs.destroyIdentifier(handle) }
            return
        }
        guard let handshake = acceptor.answer(request) else { return }
        pending[handshake.connection.context] = handshake
        guard pending.count > Self.mostStrangers + 4 * acceptor.worldSize,
            let oldest = pending.min(by: { $0.key < $1.key })
        else { return }
        drop(oldest.value, because: "too many are waiting that did not say who they are")
    }

    private mutating func advancePending() {
        for handshake in pending.values {
            switch handshake.advance(acceptor.authenticator) {
            case .waiting:
                if handshake.deadline.hasPassed {
                    drop(handshake, because: "it did not say who it is")
                }
            case .failed(let reason): drop(handshake, because: reason)
            case .finished:
                pending[handshake.connection.context] = nil
                acceptor.arrived(handshake.hello, handshake.connection, handshake.source)
            }
        }
    }

    private mutating func drop(_ handshake: RDMAPendingHandshake, because reason: String) {
        acceptor.logger.warning("dropped a connection from \(handshake.source): \(reason)")
        handshake.connection.abandon()
        pending[handshake.connection.context] = nil
    }
}
