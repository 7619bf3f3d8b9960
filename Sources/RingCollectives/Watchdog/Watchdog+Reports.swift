import RingCore
import RingSystem
import RingTransport
import Synchronization

// What the watchdog's own thread asks and is told.
extension Watchdog {
    /// The messages to send since the last call, and whether to leave.
    func takeOutgoing() -> (messages: [ControlMessage], isLeaving: Bool) {
        shared.withLock { shared in
            defer { shared.outgoing = [] }
            return (shared.outgoing, shared.isLeaving)
        }
    }

    /// The judge is alive.
    func judgeSpoke(at now: Deadline) {
        shared.withLock { $0.judgeHeard = now }
    }

    /// The judge has said goodbye: there will be no more verdicts.
    func judgeLeft() {
        shared.withLock { $0.judgeHasLeft = true }
    }

    /// What this rank is doing.
    static func status(_ shared: Shared, at now: Deadline) -> OperationStatus {
        let left = shared.running.map {
            $0.deadline.nanoseconds.subtractingReportingOverflow(now.nanoseconds)
        }
        return OperationStatus(
            sequence: shared.running?.sequence ?? shared.nextSequence, signature: shared.running?.signature,
            previous: shared.previous, waitingFor: shared.waitingFor, received: shared.received,
            timeoutMilliseconds: (shared.running?.timeout.clampedNanoseconds ?? 0) / 1_000_000,
            remainingMilliseconds: left.map { $0.overflow ? 0 : $0.partialValue / 1_000_000 } ?? 0)
    }

    /// The answer to the judge's question, which is repeated for a while when it changes.
    func answer(probe number: UInt32, at now: Deadline) -> ControlMessage {
        shared.withLock { shared in
            let status = Self.status(shared, at: now)
            shared.probe = Probe(
                number: number, until: now.advanced(by: FailureJudge.longestNotice * 2), answer: status)
            return .status(number, status)
        }
    }

    /// What the judge must hear now: of stalls, deadlines, and what has changed since the last answer.
    func dueReports(at now: Deadline) -> [ControlMessage] {
        shared.withLock { shared in
            var messages: [ControlMessage] = []
            let status = Self.status(shared, at: now)
            if var running = shared.running {
                let progress = lastProgress.load(ordering: .relaxed)
                if !running.stallReported, now.nanoseconds > progress,
                    now.nanoseconds - progress >= Self.stallPeriod.clampedNanoseconds
                {
                    running.stallReported = true
                    messages.append(.stalled(status))
                }
                if running.expiryReported == nil, now.advanced(by: running.notice) >= running.deadline {
                    running.expiryReported = now
                    messages.append(.expiring(status))
                }
                shared.running = running
            }
            if let probe = shared.probe {
                let isOld =
                    probe.answer.sequence == status.sequence && probe.answer.signature == status.signature
                if now >= probe.until {
                    shared.probe = nil
                } else if !isOld {
                    shared.probe?.answer = status
                    messages.append(.status(probe.number, status))
                }
            }
            return messages
        }
    }

    /// When ``dueReports(at:)`` should be asked next, at the latest.
    func nextReport(after now: Deadline) -> Deadline {
        let latest = now.advanced(by: .milliseconds(500))
        return shared.withLock { shared in
            guard let running = shared.running, running.expiryReported == nil else { return latest }
            let notice = running.notice.clampedNanoseconds
            guard running.deadline.nanoseconds > now.nanoseconds + notice else { return now }
            let distance = running.deadline.nanoseconds - notice - now.nanoseconds
            return min(latest, now.advanced(by: .nanoseconds(Int64(clamping: distance))))
        }
    }
}
