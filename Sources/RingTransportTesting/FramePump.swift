import RingCore
import RingTransport

/// Sends frames over a link as far as it goes, without waiting.
struct FrameSender {
    private let link: any Link
    private let frames: [Frame]
    /// The sizes of the pieces in which payloads are offered, in turns.
    private let pieces: [Int]
    private var turn = 0
    private var index = 0
    private var sent = 0
    private var hasBegun = false

    init(_ frames: [Frame], over link: any Link, pieces: [Int] = [1 << 20]) {
        self.link = link
        self.frames = frames
        self.pieces = pieces
    }

    var isFinished: Bool { index == frames.count }

    /// Does one step; returns whether anything moved.
    mutating func advance() throws -> Bool {
        guard !isFinished else { return false }
        let frame = frames[index]
        if !hasBegun {
            link.beginFrame(frame.header)
            (hasBegun, sent) = (true, 0)
        }
        let hadUnsentHeader = link.hasUnsentHeader
        let count = min(pieces[turn % pieces.count], frame.payload.count - sent)
        let accepted = try frame.payload.withUnsafeBytes {
            try link.send(UnsafeRawBufferPointer(rebasing: $0[sent..<(sent + count)]))
        }
        try expect((0...count).contains(accepted), "send accepted \(accepted) of \(count) bytes")
        sent += accepted
        turn += 1
        if !link.hasUnsentHeader, sent == frame.payload.count {
            index += 1
            hasBegun = false
            return true
        }
        return accepted > 0 || hadUnsentHeader != link.hasUnsentHeader
    }
}

/// Receives frames over a link as far as they have come, without waiting, and holds them against those expected.
struct FrameReceiver {
    /// How payloads are taken.
    enum Mode: Sendable {
        /// To a place of their own, in pieces of these sizes in turns.
        case taking(pieces: [Int])
        /// In the link's memory, whole elements of this size only.
        case lending(elementSize: Int, limit: Int)
    }

    private let link: any Link
    private let frames: [Frame]
    private let mode: Mode
    private let readAhead: Int
    private var turn = 0
    private var index = 0
    private var received = 0
    private var hasHeader = false
    private var buffer: [UInt8] = []

    init(
        _ frames: [Frame], over link: any Link, _ mode: Mode = .taking(pieces: [1 << 20]), readAhead: Int = 0
    ) {
        self.link = link
        self.frames = frames
        self.mode = mode
        self.readAhead = readAhead
    }

    var isFinished: Bool { index == frames.count }

    /// Does one step; returns whether anything moved.
    mutating func advance() throws -> Bool {
        guard !isFinished else { return false }
        let frame = frames[index]
        if !hasHeader {
            guard let header = try link.receiveHeader(readAhead: readAhead) else { return false }
            try expect(header == frame.header, "frame \(index) arrived with \(header), not \(frame.header)")
            (hasHeader, received) = (true, 0)
        }
        let left = frame.payload.count - received
        var taken = 0
        if left > 0 {
            switch mode {
            case .taking(let pieces): taken = try take(min(left, pieces[turn % pieces.count]), of: frame)
            case .lending(let size, let limit): taken = try borrow(min(left, limit), size, of: frame)
            }
        }
        turn += 1
        received += taken
        if received == frame.payload.count {
            index += 1
            hasHeader = false
            return true
        }
        return taken > 0
    }

    private mutating func take(_ count: Int, of frame: Frame) throws -> Int {
        if buffer.count < count { buffer = [UInt8](repeating: 0, count: count) }
        return try buffer.withUnsafeMutableBytes { bytes in
            let taken = try link.receive(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
            try expect((0...count).contains(taken), "receive took \(taken) bytes where \(count) fit")
            try expect(
                frame.contains(UnsafeRawBufferPointer(rebasing: bytes[..<taken]), at: received),
                "frame \(index): \(taken) bytes from \(received) are not those that were sent")
            return taken
        }
    }

    private func borrow(_ count: Int, _ elementSize: Int, of frame: Frame) throws -> Int {
        // The last element of a frame may be a part.
        let left = frame.payload.count - received
        let limit = count == left ? count : count / elementSize * elementSize
        var calls = 0
        var lent = 0
        var isRight = true
        let used = try link.receive(atMost: limit) { bytes in
            calls += 1
            lent = bytes.count
            isRight = frame.contains(bytes, at: received)
            return bytes.count == left ? left : bytes.count / elementSize * elementSize
        }
        try expect(calls <= 1, "receive(atMost:) called its body \(calls) times")
        try expect(lent <= limit, "receive(atMost: \(limit)) lent \(lent) bytes")
        try expect(calls == 0 || lent > 0, "receive(atMost:) lent nothing")
        try expect(
            isRight, "frame \(index): \(lent) bytes lent from \(received) are not those that were sent")
        let expected = calls == 0 ? 0 : lent == left ? left : lent / elementSize * elementSize
        try expect(used == expected, "receive(atMost:) returned \(used) where its body used \(expected)")
        return used
    }
}

/// Sends and receives on one link until both are finished, asleep in the kernel whenever neither can go on.
func pump(
    _ sender: inout FrameSender, _ receiver: inout FrameReceiver, on link: any Link, until deadline: Deadline
)
    throws
{
    while !sender.isFinished || !receiver.isFinished {
        let hasSent = try sender.advance()
        let hasReceived = try receiver.advance()
        if hasSent || hasReceived { continue }
        var interest: LinkInterest = []
        if !sender.isFinished { interest.insert(.sending) }
        if !receiver.isFinished { interest.insert(.receiving) }
        try link.sleep(for: interest, until: deadline, "though there was something to send or receive")
    }
}

/// Sends frames over a link, waiting where needed.
func send(_ frames: [Frame], over link: any Link, pieces: [Int] = [1 << 20], until deadline: Deadline) throws
{
    var sender = FrameSender(frames, over: link, pieces: pieces)
    var receiver = FrameReceiver([], over: link)
    try pump(&sender, &receiver, on: link, until: deadline)
}

/// Receives and checks frames over a link, waiting where needed.
func receive(
    _ frames: [Frame], over link: any Link, _ mode: FrameReceiver.Mode = .taking(pieces: [1 << 20]),
    until deadline: Deadline
) throws {
    var sender = FrameSender([], over: link)
    var receiver = FrameReceiver(frames, over: link, mode)
    try pump(&sender, &receiver, on: link, until: deadline)
}
