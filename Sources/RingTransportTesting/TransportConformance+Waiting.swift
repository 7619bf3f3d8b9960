import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension TransportConformance {
    func neverBlocks() throws {
        try withLink { pair, ranks in
            _ = try ranks.atOnce(1) { _ in
                var place = [UInt8](repeating: 0, count: 64)
                for readAhead in [0, 4096] {
                    let header = try pair.high.receiveHeader(readAhead: readAhead)
                    try expect(header == nil, "a header came that nobody sent")
                }
                let frame = Frame(number: 1, byteCount: 1 << 20)
                // The header alone.
                pair.low.beginFrame(frame.header)
                while pair.low.hasUnsentHeader {
                    _ = try pair.low.send(UnsafeRawBufferPointer(start: nil, count: 0))
                }
                _ = try header(from: pair.high, ranks)
                for _ in 0..<3 {
                    let taken = try place.withUnsafeMutableBytes { try pair.high.receive(into: $0) }
                    try expect(taken == 0, "\(taken) bytes came that nobody sent")
                    var wasCalled = false
                    let used = try pair.high.receive(atMost: 64) { _ in
                        wasCalled = true
                        return 0
                    }
                    try expect(used == 0 && !wasCalled, "bytes were lent that nobody sent")
                }
                try fill(pair.high, with: frame)
            }
        }
    }

    /// Sends until the link takes no more; returns how much it took. Throws if it never stops.
    @discardableResult
    func fill(_ link: any Link, with frame: Frame) throws -> Int {
        var header = frame.header
        header.length = .max
        link.beginFrame(header)
        var total = 0
        while total < 256 << 20 {
            let accepted = try frame.payload.withUnsafeBytes { bytes in
                // Each offer goes on where the last one ended, so that the whole is the payload over and over.
                try link.send(UnsafeRawBufferPointer(rebasing: bytes[(total % bytes.count)...]))
            }
            if accepted == 0 { return total }
            total += accepted
        }
        throw ConformanceFailure("a link accepted 256 MiB that nobody takes")
    }

    func sleepsWhileNothingComes() throws {
        try withLink { pair, _ in
            for link in [pair.low, pair.high] {
                try expect(
                    Self.staysAsleep(link, .receiving), "a link on which nothing comes has always news")
            }
            // What the system moves on behind the scenes may make room a few times.
            let frame = Frame(number: 1, byteCount: 1 << 20)
            try fill(pair.low, with: frame)
            var isAsleep = false
            for _ in 0..<50 where !isAsleep {
                isAsleep = Self.staysAsleep(pair.low, .sending)
                if !isAsleep { while try frame.payload.withUnsafeBytes({ try pair.low.send($0) }) > 0 {} }
            }
            try expect(isAsleep, "a link that takes nothing has always room")
        }
    }

    /// Whether a wait passes without anything to wake for.
    private static func staysAsleep(_ link: any Link, _ interest: LinkInterest) -> Bool {
        // Something that happened before may be noted once.
        for _ in 0..<4 {
            guard let descriptor = link.prepareToWait(for: interest) else { continue }
            var descriptors = [descriptor]
            if (try? SystemCall.poll(&descriptors, milliseconds: 20)) == 0 { return true }
        }
        return false
    }

    func wakesForData() throws {
        for swapped in [false, true] {
            try withLink { pair, ranks in
                let (from, to) = pair.ends(swapped: swapped)
                let (source, sink) = (LinkEnd(from), LinkEnd(to))
                let frames = [Frame(number: 3, byteCount: 100)]
                _ = try ranks.atOnce(2) { index in
                    if index == 0 {
                        Self.pause()
                        try send(frames, over: source.link, pieces: [10], until: ranks.deadline)
                    } else {
                        try receive(frames, over: sink.link, until: ranks.deadline)
                    }
                }
            }
        }
    }

    func wakesForRoom() throws {
        try withLink { pair, ranks in
            let frame = Frame(number: 4, byteCount: 1 << 16)
            let before = try fill(pair.low, with: frame)
            let extra = 1 << 20
            _ = try ranks.atOnce(2) { index in
                if index == 0 {
                    // Whoever sleeps here has a full link; the other end makes room later.
                    var more = 0
                    while more < extra {
                        let start = (before + more) % frame.payload.count
                        let accepted = try frame.payload.withUnsafeBytes {
                            try pair.low.send(UnsafeRawBufferPointer(rebasing: $0[start...]))
                        }
                        more += accepted
                        if accepted > 0 { continue }
                        try pair.low.sleep(for: .sending, until: ranks.deadline, "though there was room")
                    }
                } else {
                    Self.pause()
                    _ = try header(from: pair.high, ranks)
                    var place = [UInt8](repeating: 0, count: frame.payload.count)
                    var total = 0
                    while total < before + extra {
                        let offset = total % frame.payload.count
                        let count = min(frame.payload.count - offset, before + extra - total)
                        let taken = try place.withUnsafeMutableBytes { bytes in
                            let place = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                            let taken = try pair.high.receive(into: place)
                            let received = UnsafeRawBufferPointer(rebasing: place[..<taken])
                            try expect(
                                frame.contains(received, at: offset), "a full link delivered other bytes")
                            return taken
                        }
                        total += taken
                        if taken == 0 {
                            try pair.high.sleep(for: .receiving, until: ranks.deadline, "by a full link")
                        }
                    }
                }
            }
        }
    }

    func losesNoWakeUp() throws {
        for swapped in [false, true] {
            try withLink { pair, ranks in
                let (serving, sleeping) = pair.ends(swapped: swapped)
                let (server, sleeper) = (LinkEnd(serving), LinkEnd(sleeping))
                let balls = (0..<1000).map { Frame(number: $0, byteCount: $0 % 40) }
                _ = try ranks.atOnce(2) { index in
                    if index == 0 {
                        try Self.serve(balls, over: server.link, until: ranks.deadline)
                    } else {
                        for ball in balls {
                            try receive(
                                [ball], over: sleeper.link, .lending(elementSize: 8, limit: 64),
                                until: ranks.deadline)
                            try send([ball], over: sleeper.link, until: ranks.deadline)
                        }
                    }
                }
            }
        }
    }

    /// Sends each frame and awaits it back, always awake, so that the next one comes a moment of changing length
    /// later: at some time or other just when the other end falls asleep.
    private static func serve(_ balls: [Frame], over link: any Link, until deadline: Deadline) throws {
        for (round, ball) in balls.enumerated() {
            var sender = FrameSender([ball], over: link)
            while !sender.isFinished { _ = try sender.advance() }
            var receiver = FrameReceiver([ball], over: link)
            var attempts = 0
            while !receiver.isFinished {
                if try receiver.advance() { continue }
                attempts += 1
                if attempts.isMultiple(of: 256) {
                    sched_yield()
                    try expect(!deadline.hasPassed, "a link's other end slept through frame \(round)")
                }
            }
            for _ in 0..<(round &* 37 % 101) { _ = link.peer }
        }
    }

    func losesNoWakeUpInStreams() throws {
        try withLink { pair, ranks in
            let frames = (0..<8).map { Frame(number: $0, byteCount: min(largestFrame, 100_000) + $0) }
            _ = try ranks.atOnce(2) { index in
                let link = index == 0 ? pair.low : pair.high
                var sender = FrameSender(frames, over: link, pieces: [1001, 77, 4096])
                var receiver = FrameReceiver(
                    frames, over: link, .lending(elementSize: 8, limit: 3000), readAhead: 500)
                try pump(&sender, &receiver, on: link, until: ranks.deadline)
            }
        }
    }

    /// Gives another thread the time to fall asleep; nothing depends on its length.
    static func pause() {
        usleep(30_000)
    }
}
