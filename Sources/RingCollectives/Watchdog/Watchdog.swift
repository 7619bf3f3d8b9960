import RingCore
import RingSystem
import RingTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Watches over one rank of a communicator from a thread of its own.
///
/// It keeps a control link to the judge (on rank 0: to everybody), notices dead ranks even when no operation runs,
/// tells the judge when this rank's operation stalls or its deadline nears, and hands the judge's verdict to
/// whoever runs an operation.
final class Watchdog: Sendable {
    /// After how long without progress the judge hears of it.
    static let stallPeriod: Duration = .seconds(1)
    /// The longest that the judge is waited for once an operation has failed.
    static let judgementPeriod: Duration = .milliseconds(1200)
    /// For how long the judge may be silent before he counts as mute.
    private static let patience: Duration = .milliseconds(250)
    /// Deadlines as near as this need the watchdog's attention at once.
    private static let shortTimeout: Duration = .seconds(2)

    let rank: Rank
    private let roster: Roster
    private let wakeUp: WakeUp
    let shared: Monitor<Shared>
    private let thread: Monitor<SystemThread?>
    private let verdicts = Monitor<Verdict?>(nil)
    private let onVerdict: @Sendable (Verdict) -> Void
    /// The progress of the operation that runs, in nanoseconds of the monotonic clock.
    let lastProgress = Atomic<UInt64>(0)

    struct Running {
        var sequence: UInt64
        var signature: OperationSignature
        var deadline: Deadline
        var timeout: Duration
        var stallReported = false
        /// When the judge was told that the deadline is near.
        var expiryReported: Deadline?

        /// How long before the deadline the judge is told: he needs a little time to ask around.
        var notice: Duration { min(FailureJudge.longestNotice, timeout / 3) }
    }

    /// The judge's question, and what was answered last.
    struct Probe {
        var number: UInt32
        var until: Deadline
        var answer: OperationStatus
    }

    struct Shared {
        var running: Running?
        var nextSequence: UInt64 = 0
        var previous: OperationSignature?
        var waitingFor: Rank?
        var received: UInt64 = 0
        var probe: Probe?
        /// When the judge was last heard of.
        var judgeHeard: Deadline?
        var outgoing: [ControlMessage] = []
        var isLeaving = false
        var judgeHasLeft = false
    }

    /// Starts to watch. `onVerdict` runs once, on the watchdog's thread, when the communicator has failed.
    init(
        roster: Roster, links: sending [any Link], identifier: LinkIdentifier,
        onVerdict: @escaping @Sendable (Verdict) -> Void
    ) throws {
        let rank = roster.rank
        self.rank = rank
        self.roster = roster
        self.onVerdict = onVerdict
        wakeUp = try WakeUp()
        shared = Monitor(Shared())
        thread = Monitor(nil)
        let loop = WatchdogLoop(
            rank: rank, worldSize: roster.members.count, links: links, identifier: identifier)
        let box = Handover(loop)
        let started = try SystemThread(name: "ring-watch-\(rank)") { [self] in
            box.value.run(for: self, wakeUp: wakeUp)
        }
        thread.withLock { $0 = started }
    }

    /// Carries a value to the one thread that uses it from then on.
    private final class Handover: @unchecked Sendable {
        // Written before the thread starts, read by that thread alone.
        let value: WatchdogLoop
        init(_ value: WatchdogLoop) { self.value = value }
    }

    // MARK: For the thread that runs operations

    /// The first operation in hand has to wait, or has not ended after a while. A message between two ranks has no number of
    /// its own.
    func began(
        sequence: UInt64, signature: OperationSignature, isMessage: Bool, at now: Deadline,
        deadline: Deadline, timeout: Duration
    ) {
        lastProgress.store(now.nanoseconds, ordering: .relaxed)
        let isProbed = shared.withLock {
            $0.running = Running(
                sequence: sequence, signature: signature, deadline: deadline, timeout: timeout)
            $0.nextSequence = isMessage ? sequence : sequence + 1
            ($0.waitingFor, $0.received) = (nil, 0)
            return $0.probe != nil
        }
        // Normally the watchdog looks at the clock often enough by itself.
        if isProbed || timeout < Self.shortTimeout { wakeUp.set() }
    }

    /// A collective has come and gone without having to wait.
    func passed(sequence: UInt64, _ signature: OperationSignature) {
        let isProbed = shared.withLock {
            $0.nextSequence = sequence + 1
            $0.previous = signature
            return $0.probe != nil
        }
        if isProbed { wakeUp.set() }
    }

