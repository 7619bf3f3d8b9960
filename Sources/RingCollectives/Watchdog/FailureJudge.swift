import RingCore
import RingTransport

/// Decides on rank 0 which rank is to blame when something goes wrong. A pure state machine.
///
/// A dead or mute rank makes its neighbours fail, and those theirs: left alone, most ranks would blame an innocent
/// one. So every rank reports what it sees to the judge, who knows more, and all throw the judge's one verdict.
/// The first verdict stands.
///
/// When an operation's deadline nears on some rank, the judge holds an *inquiry*: it asks all ranks what they are
/// doing, so that it can name the culprit at the deadline. Should the operation still end in time, nothing happens.
struct FailureJudge {
    /// What the judge hears.
    enum Event: Hashable {
        case message(ControlMessage, from: Rank)
        /// A member's control link ended.
        case closed(Rank)
        /// Time has passed.
        case tick
    }

    /// What the judge does.
    enum Action: Hashable {
        case send(ControlMessage, to: Rank)
        /// Everybody is to be told, this rank included.
        case pronounce(Verdict)
    }

    /// How long an accused rank's own word is waited for.
    static let suspicionPeriod: Duration = .milliseconds(300)
    /// How long ranks have to answer a probe if the deadline leaves no time.
    static let probePeriod: Duration = .milliseconds(500)
    /// The longest time before a deadline at which it is announced.
    static let longestNotice: Duration = .seconds(1)

    let worldSize: Int
    private(set) var verdict: Verdict?
    private var departed: Set<Rank> = []
    private var stalled: [Rank: OperationStatus] = [:]
    private var suspicions: [Suspicion] = []
    private var inquiry: Inquiry?
    private var inquiryCount: UInt32 = 0

    private struct Suspicion {
        var accused: Rank
        var verdict: Verdict
        var due: Deadline
    }

    /// The questioning of all ranks about an operation that may not end in time.
    struct Inquiry {
        var number: UInt32
        /// The operation's number.
        var sequence: UInt64
        /// Those whose deadline is near, the first one first.
        var askers: [Rank]
        /// What each rank last said.
        var answers: [Rank: OperationStatus]
        /// When the verdict is due: a little before the asker's deadline, so that it is there at the deadline.
        var verdictDue: Deadline
        /// When whoever has not answered counts as silent; not before the verdict is due.
        var answersDue: Deadline
    }

    init(worldSize: Int) {
        self.worldSize = worldSize
    }

    /// When the judge wants the next ``Event/tick`` at the latest; nil if nothing is pending, as after the verdict.
    var nextDeadline: Deadline? {
        guard verdict == nil else { return nil }
        var due = suspicions.map(\.due)
        if let inquiry { due.append(silent(in: inquiry).isEmpty ? inquiry.verdictDue : inquiry.answersDue) }
        return due.min()
    }

    /// Takes note of an event and says what to do.
    mutating func handle(_ event: Event, at now: Deadline) -> [Action] {
        guard verdict == nil else { return [] }
        switch event {
        case .message(let message, let rank): return handle(message, from: rank, at: now)
        case .closed(let rank):
            guard !departed.contains(rank) else { return [] }
            return pronounce(
                Verdict(
                    code: .peerLost,
                    message: "rank \(rank) ended without closing its communicator, or its host is gone",
                    culprit: rank, isUrgent: false))
        case .tick: return settle(at: now)
        }
    }

    private mutating func handle(_ message: ControlMessage, from rank: Rank, at now: Deadline) -> [Action] {
        switch message {
        case .failed(let verdict): return pronounce(verdict)
        case .suspect(let accused, let verdict):
            if departed.contains(accused) {
                return pronounce(
                    Verdict(
                        code: .peerLost,
                        message:
                            "rank \(accused) has closed its communicator, and rank \(rank) still needs it",
                        culprit: accused))
            }
            suspicions.append(
                Suspicion(accused: accused, verdict: verdict, due: now.advanced(by: Self.suspicionPeriod)))
            return []
        case .stalled(let status):
            stalled[rank] = status
            return FailureJudge.disagreement(among: stalled).map { pronounce($0) } ?? []
        case .expiring(let status): return beginInquiry(for: rank, status, at: now)
        case .status(let number, let status):
            guard inquiry?.number == number else { return [] }
            inquiry?.answers[rank] = status
            return settle(at: now)
        case .goodbye:
            departed.insert(rank)
            return settle(at: now)
        case .probe, .verdict, .ready: return []
        }
    }

    private mutating func pronounce(_ verdict: Verdict) -> [Action] {
        self.verdict = verdict
        return [.pronounce(verdict)]
    }

    // MARK: Inquiries

    private mutating func beginInquiry(for rank: Rank, _ status: OperationStatus, at now: Deadline)
        -> [Action]
    {
        guard status.signature != nil else { return [] }
        let left = min(Self.longestNotice, .milliseconds(Int64(clamping: status.remainingMilliseconds)))
        let verdictDue = now.advanced(by: left * 9 / 10)
        if var current = inquiry {
            current.askers.append(rank)
            current.answers[rank] = status
            current.verdictDue = min(current.verdictDue, verdictDue)
            inquiry = current
            return settle(at: now)
        }
        inquiryCount &+= 1
        let hasTime = left >= Self.probePeriod / 2
        inquiry = Inquiry(
            number: inquiryCount, sequence: status.sequence, askers: [rank], answers: [rank: status],
            verdictDue: verdictDue, answersDue: hasTime ? verdictDue : now.advanced(by: Self.probePeriod))
        let present = (0..<worldSize).filter { !departed.contains($0) }
        return present.map { .send(.probe(inquiryCount), to: $0) } + settle(at: now)
    }

    private func silent(in inquiry: Inquiry) -> [Rank] {
        (0..<worldSize).filter { inquiry.answers[$0] == nil && !departed.contains($0) }
    }

    /// Concludes what is due or complete.
    private mutating func settle(at now: Deadline) -> [Action] {
        if let suspicion = suspicions.first(where: { $0.due <= now }) { return pronounce(suspicion.verdict) }
        guard let inquiry else { return [] }
        if let mismatch = FailureJudge.disagreement(among: inquiry.answers) { return pronounce(mismatch) }
        let silent = silent(in: inquiry)
        guard now >= inquiry.verdictDue, silent.isEmpty || now >= inquiry.answersDue else { return [] }
        self.inquiry = nil
        let asker = inquiry.askers.first {
            inquiry.answers[$0]?.sequence == inquiry.sequence && inquiry.answers[$0]?.signature != nil
        }
        // Whoever asked has ended the operation after all.
        guard let asker else { return [] }
        return pronounce(inquiry.conclusion(asker: asker, silent: silent, departed: departed))
    }
}
