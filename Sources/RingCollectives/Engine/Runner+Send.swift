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
            guard limit >= 0, limit > lane.accepted || byteCount == 0 else { return false }
            if byteCount <= Self.stageLimit, limit == byteCount, lane.accepted == 0 {
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
            if lane.accepted == 0 { lane.isLending = lends(transfer, item, lane) }
            let length = min(options.segmentSize, byteCount - lane.accepted)
            lane.link.beginFrame(header(item, transfer, from: lane.accepted, length: length, lane))
            lane.sendFrameEnd = lane.accepted + length
        }
        let offered = offer(transfer, limit, lane)
        guard offered > 0 || lane.link.hasUnsentHeader else { return false }
        let bytes = UnsafeRawBufferPointer(
            start: offered > 0 ? readable(transfer.place, item.operation) + lane.accepted : nil,
            count: max(0, offered))
        let hadUnsentHeader = lane.link.hasUnsentHeader
        let isLent = lane.isLending && offered > 0
        let accepted =
            isLent
            ? try lane.link.send(lending: bytes, fetched: transfer.isFetched) : try lane.link.send(bytes)
        // Sending flushes first.
        lane.hasStaged = try lane.hasStaged && !lane.link.flush()
        lane.accepted += accepted
        if isLent { lane.lend(accepted, of: item) } else { done[index] += accepted }
        sent(accepted, item)
        let isHeaderOut = !lane.link.hasUnsentHeader
        if accepted > 0 || (hadUnsentHeader && isHeaderOut) { hasMoved = true }
        if isHeaderOut, lane.accepted == lane.sendFrameEnd { lane.sendFrameEnd = -1 }
        if isHeaderOut, lane.accepted == byteCount {
            complete(item, on: lane, isSettled: !lane.isLending)
            return true
        }
        lane.isSendBlocked = accepted < offered || !isHeaderOut
        return false
    }

    /// How many bytes of the first transfer the link is offered now; not positive if none.
    private func offer(_ transfer: PlanProgram.Transfer, _ limit: Int, _ lane: Lane) -> Int {
        guard lane.isLending else {
            return min(limit, lane.sendFrameEnd, lane.accepted + options.pieceSize) - lane.accepted
        }
        let offered = min(limit, lane.sendFrameEnd) - lane.accepted
        // To be fetched costs the peer a turn, so there must be some of it.
        let isEnough =
            !transfer.isFetched || limit >= lane.sendFrameEnd || offered >= Self.fewestFetchedBytes
        return isEnough ? offered : 0
    }

    /// The fewest bytes that a peer is to fetch, unless they are the last.
    private static let fewestFetchedBytes = 64 << 10

    /// Whether a transfer's memory can be used where it is.
    private func lends(_ transfer: PlanProgram.Transfer, _ item: Lane.Item, _ lane: Lane) -> Bool {
        guard transfer.byteCount > 0,
            active[item.operation].lendable.contains(BufferSet(transfer.place.buffer))
        else { return false }
        return lane.link.lends(
            UnsafeRawBufferPointer(
                start: readable(transfer.place, item.operation), count: transfer.byteCount))
    }

    /// Takes note of what was lent and has been settled; whether anything has.
    func settle(_ lane: Lane) throws -> Bool {
        var left = try lane.link.takeSettled()
        let hasMoved = left > 0
        while left > 0 {
            let (item, byteCount) = lane.settle(left)
            left -= byteCount
            let index = active[item.operation].firstTransfer + item.transfer
            done[index] += byteCount
            if done[index] == active[item.operation].program.transfers[item.transfer].byteCount {
                finish(item)
            }
        }
        return hasMoved
    }

    /// The first transfer is through; complete it is once it is settled, too.
    func complete(_ item: Lane.Item, on lane: Lane, isSettled: Bool = true) {
        if isSettled { finish(item) }
        lane.sendHead += 1
        (lane.accepted, lane.isLending) = (0, false)
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
