import RingCore
import RingTransport

extension TransportConformance {
    func hasNameAndCard() throws {
        try withTransports(2) { ranks in
            for (rank, transport) in ranks.transports.enumerated() {
                try expect(!transport.name.isEmpty, "rank \(rank)'s transport has no name")
                try expect(
                    (1...4096).contains(transport.card.count), "a card of \(transport.card.count) bytes")
            }
            try expect(ranks.transports[0].card != ranks.transports[1].card, "two ranks have the same card")
        }
    }

    func refusesNonsenseCards() throws {
        try withTransports(2) { ranks in
            let cards = ranks.transports.map(\.card)
            let nonsense: [[UInt8]] = [
                [], [0], [255], Array("nonsense".utf8), cards[1].dropLast(), cards[1] + [0],
                [UInt8](repeating: 0xFF, count: 4096),
            ]
            for bytes in nonsense {
                do {
                    try ranks.transports[0].meet([cards[0], bytes])
                } catch let error as CollectiveError {
                    try expect(
                        error.code == .invalidConfiguration, "the card \(bytes.prefix(16)) threw \(error)")
                    try expect(
                        error.peer == 1, "the card \(bytes.prefix(16)) of rank 1 was blamed on another")
                    continue
                }
                throw ConformanceFailure("the card \(bytes.prefix(16)) was taken for one")
            }
            // What was met before still stands.
            let pair = try ranks.pair()
            pair.close()
        }
    }

    func connectsSeveralRanks() throws {
        try withTransports(4) { ranks in
            _ = try ranks.atOnce(4) { rank in
                for channel in 0..<2 as Range<UInt16> {
                    for peer in 0..<4 where peer != rank {
                        let link = try ranks.transports[rank].link(
                            to: peer, LinkIdentifier(channel: channel), deadline: ranks.deadline)
                        defer { link.close() }
                        try expect(
                            link.peer == peer, "the link to rank \(peer) says it leads to \(link.peer)")
                        var sender = FrameSender([Frame(number: rank * 4 + peer, byteCount: 90)], over: link)
                        var receiver = FrameReceiver(
                            [Frame(number: peer * 4 + rank, byteCount: 90)], over: link)
                        try pump(&sender, &receiver, on: link, until: ranks.deadline)
                    }
                }
            }
        }
    }

    func connectsManyAtOnce() throws {
        try withTransports(3) { ranks in
            let channels = 6
            let pairs = [(0, 1), (0, 2), (1, 2)]
            _ = try ranks.atOnce(pairs.count * 2 * channels) { index in
                let (low, high) = pairs[index % 3]
                let isLow = index / 3 % 2 == 0
                let channel = index / 6
                let link = try ranks.transports[isLow ? low : high].link(
                    to: isLow ? high : low, LinkIdentifier(channel: UInt16(channel)), deadline: ranks.deadline
                )
                defer { link.close() }
                let number = (low * 4 + high) * 16 + channel
                var sender = FrameSender([Frame(number: number, byteCount: 200)], over: link)
                var receiver = FrameReceiver([Frame(number: number, byteCount: 200)], over: link)
                try pump(&sender, &receiver, on: link, until: ranks.deadline)
            }
        }
    }

    func timesOutNamingPeer() throws {
        try withTransports(3) { ranks in
            for peer in [1, 2] {
                try Self.expectError([.timedOut], naming: peer, "waiting for a rank that does not ask") {
                    _ = try ranks.transports[0].link(
                        to: peer, LinkIdentifier(channel: 0), deadline: .after(.milliseconds(50)))
                }
            }
        }
    }

    func recoversFromTimeout() throws {
        try withTransports(2) { ranks in
            for _ in 0..<3 {
                try Self.expectError([.timedOut], naming: 1, "waiting for a rank that does not ask yet") {
                    _ = try ranks.transports[0].link(
                        to: 1, LinkIdentifier(channel: 0), deadline: .after(.milliseconds(10)))
                }
            }
            let pair = try ranks.pair()
            defer { pair.close() }
            let frames = [Frame(number: 1, byteCount: 300)]
            try send(frames, over: pair.low, until: ranks.deadline)
            try receive(frames, over: pair.high, until: ranks.deadline)
        }
    }

    func abortsWaiters() throws {
        try withTransports(3) { ranks in
            let reason = CollectiveError(.cancelled, "the test has had enough", peer: 2)
            _ = try ranks.atOnce(3) { index in
                if index == 2 {
                    Self.pause()
                    ranks.transports[0].abort(reason)
                    ranks.transports[0].abort(CollectiveError(.closed, "a second reason"))
                    return
                }
                for _ in 0..<2 {
                    try Self.expectError(
                        [.cancelled], naming: 2, "waiting for a link when the transport is aborted"
                    ) {
                        _ = try ranks.transports[0].link(
                            to: index + 1, LinkIdentifier(channel: 0), deadline: ranks.deadline)
                    }
                }
            }
            // The others know nothing of it.
            let pair = try ranks.pair(1, 2)
            pair.close()
        }
    }

    func shutsDownTwice() throws {
        try withLink { pair, ranks in
            for transport in ranks.transports {
                transport.shutdown()
                transport.shutdown()
            }
            for rank in [0, 1] {
                try Self.expectError([.closed], naming: rank, "asking a transport that has been shut down") {
                    _ = try ranks.transports[rank].link(
                        to: 1 - rank, LinkIdentifier(channel: 1), deadline: ranks.deadline)
                }
            }
            let frames = [Frame(number: 1, byteCount: 300)]
            try send(frames, over: pair.low, until: ranks.deadline)
            try receive(frames, over: pair.high, until: ranks.deadline)
            try send(frames, over: pair.high, until: ranks.deadline)
            try receive(frames, over: pair.low, until: ranks.deadline)
        }
    }

    func namesPeerThatShutDown() throws {
        for gone in [0, 1] {
            try withTransports(2) { ranks in
                ranks.transports[gone].shutdown()
                let codes: [CollectiveError.Code] = [.unreachable, .peerLost, .timedOut]
                // The higher rank learns it at once; the lower may wait for a call that does not come.
                let deadline = gone == 0 ? ranks.deadline : .after(.milliseconds(100))
                try Self.expectError(codes, naming: gone, "asking for a link to a rank that has shut down") {
                    _ = try ranks.transports[1 - gone].link(
                        to: gone, LinkIdentifier(channel: 0), deadline: deadline)
                }
            }
        }
    }

    /// Runs `body`, which must throw an error of one of these codes naming the peer.
    static func expectError(
        _ codes: [CollectiveError.Code], naming peer: Rank, _ doing: String, _ body: () throws -> Void
    ) throws {
        do {
            try body()
        } catch let error as CollectiveError {
            try expect(codes.contains(error.code), "\(doing) threw \(error), not \(codes)")
            try expect(
                error.peer == peer, "\(doing) blamed \(String(describing: error.peer)), not rank \(peer)")
            return
        }
        throw ConformanceFailure("\(doing) threw no error")
    }
}
