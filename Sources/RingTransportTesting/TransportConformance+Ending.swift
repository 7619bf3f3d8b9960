import RingCore
import RingTransport

extension TransportConformance {
    func wakesForEnd() throws {
        for swapped in [false, true] {
            try withLink { pair, ranks in
                let (closing, waiting) = pair.ends(swapped: swapped)
                let (source, sink) = (LinkEnd(closing), LinkEnd(waiting))
                _ = try ranks.atOnce(2) { index in
                    if index == 0 {
                        Self.pause()
                        source.link.close()
                    } else {
                        try Self.expectLoss(naming: sink.link.peer, "waiting for a header") {
                            while try sink.link.receiveHeader(readAhead: 0) == nil {
                                try sink.link.sleep(
                                    for: .receiving, until: ranks.deadline, "by the peer's end")
                            }
                        }
                    }
                }
            }
        }
    }

    func closesForOwnWaiter() throws {
        try withLink { pair, ranks in
            _ = try ranks.atOnce(2) { index in
                if index == 0 {
                    Self.pause()
                    pair.high.close()
                } else {
                    try Self.expectLoss(naming: 0, "waiting on a link that this rank closes") {
                        while try pair.high.receiveHeader(readAhead: 0) == nil {
                            try pair.high.sleep(for: .receiving, until: ranks.deadline, "when it was closed")
                        }
                    }
                }
            }
            pair.high.close()
        }
    }

    func deliversBeforeEnd() throws {
        for swapped in [false, true] {
            try withLink { pair, ranks in
                let (closing, other) = pair.ends(swapped: swapped)
                let frames = [50, 0, 130].enumerated().map { Frame(number: $0.offset, byteCount: $0.element) }
                try send(frames, over: closing, until: ranks.deadline)
                closing.close()
                try receive(frames, over: other, until: ranks.deadline)
                for _ in 0..<3 {
                    try Self.expectLoss(naming: other.peer, "receiving a header from a closed peer") {
                        while try other.receiveHeader(readAhead: 64) == nil {
                            try other.sleep(for: .receiving, until: ranks.deadline, "by the peer's end")
                        }
                    }
                }
                try expectSendingFails(other, ranks)
            }
        }
    }

    func failsWithinFrame() throws {
        for (isLending, swapped) in [(false, false), (true, false), (false, true), (true, true)] {
            try withLink { pair, ranks in
                let (closing, other) = pair.ends(swapped: swapped)
                let frame = Frame(number: 1, byteCount: 1000)
                closing.beginFrame(frame.header)
                var sent = 0
                while sent < 100 {
                    sent += try frame.payload.withUnsafeBytes {
                        try closing.send(UnsafeRawBufferPointer(rebasing: $0[sent..<100]))
                    }
                    try expect(!ranks.deadline.hasPassed, "an empty link has no room")
                }
                closing.close()
                _ = try header(from: other, ranks)
                var received: [UInt8] = []
                var place = [UInt8](repeating: 0, count: 1000)
                func step() throws -> Int {
                    if isLending {
                        return try other.receive(atMost: 1000) { bytes in
                            received += bytes
                            return bytes.count
                        }
                    }
                    let taken = try place.withUnsafeMutableBytes { try other.receive(into: $0) }
                    received += place[..<taken]
                    return taken
                }
                for _ in 0..<3 {
                    try Self.expectLoss(naming: other.peer, "receiving a payload that ends early") {
                        while true {
                            if try step() > 0 { continue }
                            try other.sleep(for: .receiving, until: ranks.deadline, "by the peer's end")
                        }
                    }
                }
                try expect(
                    received == Array(frame.payload[..<100]),
                    "\(received.count) bytes arrived of 100 that were sent before the end")
                try expectSendingFails(other, ranks)
            }
        }
    }

    /// Sending to a peer that has ended fails, at the latest once word of the end has come, and then each time.
    private func expectSendingFails(_ link: any Link, _ ranks: Ranks) throws {
        let frame = Frame(number: 9, byteCount: 1 << 16)
        try Self.expectLoss(naming: link.peer, "sending to a closed peer") {
            var header = frame.header
            header.length = .max
            link.beginFrame(header)
            while true {
                let accepted = try frame.payload.withUnsafeBytes { try link.send($0) }
                if accepted == 0 { try link.sleep(for: .sending, until: ranks.deadline, "by the peer's end") }
                try expect(!ranks.deadline.hasPassed, "sending to a closed peer goes on and on")
            }
        }
        for _ in 0..<2 {
            try Self.expectLoss(naming: link.peer, "sending to a closed peer again") {
                _ = try frame.payload.withUnsafeBytes { try link.send($0) }
                throw ConformanceFailure("a link that has failed accepts bytes again")
            }
        }
    }

    /// Runs `body`, which must throw `.peerLost` naming the peer.
    static func expectLoss(naming peer: Rank, _ doing: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as CollectiveError {
            try expect(error.code == .peerLost, "\(doing) threw \(error), not peer-lost")
            try expect(
                error.peer == peer, "\(doing) blamed \(String(describing: error.peer)), not rank \(peer)")
            try expect(
                error.message.contains("rank \(peer)"), "\(doing): the message names no rank: \(error)")
            return
        }
        throw ConformanceFailure("\(doing) threw no error")
    }
}
