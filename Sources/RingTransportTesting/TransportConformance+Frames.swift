import RingCore
import RingTransport

extension TransportConformance {
    func carriesFramesOfManySizes() throws {
        let sizes = [0, 1, 63, 64, 65, 0, 1023, 4097, 65_537, (256 << 10) + 1, largestFrame, 3]
        try withLink { pair, ranks in
            let toHigh = sizes.enumerated().map { Frame(number: $0.offset, byteCount: $0.element) }
            let toLow = sizes.reversed().enumerated().map {
                Frame(number: 100 + $0.offset, byteCount: $0.element)
            }
            _ = try ranks.atOnce(2) { index in
                let link = index == 0 ? pair.low : pair.high
                var sender = FrameSender(index == 0 ? toHigh : toLow, over: link)
                var receiver = FrameReceiver(
                    index == 0 ? toLow : toHigh, over: link,
                    index == 0 ? .taking(pieces: [1 << 20]) : .lending(elementSize: 4, limit: 100_000),
                    readAhead: index == 0 ? 0 : 4096)
                try pump(&sender, &receiver, on: link, until: ranks.deadline)
            }
        }
    }

    func carriesEveryHeaderField() throws {
        try withLink { pair, ranks in
            for header in Self.headers {
                pair.low.beginFrame(header)
                try expect(pair.low.hasUnsentHeader, "a frame was begun and its header counts as sent")
                while pair.low.hasUnsentHeader {
                    _ = try pair.low.send(UnsafeRawBufferPointer(start: nil, count: 0))
                    try expect(!ranks.deadline.hasPassed, "a header was not accepted")
                }
                var received: FrameHeader?
                while received == nil {
                    received = try pair.high.receiveHeader(readAhead: 0)
                    if received == nil {
                        try pair.high.sleep(for: .receiving, until: ranks.deadline, "by a header")
                    }
                }
                try expect(received == header, "\(header) arrived as \(String(describing: received))")
            }
        }
    }

    /// Headers in which each field takes its smallest, largest and usual values.
    private static var headers: [FrameHeader] {
        let plain = FrameHeader.sample(number: 5, length: 0)
        var headers = [plain]
        func add(_ change: (inout FrameHeader) -> Void) {
            var header = plain
            change(&header)
            headers.append(header)
        }
        add { $0.kind = .control }
        for value in [0, 1, UInt32.max - 1, .max] {
            add { $0.communicator = value }
            add { $0.epoch = value }
            add { $0.chunk = value }
            add { $0.signature.algorithm = AlgorithmCode(rawValue: value) }
        }
        for value in [0, 1, 0x0123_4567_89AB_CDEF, UInt64.max] {
            add { $0.sequence = value }
            add { $0.offset = value }
        }
        for value in [0, 1, Int.max] { add { $0.signature.elementCount = value } }
        for collective in Collective.allCases { add { $0.signature.collective = collective } }
        for type in DataType.allCases { add { $0.signature.dataType = type } }
        for op in ReductionOperator.allCases { add { $0.signature.op = op } }
        add { $0.signature.op = nil }
        for root in [0, 1, Int(UInt32.max) - 1] { add { $0.signature.root = root } }
        for codec in [1, UInt8.max] { add { $0.codec = codec } }
        // The last one, for no payload follows it.
        add { $0.length = .max }
        return headers
    }

    func takesFramesBitByBit() throws {
        for swapped in [false, true] {
            try withLink { pair, ranks in
                let (from, to) = pair.ends(swapped: swapped)
                let frames = [1000, 1, 0, 77, 300].enumerated().map {
                    Frame(number: $0.offset, byteCount: $0.element)
                }
                var sender = FrameSender(frames, over: from, pieces: [1, 2, 3, 5, 8, 13])
                var receiver = FrameReceiver(frames, over: to, .taking(pieces: [7, 1, 4]), readAhead: 10)
                while !receiver.isFinished {
                    let hasSent = try sender.advance()
                    let hasReceived = try receiver.advance()
                    if hasSent || hasReceived { continue }
                    try to.sleep(for: .receiving, until: ranks.deadline, "by a piece of a frame")
                }
            }
        }
    }

    func keepsChannelsApart() throws {
        try withTransports(2) { ranks in
            let identifiers = [
                LinkIdentifier(channel: 0), LinkIdentifier(channel: 1), LinkIdentifier(epoch: 1, channel: 0),
                LinkIdentifier(communicator: 1, channel: 0),
                LinkIdentifier(channel: LinkIdentifier.controlChannel),
            ]
            let pairs = try identifiers.map { try ranks.pair(0, 1, $0) }
            defer { for pair in pairs { pair.close() } }
            // One link is full and nobody takes anything from it: the others must not care.
            let flood = Frame(number: 99, byteCount: 1 << 20)
            try fill(pairs[0].low, with: flood)
            for (number, pair) in pairs.enumerated().dropFirst().reversed() {
                let frames = [Frame(number: number, byteCount: 100 + number)]
                try send(frames, over: pair.low, until: ranks.deadline)
                try send(frames, over: pair.high, until: ranks.deadline)
            }
            for (number, pair) in pairs.enumerated().dropFirst() {
                let frames = [Frame(number: number, byteCount: 100 + number)]
                try receive(frames, over: pair.high, until: ranks.deadline)
                try receive(frames, over: pair.low, until: ranks.deadline)
            }
            pairs[1].close()
            let last = [Frame(number: 1000, byteCount: 10)]
            try send(last, over: pairs[2].low, until: ranks.deadline)
            try receive(last, over: pairs[2].high, until: ranks.deadline)
        }
    }
}
