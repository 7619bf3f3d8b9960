import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory that a transport knows, if it has a use for that.
final class RegisteredArea {
    let bytes: UnsafeMutableRawBufferPointer
    private var registration: (any MemoryRegistration)?

    init(_ byteCount: Int, _ transport: any Transport) throws {
        guard let pages = PageMemory.allocate(atLeast: byteCount) else {
            throw ConformanceFailure("no memory for \(byteCount) bytes")
        }
        bytes = pages
        memset(pages.baseAddress!, 0, pages.count)
        registration = try transport.register(pages)
    }

    deinit {
        registration = nil
        free(bytes.baseAddress)
    }
}

/// A frame that is sent from registered memory, and taken in one of several ways.
private struct LentFrame {
    /// How the payload is taken.
    enum Taking: CaseIterable {
        case toRegistered
        case toPlain
        case lending
    }

    let frame: Frame
    let source: RegisteredArea
    let taking: Taking
    private var accepted = 0
    private(set) var settled = 0
    private var received = 0
    private var hasHeader = false
    private var isLent: Bool

    init(_ frame: Frame, over link: any Link, _ transport: any Transport, _ taking: Taking) throws {
        self.frame = frame
        self.taking = taking
        source = try RegisteredArea(frame.payload.count, transport)
        source.bytes.copyBytes(from: frame.payload)
        isLent = link.lends(UnsafeRawBufferPointer(rebasing: source.bytes.prefix(frame.payload.count)))
        link.beginFrame(frame.header)
    }

    func isSent(over link: any Link) -> Bool { !link.hasUnsentHeader && accepted == frame.payload.count }

    var isFinished: Bool {
        hasHeader && received == frame.payload.count && settled == (isLent ? accepted : 0)
    }

    mutating func send(over link: any Link, piece: Int, fetched: Bool) throws {
        guard !isSent(over: link) else { return }
        let bytes = UnsafeRawBufferPointer(
            rebasing: source.bytes[accepted..<min(accepted + piece, frame.payload.count)])
        let count =
            isLent && !bytes.isEmpty ? try link.send(lending: bytes, fetched: fetched) : try link.send(bytes)
        try expect((0...bytes.count).contains(count), "send accepted \(count) of \(bytes.count) lent bytes")
        accepted += count
    }

    mutating func settle(_ count: Int) throws {
        settled += count
        try expect(settled <= accepted, "\(settled) bytes are settled of \(accepted) that were lent")
    }

    mutating func receive(over link: any Link, _ place: UnsafeMutableRawBufferPointer, piece: Int) throws {
        if !hasHeader {
            guard let header = try link.receiveHeader(readAhead: 0) else { return }
            try expect(header == frame.header, "a frame of lent bytes arrived with \(header)")
            hasHeader = true
        }
        let wanted = min(piece, frame.payload.count - received)
        guard wanted > 0 else { return }
        if taking == .lending {
            received += try link.receive(atMost: wanted) { bytes in
                place[received...].copyBytes(from: bytes)
                return bytes.count
            }
        } else {
            received += try link.receive(
                into: UnsafeMutableRawBufferPointer(rebasing: place[received..<(received + wanted)]))
        }
    }
}

extension TransportConformance {
    /// Whoever lends memory gets it back, and the peer gets the bytes, however it takes them.
    func sendsFromRegisteredMemory() throws {
        let sizes = [1, 20_000, 65_536, min(300_001, largestFrame)]
        for taking in LentFrame.Taking.allCases {
            for (fetched, piece) in [(true, 1 << 20), (true, 70_001), (false, 1 << 20), (false, 9999)] {
                try withLink { pair, ranks in
                    for (number, size) in sizes.enumerated() {
                        try carry(
                            Frame(number: number, byteCount: size), pair, ranks, taking, fetched: fetched,
                            piece: piece)
                    }
                }
            }
        }
    }

    private func carry(
        _ frame: Frame, _ pair: LinkPair, _ ranks: Ranks, _ taking: LentFrame.Taking, fetched: Bool,
        piece: Int
    ) throws {
        var lent = try LentFrame(frame, over: pair.low, ranks.transports[0], taking)
        let area =
            taking == .toRegistered ? try RegisteredArea(frame.payload.count, ranks.transports[1]) : nil
        let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: frame.payload.count, alignment: 64)
        defer { plain.deallocate() }
        let place = area?.bytes ?? plain
        while !lent.isFinished {
            try lent.send(over: pair.low, piece: piece, fetched: fetched)
            try lent.settle(try pair.low.takeSettled())
            try lent.receive(over: pair.high, place, piece: piece)
            try expect(!ranks.deadline.hasPassed, "lent bytes did not arrive, or were not settled")
        }
        // What is settled is the lender's again.
        memset(lent.source.bytes.baseAddress!, 0xEE, lent.source.bytes.count)
        try expect(
            frame.contains(UnsafeRawBufferPointer(rebasing: place.prefix(frame.payload.count)), at: 0),
            "\(frame.payload.count) lent bytes did not arrive as they were")
    }

    /// Whoever sleeps until what it has lent is settled is woken, and so is whoever waits for what is fetched.
    func wakesForSettledMemory() throws {
        for fetched in [true, false] {
            try withTransports(2) { ranks in
                _ = try ranks.atOnce(2) { rank in
                    let link = try ranks.transports[rank].link(
                        to: 1 - rank, LinkIdentifier(channel: 0), deadline: ranks.deadline)
                    defer { link.close() }
                    for number in 0..<20 {
                        let frame = Frame(number: number, byteCount: 200_000)
                        if rank == 0 {
                            try sendAsleep(frame, over: link, ranks, fetched: fetched)
                        } else {
                            try receiveAsleep(frame, over: link, ranks)
                        }
                    }
                    // The other end is still asleep.
                    if rank == 0 {
                        _ = try header(from: link, ranks)
                    } else {
                        try send([Frame(number: 0, byteCount: 0)], over: link, until: ranks.deadline)
                    }
                }
            }
        }
    }

    private func sendAsleep(_ frame: Frame, over link: any Link, _ ranks: Ranks, fetched: Bool) throws {
        var lent = try LentFrame(frame, over: link, ranks.transports[0], .toPlain)
        var isLent = true
        while !lent.isSent(over: link) || isLent {
            try lent.send(over: link, piece: 1 << 20, fetched: fetched)
            try lent.settle(try link.takeSettled())
            isLent =
                link.lends(UnsafeRawBufferPointer(lent.source.bytes)) && lent.settled < frame.payload.count
            let interest: LinkInterest = lent.isSent(over: link) ? .settling : [.sending, .settling]
            if isLent || !lent.isSent(over: link) {
                try link.sleep(for: interest, until: ranks.deadline, "by what it had lent")
            }
        }
    }

    private func receiveAsleep(_ frame: Frame, over link: any Link, _ ranks: Ranks) throws {
        let area = try RegisteredArea(frame.payload.count, ranks.transports[1])
        let received = try header(from: link, ranks)
        try expect(received == frame.header, "a frame of lent bytes arrived with \(received)")
        var count = 0
        while count < frame.payload.count {
            let taken = try link.receive(
                into: UnsafeMutableRawBufferPointer(rebasing: area.bytes[count..<frame.payload.count]))
            count += taken
            if taken == 0 { try link.sleep(for: .receiving, until: ranks.deadline, "by lent bytes") }
        }
        try expect(
            frame.contains(UnsafeRawBufferPointer(rebasing: area.bytes.prefix(count)), at: 0),
            "lent bytes did not arrive as they were")
    }
}
