import RingCompression
import RingCore
import RingTransport

// Transfers whose elements are compressed. How far they have come is counted in the bytes of their elements, as for all
// others, so that gates mean the same; but they go forward by whole segments, each a frame.
extension Runner {
    /// Goes on with the sending of a compressed transfer; whether it is through and the next may follow.
    func advance(
        _ lane: Lane, _ item: Lane.Item, _ transfer: PlanProgram.Transfer, _ encoder: SegmentEncoder,
        _ hasMoved: inout Bool
    ) throws -> Bool {
        let index = active[item.operation].firstTransfer + item.transfer
        if lane.outgoing == nil {
            let segment = encoder.segment(of: transfer, from: done[index])
            guard allowance(item) >= done[index] + segment.byteCount else { return false }
            let offset = done[index]
            let encoded = encoder.encoded(
                segment, at: readable(transfer.place, item.operation) + offset, in: transfer.place.buffer
            ) { writable(transfer.place, item.operation) + offset }
            hasMoved = true
            let header = header(item, transfer, from: offset, length: encoded.byteCount, lane)
            if encoded.byteCount <= Self.stageLimit {
                let bytes = UnsafeRawBufferPointer(start: encoded.memory, count: encoded.byteCount)
                if lane.link.stage(header, bytes) {
                    lane.hasStaged = true
                    sent(encoded.byteCount, elements: segment.byteCount, item)
                    encoder.sent(encoded)
                    return ended(segment.byteCount, of: transfer, index, item, lane)
                }
            }
            lane.link.beginFrame(header)
            lane.outgoing = OutgoingSegment(encoded: encoded, byteCount: segment.byteCount)
        }
        var outgoing = lane.outgoing!
        let left = min(outgoing.encoded.byteCount - outgoing.sent, options.pieceSize)
        let hadUnsentHeader = lane.link.hasUnsentHeader
        let accepted = try lane.link.send(
            UnsafeRawBufferPointer(start: outgoing.encoded.memory + outgoing.sent, count: left))
        // Sending flushes first.
        lane.hasStaged = try lane.hasStaged && !lane.link.flush()
        outgoing.sent += accepted
        sent(accepted, elements: 0, item)
        let isHeaderOut = !lane.link.hasUnsentHeader
        if accepted > 0 || (hadUnsentHeader && isHeaderOut) { hasMoved = true }
        lane.isSendBlocked = accepted < left || !isHeaderOut
        guard isHeaderOut, outgoing.sent == outgoing.encoded.byteCount else {
            lane.outgoing = outgoing
            return false
        }
        lane.outgoing = nil
        sent(0, elements: outgoing.byteCount, item)
        encoder.sent(outgoing.encoded)
        return ended(outgoing.byteCount, of: transfer, index, item, lane)
    }

    /// Takes note of a segment that has been sent; whether it was the transfer's last.
    private func ended(
        _ byteCount: Int, of transfer: PlanProgram.Transfer, _ index: Int, _ item: Lane.Item, _ lane: Lane
    ) -> Bool {
        done[index] += byteCount
        guard done[index] == transfer.byteCount else { return false }
        complete(item, on: lane)
        return true
    }

    /// Goes on with the receiving of a compressed transfer; whether a segment was taken and more may follow.
    func receiveSegment(
        _ lane: Lane, _ item: Lane.Item, _ transfer: PlanProgram.Transfer, _ encoder: SegmentEncoder,
        _ hasMoved: inout Bool
    ) throws -> Bool {
        let index = active[item.operation].firstTransfer + item.transfer
        if lane.arriving == nil {
            let segment = encoder.segment(of: transfer, from: done[index])
            let expected = encoder.wireByteCounts(segment)
            guard let header = try lane.link.receiveHeader(readAhead: min(expected.upperBound, Self.small))
            else {
                lane.isReceiveBlocked = true
                return false
            }
            try check(header, from: lane.peer, item, transfer, expected: expected)
            if stray != nil { return false }
            lane.arriving = encoder.arriving(segment, byteCount: Int(header.length))
            hasMoved = true
        }
        var arriving = lane.arriving!
        if arriving.received < arriving.byteCount {
            let taken = try lane.link.receive(
                into: UnsafeMutableRawBufferPointer(
                    start: arriving.memory + arriving.received, count: arriving.byteCount - arriving.received)
            )
            arriving.received += taken
            lane.arriving = arriving
            if taken > 0 { hasMoved = true }
            guard arriving.received == arriving.byteCount else {
                lane.isReceiveBlocked = taken == 0
                return false
            }
        }
        let segment = arriving.segment
        guard allowance(item) >= done[index] + segment.byteCount else { return false }
        do {
            try take(arriving, item, transfer, encoder, at: done[index])
        } catch let malformed as MalformedSegment {
            throw CollectiveError(
                .protocolViolation, "rank \(lane.peer) sent \(malformed)", peer: lane.peer)
        }
        lane.arriving = nil
        hasMoved = true
        done[index] += segment.byteCount
        if done[index] == transfer.byteCount {
            finish(item)
            lane.receiveHead += 1
        }
        return true
    }

    private func take(
        _ arrived: ArrivingSegment, _ item: Lane.Item, _ transfer: PlanProgram.Transfer,
        _ encoder: SegmentEncoder,
        at offset: Int
    ) throws {
        let destination = writable(transfer.place, item.operation) + offset
        guard case .reduce(let ownPlace, let isFinal) = transfer.work else {
            return try encoder.store(arrived, transfer, into: destination)
        }
        let operation = active[item.operation]
        try encoder.reduce(
            arrived, transfer, own: readable(ownPlace, item.operation) + offset, isFinal: isFinal,
            kernel: (isFinal ? operation.finalKernel : operation.kernel)!, into: destination)
    }
}
