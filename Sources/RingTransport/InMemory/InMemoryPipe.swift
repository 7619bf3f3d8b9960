import RingCore
import RingSystem

/// One direction of an in-memory link.
final class InMemoryPipe: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var head = 0
        /// Where in the stream each written piece ends, and when it arrives.
        var pieces: [(end: Int, due: Deadline, arrival: Duration)] = []
        var written = 0
        var read = 0
        var isClosed = false
        var isBroken = false
        /// Where in the stream bytes stop arriving.
        var stalledAt: Int?
        var delay: Duration = .zero
        var corruptAt: Int?
        var linkFree: Duration = .zero
        var onReadable: WakeUp?
        var onWritable: WakeUp?
    }

    private let state = Monitor(State())
    private let capacity: Int
    private let cost: InMemoryNetwork.Cost?
    private let sender: VirtualClock
    private let receiver: VirtualClock

    init(capacity: Int, cost: InMemoryNetwork.Cost?, sender: VirtualClock, receiver: VirtualClock) {
        self.capacity = capacity
        self.cost = cost
        self.sender = sender
        self.receiver = receiver
    }

    /// Who is to be woken when bytes arrive, and when there is room.
    func attach(readable: WakeUp? = nil, writable: WakeUp? = nil) {
        state.withLock {
            if let readable { $0.onReadable = readable }
            if let writable { $0.onWritable = writable }
        }
    }

    func inject(_ fault: InMemoryNetwork.Fault) {
        state.withLock { state in
            switch fault {
            case .drop:
                state.isBroken = true
                wake(state)
            case .stall: state.stalledAt = state.stalledAt ?? state.written
            case .delay(let delay): state.delay = delay
            case .corrupt(let byte): state.corruptAt = state.written + byte
            }
        }
    }

    /// Accepts bytes, as many as there is room for.
    func write(_ pieces: [UnsafeRawBufferPointer]) throws(StreamFailure) -> Int {
        try state.withLock { state throws(StreamFailure) in
            if state.isBroken { throw .broken("Connection reset by peer") }
            if state.isClosed { throw .broken("Broken pipe") }
            let before = state.written
            for piece in pieces {
                let room = capacity - (state.written - state.read)
                let accepted = piece.prefix(max(0, room))
                state.bytes.append(contentsOf: accepted)
                state.written += accepted.count
                if accepted.count < piece.count { break }
            }
            if let place = state.corruptAt, place < state.written {
                if place >= before { state.bytes[state.bytes.count - (state.written - place)] ^= 0x10 }
                state.corruptAt = nil
            }
            guard state.written > before else { return 0 }
            state.pieces.append(
                (state.written, .after(state.delay), arrival(of: state.written - before, &state)))
            state.onReadable?.set()
            return state.written - before
        }
    }

    private func arrival(of count: Int, _ state: inout State) -> Duration {
        guard let cost else { return .zero }
        let departure = max(sender.now, state.linkFree)
        state.linkFree = departure + .seconds(Double(count) / cost.bandwidth)
        return state.linkFree + cost.latency
    }

    /// Takes the bytes that have arrived.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamFailure) -> Int {
        try state.withLock { state throws(StreamFailure) in
            if state.isBroken { throw .broken("Connection reset by peer") }
            let count = min(buffer.count, readableCount(state))
            if count == 0 {
                if state.isClosed, state.read == state.written { throw .ended }
                return 0
            }
            let range = state.head..<(state.head + count)
            state.bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range]))
            }
            state.head += count
            state.read += count
            if state.head > capacity || state.read == state.written {
                state.bytes.removeFirst(state.head)
                state.head = 0
            }
            var wholePieces = 0
            while let piece = state.pieces.first, piece.end <= state.read {
                receiver.advance(to: piece.arrival)
                wholePieces = piece.end
                state.pieces.removeFirst()
            }
            if let cost, let piece = state.pieces.first, wholePieces < state.read {
                // A part of a piece arrives before its end by what the rest takes.
                let left = Duration.seconds(Double(piece.end - state.read) / cost.bandwidth)
                receiver.advance(to: piece.arrival - left)
            }
            state.onWritable?.set()
            return count
        }
    }

    private func readableCount(_ state: State) -> Int {
        let now = Deadline.now
        let arrived = state.pieces.prefix { $0.due <= now }.last?.end ?? state.read
        return max(0, min(arrived, state.stalledAt ?? .max) - state.read)
    }

    /// How many bytes have been accepted.
    var bytesWritten: Int { state.withLock { $0.written } }

    /// Whether reading would achieve something; bytes on their way count, for they need no event to arrive.
    var mayRead: Bool {
        state.withLock {
            $0.isBroken || $0.read < min($0.written, $0.stalledAt ?? .max)
                || ($0.isClosed && $0.read == $0.written)
        }
    }

    var mayWrite: Bool {
        state.withLock { $0.isBroken || $0.isClosed || $0.written - $0.read < capacity }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            wake(state)
        }
    }

    private func wake(_ state: State) {
        state.onReadable?.set()
        state.onWritable?.set()
    }
}

extension Duration {
    static func seconds(_ value: Double) -> Duration { .nanoseconds(Int64(value * 1e9)) }
}
