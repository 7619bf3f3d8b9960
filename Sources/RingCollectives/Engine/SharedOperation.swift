import RingCore
import RingKernels
import RingSystem
import RingTransport

/// One operation on which several channels work at once, each over links of its own: what all of them know of it.
///
/// Every transfer is cut into stripes. A channel that has room on its link to a peer takes the next stripe of what that
/// peer is to get: so a slow link takes less of the work and does not set the pace (pull scheduling). The receiver
/// takes a stripe from whichever link it comes over, says so here, and what was waiting for those bytes may go on.
///
/// Stripes are taken in the order of the transfers, so the first one that is missing is at the front of its link, and
/// what it waits for came before it: no channel waits in a circle.
///
/// It is used again for each such operation, so that a repeated one allocates nothing.
final class SharedOperation: Sendable {
    /// A part of one transfer, which one channel sends or receives.
    struct Stripe {
        var transfer: Int
        var start: Int
        var end: Int
    }

    /// How a transfer's bytes stand.
    private struct Progress {
        /// How many from the front are done.
        var done = 0
        /// How many from the front have been taken to be sent.
        var taken = 0
        var isComplete = false
    }

    /// A stripe under way, or done while something before it is not.
    private struct Piece {
        var stripe: Stripe
        var done: Int
    }

    private struct State {
        var progress: [Progress] = []
        var pieces: [Piece] = []
        /// By lane of the program: the first transfer that has not been taken whole.
        var heads: [Int] = []
        var remaining = 0
        var wireBytes = 0
        /// Grows with everything that may let a channel go on.
        var version: UInt64 = 0
        /// By channel.
        var isAsleep: [Bool] = []
        /// By lane of the program: how many channels' links have ended.
        var endedLinks: [Int] = []
        var failure: (any Error)?
    }

    /// What is fixed for one operation. Written before its channels begin and read by them.
    struct Terms {
        var request: OperationRequest
        var program: PlanProgram
        var sequence: UInt64
        var started: Deadline
        var deadline: Deadline
        var kernel: ReductionKernel?
        var finalKernel: ReductionKernel?
        var scratch: UnsafeMutableRawPointer?
        var channels: Int
    }

    private final class TermsBox: @unchecked Sendable {
        // Written while no channel works; handing the job over orders it before their reading.
        var terms: Terms?
    }

    private let box = TermsBox()
    private let state: Monitor<State>
    /// Wakes each channel from its sleep.
    private let nudges: [WakeUp]

    /// For as many channels as there are wake-ups.
    init(nudges: [WakeUp]) {
        self.nudges = nudges
        var state = State(isAsleep: Array(repeating: false, count: nudges.count))
        // How many there are at once depends on who is quick: enough that the list never grows.
        state.pieces.reserveCapacity(nudges.count > 1 ? 1024 : 0)
        self.state = Monitor(state)
    }

    /// What the channels are to do.
    var terms: Terms { box.terms! }

    /// Begins an operation; no channel works at one.
    func begin(_ terms: Terms) {
        box.terms = terms
        state.withLock { state in
            let count = terms.program.transfers.count
            state.progress.removeAll(keepingCapacity: true)
            state.progress.append(contentsOf: repeatElement(Progress(), count: count))
            state.pieces.removeAll(keepingCapacity: true)
            state.heads.removeAll(keepingCapacity: true)
            state.heads.append(contentsOf: repeatElement(0, count: terms.program.lanes.count))
            state.endedLinks.removeAll(keepingCapacity: true)
            state.endedLinks.append(contentsOf: repeatElement(0, count: terms.program.lanes.count))
            state.remaining = count
            state.wireBytes = 0
            state.failure = nil
        }
    }

    /// Forgets the operation, whose memory is its caller's again.
    func end() {
        box.terms = nil
        state.withLock { $0.failure = nil }
    }

    /// The payload bytes that all channels have sent.
    var wireBytes: Int { state.withLock { $0.wireBytes } }

    // MARK: Stripes

    /// Takes the next stripe for a peer; nil if none may be sent now.
    ///
    /// The first is the first channel's: a peer that takes part in another operation meets it there.
    func take(_ lane: Int, channel: Int, atMost length: Int) -> Stripe? {
        change { state, terms in
            let sends = terms.program.lanes[lane].sends
            let head = state.heads[lane]
            guard head < sends.count else { return nil }
            let transfer = sends[head]
            let taken = state.progress[transfer].taken
            guard channel == 0 || head > 0 || taken > 0 else { return nil }
            let byteCount = terms.program.transfers[transfer].byteCount
            let limit = Self.allowance(transfer, state, terms.program)
            guard limit >= 0, limit > taken || byteCount == 0 else { return nil }
            let stripe = Stripe(transfer: transfer, start: taken, end: min(taken + length, byteCount))
            state.progress[transfer].taken = stripe.end
            if stripe.end == byteCount { state.heads[lane] += 1 }
            state.pieces.append(Piece(stripe: stripe, done: stripe.start))
            return stripe
        }
    }

    /// Takes note that a peer has begun to send a stripe; false if those bytes were sent before.
    func arrives(_ stripe: Stripe) -> Bool {
        state.withLock { state in
            let progress = state.progress[stripe.transfer]
            guard !progress.isComplete, stripe.start >= progress.done else { return false }
            let isTwice = state.pieces.contains { piece in
                piece.stripe.transfer == stripe.transfer && piece.stripe.start < stripe.end
                    && stripe.start < piece.stripe.end
            }
            guard !isTwice else { return false }
            state.pieces.append(Piece(stripe: stripe, done: stripe.start))
            return true
        }
    }

