import RingCore
import RingKernels
import RingTransport

extension Runner {
    /// Receives on one lane what has come; whether anything moved.
    func pumpReceive(_ lane: Lane) throws -> Bool {
        let link: any Link = lane.link
        lane.isReceiveBlocked = false
        var hasMoved = false
        while lane.receiveHead < lane.receives.count {
            let item = lane.receives[lane.receiveHead]
            let transfer = active[item.operation].program.transfers[item.transfer]
            let index = active[item.operation].firstTransfer + item.transfer
            let byteCount = transfer.byteCount
            if let stray {
                guard stray.due.hasPassed else { return hasMoved }
                throw stray.error
            }
            if let encoder = active[item.operation].encoder, byteCount > 0 {
                guard try receiveSegment(lane, item, transfer, encoder, &hasMoved) else { return hasMoved }
                continue
            }
            if lane.receiveFrameEnd < 0 {
                guard
                    let header = try lane.receiveHeader(
                        readAhead: readAhead(transfer, byteCount - done[index]))
                else {
                    lane.isReceiveBlocked = true
                    return hasMoved
                }
                try check(header, from: lane.peer, item, transfer)
                if stray != nil { return hasMoved }
                lane.receiveFrameEnd = done[index] + Int(header.length)
                hasMoved = true
            }
            let limit = allowance(item)
            let piece = transfer.isReduced || transfer.isSentOn ? options.pieceSize : storedPiece(link)
            let wanted = min(limit, lane.receiveFrameEnd, done[index] + piece) - done[index]
            if byteCount > 0 || limit < 0 {
                guard wanted > 0 else { return hasMoved }
                let taken = try take(wanted, item, transfer, from: done[index], link)
                if taken == 0 {
                    lane.isReceiveBlocked = true
                    return hasMoved
                }
                hasMoved = true
                done[index] += taken
            }
            if done[index] == lane.receiveFrameEnd { lane.receiveFrameEnd = -1 }
            guard done[index] == byteCount else { return hasMoved }
            finish(item)
            hasMoved = true
            lane.receiveHead += 1
        }
        return hasMoved
    }

    /// What is worth reading along with a header: payloads that are reduced, or small, pass through the link's
    /// buffer; the others go straight to their place. Behind a small one the next frames may have come too.
    private func readAhead(_ transfer: PlanProgram.Transfer, _ left: Int) -> Int {
        if left <= Self.small { return 2 * Self.small }
        return transfer.isReduced ? min(left, options.pieceSize) : 0
    }

    /// How much of what goes straight to its place, and no further, is taken at once.
    func storedPiece(_ link: any Link) -> Int { max(options.pieceSize, link.fetchedAhead) }

    static let small = 16 << 10

    private func take(
        _ wanted: Int, _ item: Lane.Item, _ transfer: PlanProgram.Transfer, from offset: Int, _ link: any Link
    ) throws -> Int {
        let destination = writable(transfer.place, item.operation) + offset
        guard case .reduce(let ownPlace, let isFinal) = transfer.work else {
            return try link.receive(into: UnsafeMutableRawBufferPointer(start: destination, count: wanted))
        }
        let own = readable(ownPlace, item.operation) + offset
        let elementSize = active[item.operation].request.signature.dataType.byteCount
        let kernel = (isFinal ? active[item.operation].finalKernel : active[item.operation].kernel)!
        return try link.receive(atMost: wanted / elementSize * elementSize) { received in
            let count = received.count / elementSize
            if count > 0 { kernel(destination, own, received.baseAddress!, count: count) }
            return count * elementSize
        }
    }

    /// Holds a frame against this rank's own view of what must come next.
    ///
    /// `expected` says how many bytes the payload may have; nil: whole elements, as many as are left at most.
    func check(
        _ header: FrameHeader, from peer: Rank, _ item: Lane.Item, _ transfer: PlanProgram.Transfer,
        expected: ClosedRange<Int>? = nil
    ) throws {
        try checkOrigin(header, from: peer)
        let signature = signature(of: transfer, in: item.operation)
        let sequence = active[item.operation].sequence
        guard header.sequence == sequence, header.signature == signature else {
            let other =
                header.sequence == sequence
                ? "\(header.signature)" : "\(header.signature) as operation \(header.sequence)"
            let error = Verdict.mismatch(
                sequence: sequence, context.rank, "\(signature)", peer, other
            ).error
            if header.sequence == sequence { throw error }
            // The peer has gone on: it no longer says what it took this operation for, but the judge will know, once
            // those who wait have told him.
            stray = stray ?? (error, .after(Watchdog.stallPeriod * 2))
            return
        }
        let offset = done[active[item.operation].firstTransfer + item.transfer]
        let left = transfer.byteCount - offset
        let length = Int(header.length)
        let isLengthRight =
            expected?.contains(length)
            ?? (length <= left && (length > 0 || left == 0) && length % signature.dataType.byteCount == 0)
        guard header.chunk == transfer.chunk, header.offset == UInt64(offset), isLengthRight else {
            let belong = expected.map {
                $0.count == 1 ? "\($0.upperBound)" : "\($0.lowerBound) to \($0.upperBound)"
            }
            throw CollectiveError(
                .protocolViolation,
                "rank \(peer) sent \(header.length) bytes of chunk \(header.chunk) from \(header.offset) where "
                    + "\(belong ?? "\(left)") of chunk \(transfer.chunk) from \(offset) belong", peer: peer)
        }
    }

    /// Holds a frame against the link that it came over.
    func checkOrigin(_ header: FrameHeader, from peer: Rank) throws {
        guard header.kind == .data, header.communicator == identifier.communicator,
            header.epoch == identifier.epoch
        else {
            throw CollectiveError(
                .protocolViolation,
                "rank \(peer) sent a frame of another kind, communicator or epoch on a data link",
                peer: peer)
        }
    }
}
