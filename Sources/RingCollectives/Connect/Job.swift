import RingCore
import RingTransport
import Synchronization

/// What the communicators of one process share: the transport that carries them all, and the job's ranks.
///
/// The transport lives until the last communicator that uses it has been closed, in whatever order they are.
final class Job: Sendable {
    let transport: any Transport
    /// By rank of the job: the running system that it is on.
    let systems: [String]
    private let users = Atomic(0)
    private let numbers = Atomic<UInt64>(0)
    /// Ends what the bootstrap left open.
    private let onEnd: @Sendable () -> Void

    /// Shares `transport`, whose ranks have met.
    init(transport: any Transport, systems: [String], onEnd: @escaping @Sendable () -> Void) {
        self.transport = transport
        self.systems = systems
        self.onEnd = onEnd
    }

    /// How many ranks the job has.
    var worldSize: Int { systems.count }

    /// One more communicator uses the transport.
    func enter() {
        users.add(1, ordering: .relaxed)
    }

    /// A communicator has been closed; with the last one, the transport ends.
    func leave() {
        guard users.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        transport.shutdown()
        onEnd()
    }

    /// A number that this process gives away once only, to make a communicator's number of.
    func reserveNumber() -> UInt64 {
        numbers.add(1, ordering: .relaxed).oldValue
    }
}
