import RingCore
import RingTransport

extension TransportConformance {
    func lendsAgain() throws {
        try withLink { pair, ranks in
            let frame = Frame(number: 1, byteCount: 240)
            try send([frame], over: pair.low, until: ranks.deadline)
            _ = try header(from: pair.high, ranks)
            var taken = 0
            // Each turn looks at up to 50 bytes, then uses none, one or some of them.
            for use in [0, 1, 0, 7, 50, 0, 13, 50, 50, 50, 50, 50, 50] where taken < frame.payload.count {
                var isRight = false
                var lent = 0
                let limit = min(50, frame.payload.count - taken)
                while lent == 0 {
                    let used = try pair.high.receive(atMost: limit) { bytes in
                        isRight = frame.contains(bytes, at: taken)
                        lent = bytes.count
                        return min(use, bytes.count)
                    }
                    if lent > 0 {
                        try expect(isRight, "what was lent from byte \(taken) on is not what was sent")
                        try expect(lent <= limit, "\(lent) bytes were lent, at most \(limit) asked for")
                        try expect(
                            used == min(use, lent), "\(used) bytes count as used, not \(min(use, lent))")
                        taken += used
                    } else {
                        try expect(used == 0, "\(used) bytes were used and none lent")
                        try pair.high.sleep(
                            for: .receiving, until: ranks.deadline, "by a payload that was sent")
                    }
                }
            }
            try expect(
                taken == frame.payload.count, "only \(taken) of \(frame.payload.count) bytes were lent")
        }
    }

    func lendsPartsOfElements() throws {
        for (pieces, elementSize) in [([3], 8), ([1], 4), ([7, 9, 1], 8), ([5, 64, 2], 16), ([1000], 8)] {
            try withLink { pair, ranks in
                let frames = [Frame(number: 1, byteCount: 480), Frame(number: 2, byteCount: 160)]
                var sender = FrameSender(frames, over: pair.low, pieces: pieces)
                var receiver = FrameReceiver(
                    frames, over: pair.high, .lending(elementSize: elementSize, limit: 96), readAhead: 33)
                while !receiver.isFinished {
                    let hasSent = try sender.advance()
                    if try receiver.advance() || hasSent { continue }
                    try pair.high.sleep(for: .receiving, until: ranks.deadline, "by a part of an element")
                }
            }
        }
    }

    func mixesLendingAndTaking() throws {
        try withLink { pair, ranks in
            let frames = (0..<4).map { Frame(number: $0, byteCount: 96) }
            try send(frames, over: pair.low, until: ranks.deadline)
            for frame in frames {
                let header = try header(from: pair.high, ranks, readAhead: 40)
                try expect(
                    header == frame.header, "the header of a frame of which parts were lent is \(header)")
                var payload: [UInt8] = []
                var isLending = frame.header.sequence.isMultiple(of: 2)
                while payload.count < frame.payload.count {
                    let before = payload.count
                    if isLending {
                        // Looks at ten bytes and leaves one for whoever comes next.
                        _ = try pair.high.receive(atMost: 10) { bytes in
                            let used = max(1, bytes.count - 1)
                            payload += bytes[..<used]
                            return used
                        }
                    } else {
                        var place = [UInt8](repeating: 0, count: 9)
                        let count = try place.withUnsafeMutableBytes { try pair.high.receive(into: $0) }
                        payload += place[..<count]
                    }
                    isLending.toggle()
                    if payload.count > before { continue }
                    try pair.high.sleep(for: .receiving, until: ranks.deadline, "by a payload that was sent")
                }
                try expect(payload == frame.payload, "a payload lent and taken in turns is not what was sent")
            }
        }
    }

    /// The next frame's header, waited for.
    func header(from link: any Link, _ ranks: Ranks, readAhead: Int = 0) throws -> FrameHeader {
        while true {
            if let header = try link.receiveHeader(readAhead: readAhead) { return header }
            try link.sleep(for: .receiving, until: ranks.deadline, "by a header that was sent")
        }
    }
}
