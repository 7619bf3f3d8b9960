import RingCore
import RingSystem
import RingTransport
import Synchronization

/// What all channels of a communicator share while they run an operation.
final class RunnerContext: Sendable {
    let rank: Rank
    /// How ranks are reached; nil for a single rank.
    let transport: (any Transport)?
    let watchdog: Watchdog?
    /// What is copied of operations' elements, beside what the links copy.
    let copies = ByteCounter()
    /// Wakes all channels, for good: set once there is a verdict.
    let wakeUp: WakeUp
    private let hasUrgentVerdict = Atomic(false)
    private let hasAnyVerdict = Atomic(false)

    /// How long an operation may lack progress after a rank has ended before it is given up.
    private static let grace: Duration = .milliseconds(300)

    init(rank: Rank, transport: (any Transport)?, watchdog: Watchdog?, wakeUp: WakeUp) {
        self.rank = rank
        self.transport = transport
        self.watchdog = watchdog
        self.wakeUp = wakeUp
    }

    /// Takes note that the communicator has failed.
    func fail(urgently: Bool) {
        if urgently { hasUrgentVerdict.store(true, ordering: .releasing) }
        hasAnyVerdict.store(true, ordering: .releasing)
        wakeUp.set()
    }

    /// Whether there is a verdict.
    var hasVerdict: Bool { hasAnyVerdict.load(ordering: .acquiring) }

    /// Throws the verdict if the operation must end at once.
    func checkUrgent() throws {
        guard hasUrgentVerdict.load(ordering: .acquiring), let verdict = watchdog?.verdict else { return }
        throw verdict.error
    }

    /// Throws if an operation that has not moved since `stalledSince` must end.
    func check(stalledSince: Deadline, deadline: Deadline, waitingFor: Rank?) throws {
        try checkUrgent()
        let now = Deadline.now
        if hasVerdict, let verdict = watchdog?.verdict, now >= stalledSince.advanced(by: Self.grace) {
            throw verdict.error
        }
        if now >= deadline { throw OperationExpired(waitingFor: waitingFor) }
    }
}

/// An operation's deadline has passed and the judge has not spoken.
struct OperationExpired: Error {
    /// The peer that this rank waits for.
    var waitingFor: Rank?
}