    /// The operation has ended.
    func ended() {
        let isProbed = shared.withLock {
            if let signature = $0.running?.signature, !signature.isMessage { $0.previous = signature }
            $0.running = nil
            $0.waitingFor = nil
            return $0.probe != nil
        }
        if isProbed { wakeUp.set() }
    }

    /// Bytes have moved.
    func progressed(at now: Deadline) {
        lastProgress.store(now.nanoseconds, ordering: .relaxed)
    }

    /// The operation sleeps until this peer does something; see ``OperationStatus/received``.
    func waits(for peer: Rank?, received: UInt64) {
        shared.withLock { ($0.waitingFor, $0.received) = (peer, received) }
    }

    /// The verdict, if the communicator has failed.
    var verdict: Verdict? { verdicts.withLock { $0 } }

    /// Tells the judge that this rank's operation has failed for this reason, and returns the verdict.
    func report(_ error: CollectiveError) -> Verdict {
        send(.failed(Verdict(error)))
        return finalVerdict(or: Verdict(error))
    }

    /// Tells the judge that the link to `peer` ended, and returns the verdict.
    ///
    /// The judge answers an accusation within ``FailureJudge/suspicionPeriod``. If he does not, he is the one who is
    /// mute, and the peer has ended for that reason too.
    func reportLoss(of peer: Rank, _ error: CollectiveError) -> Verdict {
        send(.suspect(peer, Verdict(error)))
        let hasLeft = shared.withLock { $0.judgeHasLeft }
        guard rank != 0, peer != 0, !hasLeft else { return finalVerdict(or: Verdict(error)) }
        return finalVerdict(
            or: Verdict(
                code: .timedOut,
                message: "rank 0 does not respond (process stopped, or host or network down), and "
                    + error.message,
                culprit: 0))
    }

    /// The verdict on an operation whose deadline has passed without one.
    ///
    /// The judge was told in good time, so no word from him since means that he is the one who does not respond.
    /// Otherwise he is told again that it is time, and speaks within ``FailureJudge/probePeriod``.
    func expired(waitingFor: Rank?) -> Verdict {
        let now = Deadline.now
        let (isMute, hasLeft, status) = shared.withLock { shared in
            shared.waitingFor = waitingFor
            let asked = shared.running?.expiryReported
            let isMute =
                asked.map { (shared.judgeHeard ?? $0) <= $0 && now >= $0.advanced(by: Self.patience) }
                ?? false
            return (isMute && rank != 0, shared.judgeHasLeft, Self.status(shared, at: now))
        }
        let isHopeless = isMute || hasLeft
        if !isHopeless { send(.expiring(status)) }
        let limit = isHopeless ? Duration.milliseconds(20) : Self.judgementPeriod
        if let verdict = verdicts.wait(until: now.advanced(by: limit), for: { $0 }) { return verdict }
        let operation = "operation \(status.sequence), \(status.signature?.description ?? "unknown"),"
        let time = Duration.milliseconds(Int64(clamping: status.timeoutMilliseconds)).shortText
        let reason =
            if hasLeft {
                "rank 0 has closed its communicator"
            } else if rank != 0 {
                "rank 0 does not respond (process stopped, or host or network down)"
            } else {
                "rank 0 waits for \(waitingFor.map { "rank \($0)" } ?? "nobody")"
            }
        let fallback = Verdict(
            code: hasLeft ? .peerLost : .timedOut,
            message: "\(reason): \(operation) did not end within \(time)",
            culprit: rank == 0 ? waitingFor : 0)
        announce(fallback)
        return self.verdict ?? fallback
    }

    /// Fails the communicator on all ranks for this reason.
    func announce(_ verdict: Verdict) {
        send(.failed(verdict))
        deliver(verdict)
    }

    /// Waits for the judge a short while, and falls back on `fallback`.
    func finalVerdict(or fallback: Verdict) -> Verdict {
        let verdict = verdicts.wait(until: .after(Self.judgementPeriod)) { $0 }
        if let verdict { return verdict }
        deliver(fallback)
        return self.verdict ?? fallback
    }

    /// Leaves in good order.
    func leave() {
        shared.withLock { $0.isLeaving = true }
        wakeUp.set()
        let thread = thread.withLock { $0 }
        thread?.join(until: .after(.seconds(2)))
    }

    private func send(_ message: ControlMessage) {
        shared.withLock { $0.outgoing.append(message) }
        wakeUp.set()
    }

    /// Makes the verdict known on this rank; the first one stands.
    func deliver(_ verdict: Verdict) {
        // Everybody explains it in the same words, so it travels without.
        let verdict = roster.explain(verdict)
        let isFirst = verdicts.withLock(notifying: true) { current in
            guard current == nil else { return false }
            current = verdict
            return true
        }
        if isFirst { onVerdict(verdict) }
    }
}
