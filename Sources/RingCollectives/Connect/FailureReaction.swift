import RingCore
import RingSystem
import RingTransport

/// What happens on this rank when a communicator has failed.
final class FailureReaction: Sendable {
    private struct State {
        // Weak, since both hold the watchdog, which holds the reaction.
        weak var engine: Engine?
        weak var context: RunnerContext?
        var verdict: Verdict?
        /// Parts of the communicator whose ranks are still connecting.
        var forming: [CommunicatorTransport] = []
    }

    private let transport: CommunicatorTransport
    private let state = Monitor(State())

    init(transport: CommunicatorTransport) {
        self.transport = transport
    }

    /// Completes the circle: the watchdog must exist before the engine that it can stop.
    func attach(context: RunnerContext, engine: Engine) {
        let verdict = state.withLock { state in
            state.engine = engine
            state.context = context
            return state.verdict
        }
        if let verdict { react(to: verdict) }
    }

    func react(to verdict: Verdict) {
        let state = state.withLock { state in
            state.verdict = verdict
            return state
        }
        state.context?.fail(urgently: verdict.isUrgent)
        transport.abort(verdict.error)
        state.engine?.fail(verdict.error)
        for part in state.forming { end(part, because: verdict) }
    }

    /// Runs `body`, in which the ranks of a part connect: whom this communicator has lost, they would wait for in vain.
    func whileForming<Result>(_ part: CommunicatorTransport, _ body: () throws -> Result) rethrows -> Result {
        let verdict = state.withLock { state in
            state.forming.append(part)
            return state.verdict
        }
        defer { state.withLock { $0.forming.removeAll { $0 === part } } }
        if let verdict { end(part, because: verdict) }
        return try body()
    }

    private func end(_ part: CommunicatorTransport, because verdict: Verdict) {
        let culprit = verdict.culprit.map { transport.roster.members[$0] }
        part.abort(
            CollectiveError(
                verdict.code, "the communicator of which this is a part has failed: \(verdict.message)",
                peer: culprit.flatMap { part.roster.members.firstIndex(of: $0) }))
    }
}
