import RingCore
import RingTransport

// Messages between two ranks. They have links of their own, on which they go in the order in which they were sent; the
// receiver finds the one that it wants by its tag.
extension Runner {
    /// What is read along with a message's header.
    static let messageReadAhead = 32 << 10

    /// Receives messages on one lane; whether anything moved.
    func pumpMessages(_ lane: Lane) throws -> Bool {
        lane.isReceiveBlocked = false
        var hasMoved = false
        while lane.receiveHead < lane.receives.count {
            guard try findDestination(lane) else { return hasMoved }
            if lane.receiveFrameEnd < 0 {
                guard try beginNextFrame(lane) else { return hasMoved }
                hasMoved = true
            }
            let taken = try takeMessage(lane)
            if taken > 0 { hasMoved = true }
            let total = lane.incoming!.byteCount
            if lane.arrived == lane.receiveFrameEnd { lane.receiveFrameEnd = -1 }
            if lane.arrived == total, lane.receiveFrameEnd < 0 {
                try endMessage(lane)
                hasMoved = true
            } else if taken == 0 {
                lane.isReceiveBlocked = true
                return hasMoved
            }
        }
        return hasMoved
    }

    /// Makes sure that a message is being received and has a place to go to; false if not now.
    private func findDestination(_ lane: Lane) throws -> Bool {
        if lane.incoming == nil {
            guard let header = try lane.link.receiveHeader(readAhead: Self.messageReadAhead) else {
                lane.isReceiveBlocked = true
                return false
            }
            lane.incoming = try incoming(header, from: lane.peer, number: lane.receivedMessages)
            lane.receiveFrameEnd = Int(header.length)
            lane.arrived = 0
        }
        guard let incoming = lane.incoming, case .undecided = incoming.destination else { return true }
        if let item = receive(on: lane, tag: incoming.signature.detail) {
            try agree(incoming.signature, active[item.operation].request.signature, from: lane.peer)
            lane.incoming?.destination = .asked(item)
            return true
        }
        // Whoever waits for another tag must not wait for this one to be wanted.
        guard mailbox.hasRoom(for: incoming.byteCount) else { return false }
        lane.unexpected = UnexpectedMessage(incoming.signature, byteCount: incoming.byteCount)
        lane.incoming?.destination = .unexpected
        return true
    }

    func incoming(
        _ header: FrameHeader, from peer: Rank, number: UInt32
    ) throws -> Lane.Incoming {
        try checkOrigin(header, from: peer)
        let signature = header.signature
        let (byteCount, overflow) = signature.elementCount.multipliedReportingOverflow(
            by: signature.dataType.byteCount)
        guard signature.collective == .sendReceive, header.sequence == UInt64(number), header.offset == 0,
            !overflow, Int(header.length) <= byteCount, header.length > 0 || byteCount == 0
        else {
            throw CollectiveError(
                .protocolViolation,
                "rank \(peer) sent \(signature) as message \(header.sequence) where message \(number) belongs",
                peer: peer)
        }
        return Lane.Incoming(signature: signature, byteCount: byteCount)
    }

    /// The first receive that wants a message with this tag.
    private func receive(on lane: Lane, tag: UInt32) -> Lane.Item? {
        var place = lane.receiveHead
        while place < lane.receives.count {
            let item = lane.receives[place]
            if active[item.operation].remaining > 0,
                active[item.operation].request.signature.detail == tag
            {
                return item
            }
            place += 1
        }
        return nil
    }

    /// Holds a message against what was asked for.
    func agree(_ sent: OperationSignature, _ wanted: OperationSignature, from peer: Rank) throws {
        guard sent != wanted else { return }
        throw CollectiveError(
            .mismatch,
            "rank \(peer) sent \(sent), rank \(context.rank) receives \(wanted): both must name the same type and count",
            peer: peer)
    }

    /// Reads the header of a long message's next frame; false if it has not come.
    private func beginNextFrame(_ lane: Lane) throws -> Bool {
        guard let header = try lane.link.receiveHeader(readAhead: 0) else {
            lane.isReceiveBlocked = true
            return false
        }
        try checkOrigin(header, from: lane.peer)
        let left = lane.incoming!.byteCount - lane.arrived
        guard header.signature == lane.incoming!.signature, header.offset == UInt64(lane.arrived),
            header.length > 0, Int(header.length) <= left
        else {
            throw CollectiveError(
                .protocolViolation,
                "rank \(lane.peer) sent \(header.length) bytes from \(header.offset) of \(header.signature) "
                    + "where \(left) from \(lane.arrived) of \(lane.incoming!.signature) belong",
                peer: lane.peer)
        }
        lane.receiveFrameEnd = lane.arrived + Int(header.length)
        return true
    }

    private func takeMessage(_ lane: Lane) throws -> Int {
        let wanted = min(lane.receiveFrameEnd - lane.arrived, storedPiece(lane.link))
        guard wanted > 0 else { return 0 }
        let taken: Int
        switch lane.incoming!.destination {
        case .asked(let item):
            let place = active[item.operation].request.output! + lane.arrived
            taken = try lane.link.receive(into: UnsafeMutableRawBufferPointer(start: place, count: wanted))
            done[active[item.operation].firstTransfer] += taken
        case .unexpected:
            taken = try lane.link.receive(
                into: UnsafeMutableRawBufferPointer(rebasing: lane.unexpected!.room.prefix(wanted)))
            lane.unexpected!.arrived += taken
        case .undecided: preconditionFailure("a message is received before it has a place")
        }
        lane.arrived += taken
        return taken
    }

    private func endMessage(_ lane: Lane) throws {
        switch lane.incoming!.destination {
        case .asked(let item): finish(item)
        case .unexpected: mailbox.keep(lane.unexpected!, from: lane.peer)
        case .undecided: preconditionFailure("a message ends before it has a place")
        }
        lane.incoming = nil
        lane.unexpected = nil
        lane.receivedMessages &+= 1
        // One that was asked for while it came in goes to whoever asked.
        if !mailbox.isEmpty {
            for item in lane.receives[lane.receiveHead...] { try deliverFromMailbox(item, from: lane.peer) }
        }
        passCompleted(lane)
    }

    /// Gives a receive its message if it has come already. A message of another kind is noticed too.
    func receiveFromMailbox(_ item: Lane.Item, on lane: Lane) throws {
        try deliverFromMailbox(item, from: lane.peer)
        passCompleted(lane)
    }

    private func deliverFromMailbox(_ item: Lane.Item, from peer: Rank) throws {
        guard active[item.operation].remaining > 0,
            let message = mailbox.take(from: peer, tag: active[item.operation].request.signature.detail)
        else { return }
        try agree(message.signature, active[item.operation].request.signature, from: peer)
        message.copy(to: active[item.operation].request.output)
        done[active[item.operation].firstTransfer] = message.byteCount
        finish(item)
    }

    func passCompleted(_ lane: Lane) {
        while lane.receiveHead < lane.receives.count,
            active[lane.receives[lane.receiveHead].operation].remaining == 0
        {
            lane.receiveHead += 1
        }
    }
}
