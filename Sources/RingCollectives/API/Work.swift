import RingCore
import RingSystem

/// A collective operation that has been started: a handle to wait on.
///
/// Operations of one communicator take effect, and end, in the order in which they were started.
public final class Work: Sendable {
    let request: OperationRequest
    let program: PlanProgram
    private weak let engine: Engine?
    private let state = Monitor(State())

    private struct State {
        var outcome: Result<OperationStatistics, CollectiveError>?
        var waiting: [CheckedContinuation<Void, any Error>] = []
    }

    init(_ engine: Engine, request: OperationRequest, program: PlanProgram) {
        self.request = request
        self.program = program
        self.engine = engine
    }

    /// Waits, without blocking a thread, until the operation has ended; throws its error.
    ///
    /// Cancelling the task that waits cancels the operation, see ``cancel()``.
    public var value: Void {
        get async throws {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let outcome = state.withLock { state in
                        if state.outcome == nil { state.waiting.append(continuation) }
                        return state.outcome
                    }
                    if let outcome {
                        continuation.resume(with: outcome.map { _ in }.mapError { $0 as any Error })
                    }
                }
            } onCancel: {
                cancel()
            }
        }
    }

    /// Waits, blocking the calling thread, until the operation has ended; throws its error.
    ///
    /// The operation's own timeout bounds the wait.
    public func wait() throws {
        var outcome: Result<OperationStatistics, CollectiveError>?
        while outcome == nil { outcome = state.wait(until: .after(.seconds(3600))) { $0.outcome } }
        _ = try outcome!.get()
    }

    /// Ends the operation, on all ranks, unless it has ended already.
    ///
    /// Ranks cannot stop halfway and stay in step, so the whole communicator fails with `.cancelled`.
    public func cancel() {
        engine?.cancel(self)
    }

    /// Whether the operation has ended, well or not.
    public var isFinished: Bool { state.withLock { $0.outcome != nil } }

    /// What the operation cost, once it has ended well.
    public var statistics: OperationStatistics? {
        state.withLock { try? $0.outcome?.get() }
    }

    /// Ends the operation with this outcome.
    func finish(_ outcome: Result<OperationStatistics, CollectiveError>) {
        let waiting = state.withLock(notifying: true) { state in
            state.outcome = outcome
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting {
            continuation.resume(with: outcome.map { _ in }.mapError { $0 as any Error })
        }
    }
}
