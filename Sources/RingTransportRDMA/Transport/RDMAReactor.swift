import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a transport's connections have in common: their events, which a thread of its own hands out, and their ends.
///
/// The thread lives until the transport has been shut down and the last link is closed.
final class RDMAReactor: Sendable {
    let verbs: any Verbs
    let events: SharedEventChannel
    let wakeUp: WakeUp
    /// The callers' memory that the devices know.
    let regions = RegisteredRegions()
    /// What the links have copied of payloads.
    let copies = ByteCounter()
    let state = Monitor(State())

    struct State {
        private var lastContext: UInt64 = 0
        var dials: [UInt64: RDMADial] = [:]
        /// Links that are open.
        var connections: [UInt64: RDMAConnection] = [:]
        /// Links that this end has closed, whose last bytes are under way, and until when they are waited for.
        var ending: [UInt64: (connection: RDMAConnection, deadline: Deadline)] = [:]
        /// Links that must notice by themselves that the peer's host has died.
        var probed: Set<UInt64> = []
        var domains: [VerbsHandle: WeakDomain] = [:]
        /// Whether no new link is wanted.
        var isStopping = false
        /// Whether nobody is listened for any more.
        var hasStoppedListening = false

        mutating func nextContext() -> UInt64 {
            lastContext += 1
            return lastContext
        }

        var isIdle: Bool { dials.isEmpty && connections.isEmpty && ending.isEmpty }
    }

    struct WeakDomain {
        weak var domain: SharedDomain?
    }

    /// How long a closed link waits for the peer to have its last bytes.
    static let endingTime: Duration = .seconds(5)

    init(_ verbs: any Verbs) throws(SystemError) {
        self.verbs = verbs
        events = try SharedEventChannel(verbs)
        wakeUp = try WakeUp()
    }

    /// A number that no event has carried before.
    func nextContext() -> UInt64 { state.withLock { $0.nextContext() } }

    /// The protection domain of a device, made if there is none.
    func domain(of device: VerbsHandle) throws(SystemError) -> SharedDomain {
        if let domain = state.withLock({ $0.domains[device]?.domain }) { return domain }
        let made = try SharedDomain(verbs, device: device)
        return state.withLock { state in
            // Another thread may have been quicker.
            if let domain = state.domains[device]?.domain { return domain }
            state.domains[device] = WeakDomain(domain: made)
            return made
        }
    }

    /// Keeps a connection that has become a link, until its end.
    func keep(_ connection: RDMAConnection, isProbed: Bool) {
        state.withLock { state in
            state.connections[connection.context] = connection
            if isProbed { state.probed.insert(connection.context) }
        }
    }

    /// Ends a link from this side. Calling it again is fine.
    ///
    /// What it waits for is mostly there in a few microseconds, so that this thread needs no other's help.
    func close(_ connection: RDMAConnection) {
        var isOver = connection.end()
        let patience = Deadline.after(.microseconds(200))
        while !isOver, !patience.hasPassed {
            sched_yield()
            isOver = connection.advanceEnding()
        }
        state.withLock(notifying: true) { state in
            guard state.connections.removeValue(forKey: connection.context) != nil else { return }
            state.probed.remove(connection.context)
            if !isOver {
                state.ending[connection.context] = (connection, .after(Self.endingTime))
            }
        }
        wakeUp.set()
    }

    /// Goes on with the ends that are under way; whether there are any left.
    func advanceEndings() -> Bool {
        let ending = state.withLock { Array($0.ending.values) }
        guard !ending.isEmpty else { return false }
        let over = ending.filter { entry in
            if entry.connection.advanceEnding() { return true }
            guard entry.deadline.hasPassed else { return false }
            entry.connection.abandon()
            return true
        }
        return state.withLock(notifying: true) { state in
            for entry in over { state.ending[entry.connection.context] = nil }
            return !state.ending.isEmpty
        }
    }

    /// Waits until every closed link's last bytes have arrived, or have been given up.
    func waitForEndings() {
        _ = state.wait(until: .after(Self.endingTime)) { $0.ending.isEmpty ? true : nil }
    }

    /// Gives an event to whom it concerns.
    func dispatch(_ event: ConnectionEvent) {
        let (dial, connection) = state.withLock { state in
            (
                state.dials[event.context],
                state.connections[event.context] ?? state.ending[event.context]?.connection
            )
        }
        dial?.take(event)
        switch event.kind {
        case .disconnected: connection?.peerDisconnected()
        case .deviceRemoved: connection?.deviceRemoved()
        default: break
        }
    }

    /// Probes the links that must notice a dead host.
    func probe() {
        let probed = state.withLock { state in state.probed.compactMap { state.connections[$0] } }
        for connection in probed { connection.probe() }
    }

    /// Ends the waits of dials, of one communicator or of all.
    func interrupt(communicator: UInt32?) {
        let dials = state.withLock { Array($0.dials.values) }
        for dial in dials where communicator == nil || dial.communicator == communicator {
            dial.interrupt()
        }
    }
}
