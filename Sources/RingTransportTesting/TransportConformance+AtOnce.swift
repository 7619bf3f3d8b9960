import RingCore
import RingTransport

extension TransportConformance {
    func takesWholeFrames() throws {
        try withLink { pair, ranks in
            // Larger ones need not fit: a link may be made of pieces of 256 bytes.
            var wholes = 0
            for (number, byteCount) in [0, 1, 8, 100, 192, 8].enumerated() {
                for swapped in [false, true] {
                    let (from, to) = pair.ends(swapped: swapped)
                    let frame = Frame(number: number, byteCount: byteCount)
                    let header = RepeatedHeader(frame.header)
                    var place = [UInt8](repeating: 0, count: byteCount)
                    let early = try place.withUnsafeMutableBytes {
                        try to.receiveAtOnce(header, into: $0, readAhead: 4096)
                    }
                    guard case .nothing = early else {
                        throw ConformanceFailure("a frame came that nobody sent")
                    }
                    try sendAtOnce(frame, over: from, until: ranks.deadline)
                    if try receiveAtOnce(frame, expecting: header, over: to, until: ranks.deadline) {
                        wholes += 1
                    }
                }
            }
            try expect(wholes > 0, "no small frame was ever taken whole")
        }
    }

    /// Frames that come bit by bit, and others than the expected one, between those that are sent whole.
    func tellsWholeFramesFromOthers() throws {
        try withLink { pair, ranks in
            for (number, pieces) in [[1], [64, 7], [3, 100], [1 << 20]].enumerated() {
                let frames = [40, 900, 8].enumerated().map {
                    Frame(number: 3 * number + $0.offset, byteCount: $0.element)
                }
                _ = try ranks.atOnce(2) { index in
                    if index == 0 {
                        try sendAtOnce(frames[0], over: pair.low, until: ranks.deadline)
                        var sender = FrameSender([frames[1]], over: pair.low, pieces: pieces)
                        while !sender.isFinished {
                            if try sender.advance() { continue }
                            try pair.low.sleep(for: .sending, until: ranks.deadline, "by room")
                        }
                        try sendAtOnce(frames[2], over: pair.low, until: ranks.deadline)
                    } else {
                        for frame in frames {
                            // Where the second one is expected and another one comes, nothing of that may be lost.
                            let header = RepeatedHeader(frames[1].header)
                            _ = try receiveAtOnce(
                                frame, expecting: header, over: pair.high, until: ranks.deadline)
                        }
                    }
                }
            }
        }
    }

    private func sendAtOnce(_ frame: Frame, over link: any Link, until deadline: Deadline) throws {
        let header = RepeatedHeader(frame.header)
        var isOut: Bool?
        while isOut == nil {
            isOut = try frame.payload.withUnsafeBytes { try link.sendAtOnce(header, $0) }
            if isOut == nil { try link.sleep(for: .sending, until: deadline, "by room for a frame") }
        }
        while isOut == false {
            try link.sleep(for: .sending, until: deadline, "by room for a frame")
            isOut = try link.flush()
        }
    }

    /// Receives a frame, which need not be the expected one; whether it was taken whole.
    private func receiveAtOnce(
        _ frame: Frame, expecting expected: RepeatedHeader, over link: any Link, until deadline: Deadline
    ) throws -> Bool {
        let isExpected = frame.header == expected.header
        var place = [UInt8](repeating: 0xEE, count: frame.payload.count)
        // What is expected has a length of its own.
        var other = [UInt8](repeating: 0xEE, count: Int(expected.header.length))
        var isWhole = false
        receiving: while true {
            let arrival =
                isExpected
                ? try place.withUnsafeMutableBytes {
                    try link.receiveAtOnce(expected, into: $0, readAhead: 256)
                }
                : try other.withUnsafeMutableBytes {
                    try link.receiveAtOnce(expected, into: $0, readAhead: 256)
                }
            switch arrival {
            case .nothing: try link.sleep(for: .receiving, until: deadline, "by a frame")
            case .whole:
                try expect(isExpected, "\(frame.header) was taken for \(expected.header)")
                isWhole = true
                break receiving
            case .begun(let header, var taken):
                try expect(header == frame.header, "\(frame.header) arrived as \(header)")
                try expect(isExpected || taken == 0, "\(taken) bytes went where they were not expected")
                while taken < place.count {
                    let count = try place.withUnsafeMutableBytes {
                        try link.receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[taken...]))
                    }
                    taken += count
                    if count == 0 { try link.sleep(for: .receiving, until: deadline, "by a payload") }
                }
                break receiving
            }
        }
        try expect(place == frame.payload, "the payload of \(frame.header) arrived changed")
        return isWhole
    }
}
