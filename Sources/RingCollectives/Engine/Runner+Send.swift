import RingCore
import RingTransport

extension Runner {
    /// The longest payload that is staged, to travel with what comes after it, rather than sent from its place.
    static let stageLimit = 8 << 10

    /// Sends on one lane what may be sent; whether anything moved.
    func pumpSend(_ lane: Lane) throws -> Bool {
        lane.isSendBlocked = false
        var hasMoved = false
        while lane.sendHead < lane.sends.count, try advance(lane, &hasMoved) {}
        if lane.hasStaged {
            lane.hasStaged = try !lane.link.flush()
            if lane.hasStaged { lane.isSendBlocked = true } else { hasMoved = true }
        }
        return hasMoved
    }

    /// Goes on with the first transfer; whether it is through and the next may follow.
    private func advance(_ lane: Lane, _ hasMoved: inout Bool) throws -> Bool {
        let item = lane.sends[lane.sendHead]
        let transfer = active[item.operation].program.transfers[item.transfer]
        let index = active[item.operation].firstTransfer + item.transfer
        let byteCount = transfer.byteCount
        if let encoder = active[item.operation].encoder, byteCount > 0 {
            return try advance(lane, item, transfer, encoder, &hasMoved)
        }
        let limit = allowance(item)
        if lane.sendFrameEnd < 0 {
            guard limit >= 0, limit > done[index] || byteCount == 0 else { return false }
            if byteCount <= Self.stageLimit, limit == byteCount, done[index] == 0 {
                let bytes = UnsafeRawBufferPointer(
                    start: byteCount == 0 ? nil : readable(transfer.place, item.operation), count: byteCount)
                if lane.link.stage(header(item, transfer, from: 0, length: byteCount, lane), bytes) {
                    lane.hasStaged = true
                    done[index] = byteCount
                    sent(byteCount, item)
                    complete(item, on: lane)
                    return true
                }
            }
            let length = min(options.segmentSize, byteCount - done[index])
            lane.link.beginFrame(header(item, transfer, from: done[index], length: length, lane))
            lane.sendFrameEnd = done[index] + length
        }
        let offered = min(limit, lane.sendFrameEnd, done[index] + options.pieceSize) - done[index]
        guard offered > 0 || lane.link.hasUnsentHeader else { return false }
        let bytes = UnsafeRawBufferPointer(
            start: offered > 0 ? readable(transfer.place, item.operation) + done[index] : nil,
            count: max(0, offered))
        let hadUnsentHeader = lane.link.hasUnsentHeader
        let accepted = try lane.link.send(bytes)
        // Sending flushes first.
        lane.hasStaged = try lane.hasStaged && !lane.link.flush()
        done[index] += accepted
        sent(accepted, item)
        let isHeaderOut = !lane.link.hasUnsentHeader
        if accepted > 0 || (hadUnsentHeader && isHeaderOut) { hasMoved = true }
        if isHeaderOut, done[index] == lane.sendFrameEnd { lane.sendFrameEnd = -1 }
        if isHeaderOut, done[index] == byteCount {
            complete(item, on: lane)
            return true
        }
        lane.isSendBlocked = accepted < offered || !isHeaderOut
        return false
    }

    func complete(_ item: Lane.Item, on lane: Lane) {
        finish(item)
        lane.sendHead += 1
        if lane.carriesMessages { lane.sentMessages &+= 1 }
    }

    func header(
        _ item: Lane.Item, _ transfer: PlanProgram.Transfer, from offset: Int, length: Int, _ lane: Lane
    ) -> FrameHeader {
        FrameHeader(
            kind: .data, communicator: identifier.communicator, epoch: identifier.epoch,
            sequence: lane.carriesMessages ? UInt64(lane.sentMessages) : active[item.operation].sequence,
            signature: signature(of: transfer, in: item.operation), chunk: transfer.chunk,
            offset: UInt64(offset), length: UInt32(length))
    }

    /// What a transfer's frames say of their operation.
    func signature(of transfer: PlanProgram.Transfer, in operation: Int) -> OperationSignature {
        var signature = active[operation].request.signature
        guard active[operation].request.isPairwise else { return signature }
        signature.elementCount = transfer.byteCount / signature.dataType.byteCount
        return signature
    }
}