    /// How far a stripe may go now: the end of the bytes that its transfer's gates let through; -1 if not even an empty
    /// transfer may begin.
    func allowance(_ stripe: Stripe) -> Int {
        state.withLock { Self.allowance(stripe.transfer, $0, terms.program) }
    }

    /// Takes note that a stripe has been done up to `place`, `sent` bytes of it sent now.
    func advance(_ stripe: Stripe, to place: Int, sent: Int = 0) {
        change { state, terms -> Bool? in
            state.wireBytes += sent
            guard
                let index = state.pieces.firstIndex(where: {
                    $0.stripe.transfer == stripe.transfer && $0.stripe.start == stripe.start
                })
            else { return nil }
            state.pieces[index].done = place
            Self.settle(stripe.transfer, &state, terms.program)
            return true
        }
    }

    /// Counts what is done from the front of a transfer, and completes it with its last byte.
    private static func settle(_ transfer: Int, _ state: inout State, _ program: PlanProgram) {
        var done = state.progress[transfer].done
        var index = 0
        while index < state.pieces.count {
            let piece = state.pieces[index]
            guard piece.stripe.transfer == transfer, piece.stripe.start <= done else {
                index += 1
                continue
            }
            let isWhole = piece.done == piece.stripe.end
            let hasMoved = piece.done > done
            done = max(done, piece.done)
            if isWhole { state.pieces.remove(at: index) }
            // What lies behind it may have been passed over already.
            index = isWhole || hasMoved ? 0 : index + 1
        }
        state.progress[transfer].done = done
        if done == program.transfers[transfer].byteCount { complete(transfer, &state) }
    }

    private static func complete(_ transfer: Int, _ state: inout State) {
        guard !state.progress[transfer].isComplete else { return }
        state.progress[transfer].isComplete = true
        state.remaining -= 1
    }

    private static func allowance(_ transfer: Int, _ state: State, _ program: PlanProgram) -> Int {
        var limit = program.transfers[transfer].byteCount
        for index in program.transfers[transfer].gates {
            let gate = program.gates[index]
            if state.progress[gate.transfer].isComplete { continue }
            guard let lead = gate.lead else { return -1 }
            limit = min(limit, max(0, state.progress[gate.transfer].done + lead))
        }
        return limit
    }

    /// The next of the program's local copies whose time has come, and which nobody does; nil if there is none.
    func takeCopy() -> Int? {
        state.withLock { state in
            let program = terms.program
            for transfer in program.copies where state.progress[transfer].taken == 0 {
                let byteCount = program.transfers[transfer].byteCount
                guard Self.allowance(transfer, state, program) == byteCount else { continue }
                // An empty copy counts as taken too.
                state.progress[transfer].taken = max(1, byteCount)
                return transfer
            }
            return nil
        }
    }

    /// Takes note that one channel's link of a lane has ended; whether all have, and something is still missing.
    func endsLink(_ lane: Int) -> Bool {
        state.withLock { state in
            state.endedLinks[lane] += 1
            guard state.endedLinks[lane] == terms.channels else { return false }
            return terms.program.lanes[lane].receives.contains { !state.progress[$0].isComplete }
        }
    }

    /// Takes note that a local copy has been made.
    func copied(_ transfer: Int) {
        change { state, terms -> Bool? in
            state.progress[transfer].done = terms.program.transfers[transfer].byteCount
            Self.complete(transfer, &state)
            return true
        }
    }

    // MARK: Channels

    /// Whether the operation is at its end; throws if a channel has failed.
    func isOver() throws -> Bool {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.remaining == 0
        }
    }

    /// A channel cannot go on: none can. The first error stands.
    func fail(_ error: any Error) {
        change { state, _ -> Bool? in
            state.failure = state.failure ?? error
            return true
        }
    }

    /// The number of all that has happened so far.
    var version: UInt64 { state.withLock { $0.version } }

    /// Before a channel sleeps: false if something has happened since that version.
    func fallsAsleep(_ channel: Int, since version: UInt64) -> Bool {
        state.withLock { state in
            state.isAsleep[channel] = state.version == version
            return state.isAsleep[channel]
        }
    }

    /// A channel has woken up.
    func wakesUp(_ channel: Int) {
        state.withLock { $0.isAsleep[channel] = false }
        nudges[channel].reset()
    }

    func nudge(_ channel: Int) -> WakeUp { nudges[channel] }

    /// How much has been received, see ``Watchdog/waits(for:received:)``; the largest number once nothing is missing.
    var received: UInt64 {
        state.withLock { state in
            var sum: UInt64 = 0
            var isEverything = true
            for lane in terms.program.lanes {
                for transfer in lane.receives {
                    let progress = state.progress[transfer]
                    sum += UInt64(progress.done) + (progress.isComplete ? 1 : 0)
                    if !progress.isComplete { isEverything = false }
                }
            }
            for piece in state.pieces { sum += UInt64(piece.done - piece.stripe.start) }
            return isEverything ? .max : sum
        }
    }

    /// Changes the state, and wakes the channels that sleep if that came to something.
    @discardableResult
    private func change<Result>(_ body: (inout State, Terms) -> Result?) -> Result? {
        state.withLock { state in
            let result = body(&state, terms)
            guard result != nil else { return nil }
            state.version &+= 1
            for channel in state.isAsleep.indices where state.isAsleep[channel] {
                state.isAsleep[channel] = false
                nudges[channel].set()
            }
            return result
        }
    }
}
