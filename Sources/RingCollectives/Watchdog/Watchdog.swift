import Logging
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
    /// The longest that ``finalVerdict(or:)`` waits for the judge.
    static let judgementPeriod: Duration = .milliseconds(1200)

    private let rank: Rank
    private let wakeUp: WakeUp
    private let shared: Mutex<Shared>
    private let thread: Mutex<SystemThread?>
    private let verdicts = Monitor<Verdict?>(nil)
    private let onVerdict: @Sendable (Verdict) -> Void
    /// The progress of the operation that runs, in nanoseconds of the monotonic clock.
    private let lastProgress = Atomic<UInt64>(0)

    struct Running {
        var sequence: UInt64
        var signature: OperationSignature
        var deadline: Deadline
        var timeout: Duration
        var started: Deadline
        var stallReported = false
        var expiryReported = false
    }

    struct Shared {
        var running: Running?
        var nextSequence: UInt64 = 0
        var waitingFor: Rank?
        var outgoing: [ControlMessage] = []
        var isLeaving = false
        var judgeHasLeft = false
    }

    /// Starts to watch. `onVerdict` runs once, on the watchdog's thread, when the communicator has failed.
    init(
        rank: Rank, worldSize: Int, links: sending [any Link], identifier: LinkIdentifier,
        onVerdict: @escaping @Sendable (Verdict) -> Void
    ) throws {
        self.rank = rank
        self.onVerdict = onVerdict
        wakeUp = try WakeUp()
        shared = Mutex(Shared())
        thread = Mutex(nil)
        let loop = WatchdogLoop(rank: rank, worldSize: worldSize, links: links, identifier: identifier)
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

    /// An operation begins.
    func began(sequence: UInt64, signature: OperationSignature, deadline: Deadline, timeout: Duration) {
        let now = Deadline.now
        lastProgress.store(now.nanoseconds, ordering: .relaxed)
        shared.withLock {
            $0.running = Running(
                sequence: sequence, signature: signature, deadline: deadline, timeout: timeout, started: now)
            $0.nextSequence = sequence + 1
            $0.waitingFor = nil
        }
    }

    /// The operation has ended.
    func ended() {
        shared.withLock { $0.running = nil }
    }

    /// Bytes have moved.
    func progressed(at now: Deadline) {
        lastProgress.store(now.nanoseconds, ordering: .relaxed)
    }

    /// The operation sleeps until this peer does something.
    func waits(for peer: Rank?) {
        shared.withLock { $0.waitingFor = peer }
    }

    /// The verdict, if the communicator has failed.
    var verdict: Verdict? { verdicts.withLock { $0 } }

    /// Tells the judge that this rank's operation has failed for this reason, and returns the verdict.
    func report(_ error: CollectiveError) -> Verdict {
        send(.failed(Verdict(error)))
        return finalVerdict(or: Verdict(error))
    }

    /// Tells the judge that the link to `peer` ended, and returns the verdict.
    func reportLoss(of peer: Rank, _ error: CollectiveError) -> Verdict {
        send(.suspect(peer, Verdict(error)))
        return finalVerdict(or: Verdict(error))
    }

    /// The verdict on an operation whose deadline has passed without one.
    ///
    /// The judge was asked in good time, so its silence means that it is the one who does not respond.
    func expired(waitingFor: Rank?) -> Verdict {
        let status = self.status
        let operation = "operation \(status.sequence), \(status.signature?.description ?? "unknown"),"
        let time = Duration.milliseconds(Int64(clamping: status.timeoutMilliseconds)).shortText
        let isMute = rank != 0 && !shared.withLock { $0.judgeHasLeft }
        let culprit = isMute ? 0 : waitingFor
        let reason =
            isMute
            ? "rank 0 does not respond (process stopped, or host or network down)"
            : "rank \(rank) waits for \(waitingFor.map { "rank \($0)" } ?? "nobody")"
        let fallback = Verdict(
            code: .timedOut, message: "\(reason): \(operation) did not end within \(time)", culprit: culprit)
        let verdict = verdicts.wait(until: .after(.milliseconds(20))) { $0 }
        if let verdict { return verdict }
        send(.failed(fallback))
        deliver(fallback)
        return self.verdict ?? fallback
    }

    /// Fails the communicator on all ranks for this reason.
    func announce(_ verdict: Verdict) {
        send(.failed(verdict))
        deliver(verdict)
    }

    /// The judge has said goodbye: there will be no more verdicts.
    func judgeLeft() {
        shared.withLock { $0.judgeHasLeft = true }
    }

    /// Waits for the judge a short while, and falls back on `fallback`.
    func finalVerdict(or fallback: Verdict) -> Verdict {
        let verdict = verdicts.wait(until: .after(Self.judgementPeriod)) { $0 }
        if let verdict { return verdict }
        deliver(fallback)
        return fallback
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

    // MARK: For the watchdog's own thread

    /// Makes the verdict known on this rank; the first one stands.
    func deliver(_ verdict: Verdict) {
        let isFirst = verdicts.withLock(notifying: true) { current in
            guard current == nil else { return false }
            current = verdict
            return true
        }
        if isFirst { onVerdict(verdict) }
    }

    /// The messages to send since the last call, and whether to leave.
    func takeOutgoing() -> (messages: [ControlMessage], isLeaving: Bool) {
        shared.withLock { shared in
            defer { shared.outgoing = [] }
            return (shared.outgoing, shared.isLeaving)
        }
    }

    /// What this rank is doing.
    var status: OperationStatus {
        shared.withLock { shared in
            OperationStatus(
                sequence: shared.running?.sequence ?? shared.nextSequence, signature: shared.running?.signature,
                waitingFor: shared.waitingFor,
                timeoutMilliseconds: (shared.running?.timeout.clampedNanoseconds ?? 0) / 1_000_000)
        }
    }

    /// Looks at the running operation's clock, and says what the judge must hear.
    func dueReports(at now: Deadline) -> [ControlMessage] {
        var kinds: (stalled: Bool, expiring: Bool) = (false, false)
        shared.withLock { shared in
            guard var running = shared.running else { return }
            let progress = lastProgress.load(ordering: .relaxed)
            let isStalled =
                now.nanoseconds > progress
                && now.nanoseconds - progress >= Self.stallPeriod.clampedNanoseconds
            if isStalled, !running.stallReported {
                running.stallReported = true
                kinds.stalled = true
            }
            // The judge needs a little time before the deadline to ask around.
            let lead = min(.seconds(1), running.timeout / 3)
            if now.advanced(by: lead) >= running.deadline, !running.expiryReported {
                running.expiryReported = true
                kinds.expiring = true
            }
            shared.running = running
        }
        let status = self.status
        return (kinds.stalled ? [.stalled(status)] : []) + (kinds.expiring ? [.expiring(status)] : [])
    }

    /// When ``dueReports(at:)`` should be asked next, at the latest.
    func nextReport(after now: Deadline) -> Deadline {
        let latest = now.advanced(by: .milliseconds(500))
        return shared.withLock { shared in
            guard let running = shared.running, !running.expiryReported else { return latest }
            let lead = min(.seconds(1), running.timeout / 3).clampedNanoseconds
            let distance = running.deadline.nanoseconds &- lead
            guard distance > now.nanoseconds, running.deadline.nanoseconds > lead else { return latest }
            return min(latest, now.advanced(by: .nanoseconds(Int64(clamping: distance - now.nanoseconds))))
        }
    }
}
