import RingCore
import RingTransport

/// Decides on rank 0 which rank is to blame when something goes wrong. A pure state machine.
///
/// A dead or mute rank makes its neighbours fail, and those theirs: left alone, most ranks would blame an innocent
/// one. So every rank reports what it sees to the judge, who knows more, and all throw the judge's one verdict.
/// The first verdict stands.
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
    /// How long ranks have to answer a probe.
    static let probePeriod: Duration = .milliseconds(500)

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

    private struct Inquiry {
        var number: UInt32
        var asker: Rank
        var status: OperationStatus
        var answers: [Rank: OperationStatus]
        var due: Deadline
    }

    init(worldSize: Int) {
        self.worldSize = worldSize
    }

    /// When the judge wants the next ``Event/tick`` at the latest; nil if nothing is pending, as after the verdict.
    var nextDeadline: Deadline? {
        guard verdict == nil else { return nil }
        return (suspicions.map(\.due) + [inquiry?.due].compactMap { $0 }).min()
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
                    code: .peerLost, message: "rank \(rank) ended without closing its communicator, or its host is gone",
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
                        message: "rank \(accused) has closed its communicator, and rank \(rank) still needs it",
                        culprit: accused))
            }
            suspicions.append(
                Suspicion(accused: accused, verdict: verdict, due: now.advanced(by: Self.suspicionPeriod)))
            return []
        case .stalled(let status):
            stalled[rank] = status
            return disagreement(among: stalled).map { pronounce($0) } ?? []
        case .expiring(let status):
            guard inquiry == nil else { return [] }
            inquiryCount += 1
            inquiry = Inquiry(
                number: inquiryCount, asker: rank, status: status, answers: [rank: status],
                due: now.advanced(by: Self.probePeriod))
            return others(than: rank).map { .send(.probe(inquiryCount), to: $0) } + settle(at: now)
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

    private func others(than rank: Rank) -> [Rank] {
        (0..<worldSize).filter { $0 != rank && !departed.contains($0) }
    }

    private mutating func pronounce(_ verdict: Verdict) -> [Action] {
        self.verdict = verdict
        return [.pronounce(verdict)]
    }

    /// Concludes what is due or complete.
    private mutating func settle(at now: Deadline) -> [Action] {
        if let suspicion = suspicions.first(where: { $0.due <= now }) { return pronounce(suspicion.verdict) }
        guard let inquiry else { return [] }
        let missing = others(than: inquiry.asker).filter { inquiry.answers[$0] == nil }
        guard missing.isEmpty || inquiry.due <= now else { return [] }
        self.inquiry = nil
        return pronounce(conclusion(of: inquiry, missing: missing))
    }

    private func conclusion(of inquiry: Inquiry, missing: [Rank]) -> Verdict {
        let status = inquiry.status
        let operation = "operation \(status.sequence), \(status.signature?.description ?? "unknown"),"
        let time = Duration.milliseconds(Int64(clamping: status.timeoutMilliseconds)).shortText
        if let first = missing.first {
            let (names, verb) = missing.count == 1 ? ("rank \(first)", "does") : (listed(missing), "do")
            return Verdict(
                code: .timedOut,
                message: "\(names) \(verb) not respond (process stopped, or host or network down): "
                    + "\(operation) did not end within \(time)", culprit: first)
        }
        if let mismatch = disagreement(among: inquiry.answers) { return mismatch }
        if let left = departed.min() {
            return Verdict(
                code: .peerLost,
                message: "rank \(left) has closed its communicator: \(operation) did not end within \(time)",
                culprit: left)
        }
        let behind = inquiry.answers.filter { $0.value.sequence < status.sequence || $0.value.signature == nil }
            .sorted { ($0.value.sequence, $0.key) < ($1.value.sequence, $1.key) }
        if let first = behind.first {
            let names = behind.count == 1 ? "rank \(first.key) has" : "\(listed(behind.map(\.key).sorted())) have"
            return Verdict(
                code: .timedOut,
                message: "\(names) not called \(operation) within \(time) "
                    + "(it is \(doing(first.value)))", culprit: first.key)
        }
        let culprit = status.waitingFor
        return Verdict(
            code: .timedOut,
            message: "\(operation) did not end within \(time), though all ranks are in it; rank \(inquiry.asker) "
                + "waits for \(culprit.map { "rank \($0)" } ?? "nobody")", culprit: culprit)
    }

    private func doing(_ status: OperationStatus) -> String {
        if let signature = status.signature { return "in operation \(status.sequence), \(signature)" }
        return "in none; operation \(status.sequence) would be its next"
    }

    private func listed(_ ranks: [Rank]) -> String {
        let shown = ranks.prefix(8).map(String.init).joined(separator: ", ")
        return "ranks \(shown)" + (ranks.count > 8 ? " and \(ranks.count - 8) more" : "")
    }

    /// The verdict on two ranks that are in the same operation but not of one mind about it.
    private func disagreement(among statuses: [Rank: OperationStatus]) -> Verdict? {
        let active = statuses.filter { $0.value.signature != nil }.sorted { $0.key < $1.key }
        for (index, (rank, status)) in active.enumerated() {
            for (other, otherStatus) in active[(index + 1)...]
            where status.sequence == otherStatus.sequence && status.signature != otherStatus.signature {
                return .mismatch(
                    sequence: status.sequence, rank, status.signature!.description, other,
                    otherStatus.signature!.description)
            }
        }
        return nil
    }
}

extension Verdict {
    /// Two ranks called different operations: both views, the lower rank's first.
    static func mismatch(
        sequence: UInt64, _ rank: Rank, _ view: String, _ other: Rank, _ otherView: String
    ) -> Verdict {
        let (first, second) = rank < other ? ((rank, view), (other, otherView)) : ((other, otherView), (rank, view))
        return Verdict(
            code: .mismatch,
            message: "ranks disagree about operation \(sequence): rank \(first.0) called \(first.1), "
                + "rank \(second.0) called \(second.1); all ranks must make the same calls in the same order",
            culprit: second.0)
    }
}
