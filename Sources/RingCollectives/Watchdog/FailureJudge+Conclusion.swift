import RingCore
import RingTransport

extension FailureJudge {
    /// The verdict on two ranks that are not of one mind about an operation.
    static func disagreement(among statuses: [Rank: OperationStatus]) -> Verdict? {
        let sorted = statuses.sorted { $0.key < $1.key }
        for (index, (rank, status)) in sorted.enumerated() {
            for (other, otherStatus) in sorted[(index + 1)...] {
                for sequence in [status.sequence, otherStatus.sequence] {
                    guard let view = status.view(of: sequence),
                        let otherView = otherStatus.view(of: sequence),
                        view != otherView
                    else { continue }
                    return .mismatch(sequence: sequence, rank, view.description, other, otherView.description)
                }
            }
        }
        return nil
    }
}

extension FailureJudge.Inquiry {
    /// Who is to blame for an operation that has not ended in time.
    func conclusion(asker: Rank, silent: [Rank], departed: Set<Rank>) -> Verdict {
        let status = answers[asker]!
        let operation =
            status.signature.map { $0.isMessage ? "\($0)" : "operation \(sequence), \($0)," }
            ?? "operation \(sequence), unknown,"
        let time = Duration.milliseconds(Int64(clamping: status.timeoutMilliseconds)).shortText
        if let first = silent.first {
            return Verdict(
                code: .timedOut,
                message:
                    "\(Self.named(silent)) \(silent.count == 1 ? "does" : "do") not respond (process stopped, "
                    + "or host or network down): \(operation) did not end within \(time)", culprit: first)
        }
        if let left = departed.min() {
            return Verdict(
                code: .peerLost,
                message: "rank \(left) has closed its communicator: \(operation) did not end within \(time)",
                culprit: left)
        }
        if let signature = status.signature, signature.isMessage {
            return messageConclusion(asker: asker, status, signature, within: time)
        }
        let behind = answers.filter {
            $0.value.sequence < sequence
                || ($0.value.sequence == sequence && $0.value.signature?.isMessage ?? true)
        }.sorted { ($0.value.sequence, $0.key) < ($1.value.sequence, $1.key) }
        if let first = behind.first {
            let verb = behind.count == 1 ? "has" : "have"
            return Verdict(
                code: .timedOut,
                message:
                    "\(Self.named(behind.map(\.key).sorted())) \(verb) not called \(operation) within \(time) "
                    + "(rank \(first.key) is \(Self.doing(first.value)))", culprit: first.key)
        }
        let (waiting, culprit) = bottleneck ?? (asker, status.waitingFor)
        return Verdict(
            code: .timedOut,
            message:
                "\(operation) did not end within \(time), though all ranks have called it: rank \(waiting) waits for "
                + "\(culprit.map { "rank \($0)" } ?? "nobody") (network blocked, or too short a time?)",
            culprit: culprit)
    }

    /// Why a message between two ranks has not gone through: what the other one does.
    private func messageConclusion(
        asker: Rank, _ status: OperationStatus, _ signature: OperationSignature, within time: String
    ) -> Verdict {
        let peer = status.waitingFor
        let other = peer.flatMap { peer in answers[peer].map { "rank \(peer) is \(Self.doing($0))" } }
        return Verdict(
            code: .timedOut,
            message: "\(signature) did not end within \(time): rank \(asker) waits for "
                + "\(peer.map { "rank \($0)" } ?? "nobody")\(other.map { ", and \($0)" } ?? "")",
            culprit: peer)
    }

    /// Who holds up the others, and who waits for him.
    ///
    /// A link that has stopped makes everybody wait in the end. But next to it is the rank that has received least;
    /// of several, the one that waits for none of them.
    private var bottleneck: (waiting: Rank, culprit: Rank?)? {
        let stuck = answers.filter {
            $0.value.sequence == sequence && $0.value.signature != nil && $0.value.waitingFor != nil
        }
        guard let least = stuck.values.map(\.received).min() else { return nil }
        let candidates = stuck.filter { $0.value.received == least }
        var rank = candidates.keys.min()!
        var seen: Set<Rank> = []
        while seen.insert(rank).inserted, let next = candidates[rank]?.waitingFor {
            if candidates[next] == nil { return (rank, next) }
            rank = next
        }
        return (rank, candidates[rank]?.waitingFor)
    }

    private static func doing(_ status: OperationStatus) -> String {
        if let signature = status.signature {
            return signature.isMessage
                ? "in \(signature)" : "in operation \(status.sequence), \(signature)"
        }
        return "in none; operation \(status.sequence) would be its next"
    }

    /// `rank 2`, `ranks 2, 5`; of many, the first eight and how many more.
    private static func named(_ ranks: [Rank]) -> String {
        let shown = ranks.prefix(8).map(String.init).joined(separator: ", ")
        let more = ranks.count > 8 ? " and \(ranks.count - 8) more" : ""
        return (ranks.count == 1 ? "rank " : "ranks ") + shown + more
    }
}

extension Verdict {
    /// Two ranks called different operations: both views, the lower rank's first.
    static func mismatch(
        sequence: UInt64, _ rank: Rank, _ view: String, _ other: Rank, _ otherView: String
    ) -> Verdict {
        let (first, second) =
            rank < other ? ((rank, view), (other, otherView)) : ((other, otherView), (rank, view))
        return Verdict(
            code: .mismatch,
            message: "ranks disagree about operation \(sequence): rank \(first.0) called \(first.1), "
                + "rank \(second.0) called \(second.1); all ranks must make the same calls in the same order",
            culprit: second.0)
    }
}
