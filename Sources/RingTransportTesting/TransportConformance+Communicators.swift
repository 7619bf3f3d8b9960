import RingCore
import RingTransport

// Several communicators that use one transport.
extension TransportConformance {
    func abortsOneCommunicator() throws {
        try withTransports(3) { ranks in
            let reason = CollectiveError(.cancelled, "this communicator has had enough", peer: 2)
            _ = try ranks.atOnce(3) { index in
                if index == 2 {
                    Self.pause()
                    ranks.transports[0].abort(reason, communicator: 7)
                    ranks.transports[0].abort(CollectiveError(.closed, "a second reason"), communicator: 7)
                    return
                }
                for _ in 0..<2 {
                    try Self.expectError([.cancelled], naming: 2, "waiting when the communicator is aborted")
                    {
                        _ = try ranks.transports[0].link(
                            to: index + 1, LinkIdentifier(communicator: 7, channel: 0),
                            deadline: ranks.deadline)
                    }
                }
            }
            try exchange(over: LinkIdentifier(communicator: 8, channel: 0), ranks)
        }
    }

    func retiresOneCommunicator() throws {
        for gone in [0, 1] {
            try withTransports(2) { ranks in
                ranks.transports[gone].retire(communicator: 7)
                let identifier = LinkIdentifier(communicator: 7, channel: 0)
                try Self.expectError(
                    [.closed], naming: gone, "asking for links of what this rank has retired"
                ) {
                    _ = try ranks.transports[gone].link(to: 1 - gone, identifier, deadline: ranks.deadline)
                }
                let codes: [CollectiveError.Code] = [.unreachable, .peerLost, .timedOut]
                // As with a transport that has shut down, the lower rank may wait for a call that does not come.
                let deadline = gone == 0 ? ranks.deadline : .after(.milliseconds(100))
                try Self.expectError(codes, naming: gone, "linking to a rank that has retired") {
                    let link = try ranks.transports[1 - gone].link(to: gone, identifier, deadline: deadline)
                    while try link.receiveHeader(readAhead: 0) == nil {
                        try link.sleep(for: .receiving, until: ranks.deadline, "by the end of a retired link")
                    }
                }
                try exchange(over: LinkIdentifier(communicator: 8, channel: 0), ranks)
            }
        }
    }

    func renumbersPeers() throws {
        try withLink { pair, ranks in
            pair.low.renumber(peer: 12)
            try expect(pair.low.peer == 12, "the peer is still \(pair.low.peer)")
            pair.high.close()
            try Self.expectLoss(naming: 12, "receiving from a peer with another number") {
                while try pair.low.receiveHeader(readAhead: 0) == nil {
                    try pair.low.sleep(for: .receiving, until: ranks.deadline, "by the peer's end")
                }
            }
        }
    }

    /// Makes a link between ranks 0 and 1 and sends a frame each way.
    private func exchange(over identifier: LinkIdentifier, _ ranks: Ranks) throws {
        let pair = try ranks.pair(0, 1, identifier)
        defer { pair.close() }
        let frames = [Frame(number: 1, byteCount: 300)]
        for swapped in [false, true] {
            let (sender, receiver) = pair.ends(swapped: swapped)
            try send(frames, over: sender, until: ranks.deadline)
            try receive(frames, over: receiver, until: ranks.deadline)
        }
    }
}
