import Logging
import RingCore
import RingSystem

// Calls that were made before: of those it is known what they need, and the runner may have it in hand already.
extension Engine {
    /// The same call made before; nil if it was not.
    func recent(_ operation: CollectiveOperation) -> RecentCall? {
        operation.withGroup { group in state.withLock { $0.recent.call(for: group) } }
    }

    /// As for one operation.
    func recent(_ group: [CollectiveOperation]) -> RecentCall? {
        group.withUnsafeBufferPointer { group in state.withLock { $0.recent.call(for: group) } }
    }

    /// Takes note of what was made of a call; nil if it is not of the kind that is kept.
    func remember(_ group: [CollectiveOperation], _ requests: [OperationRequest]) -> RecentCall? {
        state.withLock { $0.recent.remember(group, requests) }
    }

    /// Runs an operation to its end on the caller's thread, with what was in hand for the same one before. Nil if nothing
    /// was, if something else goes on, or if the communicator takes no more operations.
    func runAgain(_ operation: CollectiveOperation) throws -> OperationStatistics? {
        try operation.withGroup { group -> OperationStatistics? in
            let statistics: OperationStatistics
            let call: RecentCall
            switch try begin(group) {
            case .ended(let ended, let duration):
                call = ended
                statistics = call.messages[0].statistics(after: duration)
            case .inHand(let begun, let idleSince):
                call = begun
                statistics = try finish(idleSince: idleSince)
            case nil: return nil
            }
            if tells { tell(statistics, of: call.request(0, for: operation)) }
            return statistics
        }
    }

    /// Runs operations, as a group, to the end of the last; as for one.
    func runAgain(_ group: [CollectiveOperation]) throws -> [OperationStatistics]? {
        // An array would copy each operation to have it looked at.
        try group.withUnsafeBufferPointer { group -> [OperationStatistics]? in
            switch try begin(group) {
            case .ended(let call, let duration):
                return call.messages.map { $0.statistics(after: duration) }
            case .inHand(_, let idleSince):
                var statistics: [OperationStatistics] = []
                statistics.reserveCapacity(group.count)
                try finish(count: group.count, idleSince: idleSince) { statistics.append($0) }
                return statistics
            case nil: return nil
            }
        }
    }

    /// What has become of a call that has begun.
    private enum Beginning {
        /// It was messages, and is over; the turn has been given back.
        case ended(RecentCall, Duration)
        /// It has been taken in hand, and nothing of it has come for some time, if that is said.
        case inHand(RecentCall, idleSince: Deadline?)
    }

    /// Takes the turn for a call and begins it, messages without taking them in hand as far as that goes; nil as
    /// ``takeTurn(for:)``.
    ///
    /// All that is done for a small message is in this one place: where code is far apart, to get there takes longer than
    /// the message.
    @inline(__always)
    private func begin(_ group: UnsafeBufferPointer<CollectiveOperation>) throws -> Beginning? {
        guard let (call, sequence) = takeTurn(for: group) else { return nil }
        let start = Deadline.now
        guard !call.messages.isEmpty else {
            takeInHand(call, group, sequence: sequence, at: start)
            return .inHand(call, idleSince: nil)
        }
        do {
            let runner = seat.runner
            var state = try runner.tryAtOnce(call, group)
            guard state.isAll else {
                takeInHand(call, group, sequence: sequence, at: start)
                runner.skip(state.done, of: call)
                return .inHand(call, idleSince: state.idleSince)
            }
            let now = Deadline.now
            runner.endWait(&state.idleSince, at: now)
            release()
            return .ended(call, .nanoseconds(Int64(now.nanoseconds - start.nanoseconds)))
        } catch {
            // Whoever looks for the cause wants to know what it befell.
            takeInHand(call, group, sequence: sequence, at: start)
            throw giveUp(error)
        }
    }

    /// Runs a call of one operation that has been taken in hand to its end, and gives the turn back.
    @inline(never)
    private func finish(idleSince: Deadline?) throws -> OperationStatistics {
        var statistics: OperationStatistics?
        try finish(count: 1, idleSince: idleSince) { statistics = $0 }
        return statistics!
    }

    /// As for one operation; each one's statistics go to `ended`.
    private func finish(
        count: Int, idleSince: Deadline?, _ ended: (OperationStatistics) -> Void
    ) throws {
        do {
            let runner = seat.runner
            try runner.receiveFromMailbox()
            var left = count
            try runner.drive(nudge: nil, idleSince: idleSince) {
                runner.endFinished {
                    ended($1)
                    left -= 1
                }
                return left == 0
            }
        } catch { throw giveUp(error) }
        release()
    }

    private func takeInHand(
        _ call: RecentCall, _ group: UnsafeBufferPointer<CollectiveOperation>, sequence: UInt64,
        at start: Deadline
    ) {
        let runner = seat.runner
        runner.takeUp(call)
        for index in group.indices { runner.place(index, group[index]) }
        runner.beginAgain(call, sequence: sequence, at: start)
    }

    /// Takes the runner for the calling thread, and the numbers that a call needs; nil if something else goes on, or if
    /// there is no such call that the runner can take up.
    @inline(__always)
    private func takeTurn(
        for group: UnsafeBufferPointer<CollectiveOperation>
    ) -> (call: RecentCall, sequence: UInt64)? {
        state.withLock { state in
            guard !state.isRunning, state.isQueueEmpty, !state.isClosed, state.failure == nil,
                let call = state.recent.call(for: group), call.hasHand
            else { return nil }
            state.isRunning = true
            defer { state.nextSequence += call.collectiveCount }
            return (call, state.nextSequence)
        }
    }
}

extension CollectiveOperation {
    /// The operation as a group of one.
    fileprivate func withGroup<Result>(
        _ body: (UnsafeBufferPointer<CollectiveOperation>) throws -> Result
    ) rethrows -> Result {
        try withUnsafePointer(to: self) { try body(UnsafeBufferPointer(start: $0, count: 1)) }
    }
}
