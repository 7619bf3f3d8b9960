import Logging
import RingCore
import RingSystem

// Calls that were made before: of those it is known what they need, and the runner may have it in hand already.
extension Engine {
    /// The same call made before; nil if it was not.
    func recent(_ operation: CollectiveOperation) -> RecentCall? {
        operation.withGroup { group in state.withLock { $0.recent.call(for: group) } }
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
            var statistics: OperationStatistics?
            try run(call, group, sequence: sequence) { statistics = $0 }
            if tells, let statistics { tell(statistics, of: call.request(0, for: operation)) }
            return statistics.take()
        }
    }

    /// Runs operations, as a group, to the end of the last; as for one.
    func runAgain(_ group: [CollectiveOperation]) throws -> [OperationStatistics]? {
        // An array would copy each operation to have it looked at.
        try group.withUnsafeBufferPointer { group -> [OperationStatistics]? in
            guard let (call, sequence) = takeTurn(for: group) else { return nil }
            var statistics: [OperationStatistics] = []
            statistics.reserveCapacity(group.count)
            try run(call, group, sequence: sequence) { statistics.append($0) }
            return statistics
        }
    }

    /// Runs a call again, in a turn that has been taken, and gives the turn back.
    @inline(__always)
    private func run(
        _ call: RecentCall, _ group: UnsafeBufferPointer<CollectiveOperation>, sequence: UInt64,
        _ ended: (OperationStatistics) -> Void
    ) throws {
        do {
            if call.messages.isEmpty {
                try runInHand(call, group, Runner.AtOnce(), sequence: sequence, ended)
            } else {
                try runMessages(call, group, sequence: sequence, ended)
            }
        } catch { throw giveUp(error) }
        release()
    }

    /// Runs a call of messages, without taking it in hand if that goes.
    private func runMessages(
        _ call: RecentCall, _ group: UnsafeBufferPointer<CollectiveOperation>, sequence: UInt64,
        _ ended: (OperationStatistics) -> Void
    ) throws {
        let runner = seat.runner
        let start = Deadline.now.nanoseconds
        let state: Runner.AtOnce
        do {
            state = try runner.tryAtOnce(call, group)
        } catch {
            // Whoever looks for the cause wants to know what it befell.
            takeInHand(call, group, sequence: sequence)
            throw error
        }
        guard state.isAll else {
            return try runInHand(call, group, state, sequence: sequence, ended)
        }
        let now = Deadline.now.nanoseconds
        if let since = state.idleSince { runner.patience.waited(now - since.nanoseconds) }
        let duration = Duration.nanoseconds(Int64(now - start))
        for index in call.messages.indices {
            let byteCount = group[index].input?.count ?? 0
            ended(call.messages[index].statistics(byteCount: byteCount, duration: duration))
        }
    }

    /// Runs a call, some of whose messages may be done.
    private func runInHand(
        _ call: RecentCall, _ group: UnsafeBufferPointer<CollectiveOperation>, _ state: Runner.AtOnce,
        sequence: UInt64, _ ended: (OperationStatistics) -> Void
    ) throws {
        let runner = seat.runner
        takeInHand(call, group, sequence: sequence)
        runner.skip(state.done, of: call)
        try runner.receiveFromMailbox()
        var count = 0
        try runner.drive(nudge: nil, idleSince: state.idleSince) {
            runner.endFinished {
                ended($1)
                count += 1
            }
            return count == group.count
        }
    }

    private func takeInHand(
        _ call: RecentCall, _ group: UnsafeBufferPointer<CollectiveOperation>, sequence: UInt64
    ) {
        let runner = seat.runner
        runner.takeUp(call)
        for index in group.indices { runner.place(index, group[index]) }
        runner.beginAgain(call, sequence: sequence)
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
