import RingCore
import RingSystem

/// A connection that this rank is making: the events that concern it, for the thread that waits for them.
final class RDMADial: Sendable {
    let context: UInt64
    let communicator: UInt32
    private let state = Monitor(State())

    private struct State {
        var events: [ConnectionEvent] = []
        var isInterrupted = false
    }

    /// Why a wait has ended without the event.
    enum Failure: Error {
        case timedOut
        case interrupted
    }

    init(context: UInt64, communicator: UInt32) {
        self.context = context
        self.communicator = communicator
    }

    func take(_ event: ConnectionEvent) {
        state.withLock(notifying: true) { $0.events.append(event) }
    }

    func interrupt() {
        state.withLock(notifying: true) { $0.isInterrupted = true }
    }

    /// Whether the peer has ended the connection, by events that nobody has waited for.
    var hasEnded: Bool { state.withLock { $0.events.contains { $0.kind == .disconnected } } }

    /// Waits for the next event.
    func next(by deadline: Deadline) throws(Failure) -> ConnectionEvent {
        let outcome = state.wait(until: deadline) { state -> Result<ConnectionEvent, Failure>? in
            if state.isInterrupted { return .failure(.interrupted) }
            return state.events.isEmpty ? nil : .success(state.events.removeFirst())
        }
        guard let outcome else { throw .timedOut }
        return try outcome.get()
    }
}
