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
            guard let (call, sequence) = takeTurn(for: group) else { return nil }
            if let duration = try runAtOnce(call, group, sequence: sequence) {
                let statistics = call.messages[0].statistics(
                    byteCount: group[0].input?.count ?? 0, duration: duration)
                if tells { tell(statistics, of: call.request(0, for: operation)) }
                return statistics
            }
            var statistics: OperationStatistics?
            try runInHand(call, count: group.count) { statistics = $0 }
            if tells, let statistics { tell(statistics, of: call.request(0, for: operation)) }
            return statistics
        }
    }

    /// Runs operations, as a group, to the end of the last; as for one.
    func runAgain(_ group: [CollectiveOperation]) throws -> [OperationStatistics]? {
        // An array would copy each operation to have it looked at.
        try group.withUnsafeBufferPointer { group -> [OperationStatistics]? in
            guard let (call, sequence) = takeTurn(for: group) else { return nil }
            if let duration = try runAtOnce(call, group, sequence: sequence) {
                return call.messages.indices.map { index in
                    call.messages[index].statistics(
                        byteCount: group[index].input?.count ?? 0, duration: duration)
                }
            }
            var statistics: [OperationStatistics] = []
            statistics.reserveCapacity(group.count)
            try runInHand(call, count: group.count) { statistics.append($0) }
            return statistics
        }
    }

    /// Runs a call of messages, in a turn that has been taken, without taking it in hand; how long that took, with the turn
    /// given back. Nil if there is more to do, in hand: then it is there.
    private func runAtOnce(
        _ call: RecentCall, _ group: UnsafeBufferPointer<CollectiveOperation>, sequence: UInt64
    ) throws -> Duration? {
        let runner = seat.runner
        let start = Deadline.now
        guard !call.messages.isEmpty else {
            takeInHand(call, group, sequence: sequence, at: start)
            return nil
        }
        do {
            var state = try runner.tryAtOnce(call, group)
            guard state.isAll else {
                takeInHand(call, group, sequence: sequence, at: start)
                runner.skip(state.done, of: call)
                call.idleSince = state.idleSince
                return nil
            }
            let now = Deadline.now
            runner.endWait(&state.idleSince, at: now)
            release()
            return .nanoseconds(Int64(now.nanoseconds - start.nanoseconds))
        } catch {
            // Whoever looks for the cause wants to know what it befell.
            takeInHand(call, group, sequence: sequence, at: start)
            throw giveUp(error)
        }
    }

    /// Runs a call that has been taken in hand to its end, and gives the turn back.
    private func runInHand(
        _ call: RecentCall, count: Int, _ ended: (OperationStatistics) -> Void
    ) throws {
        do {
            let runner = seat.runner
            try runner.receiveFromMailbox()
            var left = count
            try runner.drive(nudge: nil, idleSince: call.idleSince.take()) {
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
