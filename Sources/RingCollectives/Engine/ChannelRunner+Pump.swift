import RingCore
import RingKernels
import RingTransport

extension ChannelRunner {
    /// Sends on one lane what may be sent; returns whether anything moved.
    func pumpSend(_ laneIndex: Int) throws -> Bool {
        let queue = program.lanes[laneIndex].sends
        let link = lanes[laneIndex].link
        lanes[laneIndex].isSendBlocked = false
        var hasMoved = false
        while lanes[laneIndex].sendHead < queue.count {
            let index = queue[lanes[laneIndex].sendHead]
            let byteCount = program.transfers[index].byteCount
            let limit = allowance(index)
            if lanes[laneIndex].sendFrameEnd == nil {
                guard limit >= 0, limit > done[index] || byteCount == 0 else { return hasMoved }
                beginFrame(index, on: laneIndex)
            }
            let frameEnd = lanes[laneIndex].sendFrameEnd!
            let offered = min(limit, frameEnd, done[index] + options.pieceSize) - done[index]
            guard offered > 0 || link.hasUnsentHeader else { return hasMoved }
            let bytes =
                offered > 0
                ? UnsafeRawBufferPointer(
                    start: readable(program.transfers[index].place) + done[index], count: offered)
                : UnsafeRawBufferPointer(start: nil, count: 0)
            let hadUnsentHeader = link.hasUnsentHeader
            let accepted = try link.send(bytes)
            done[index] += accepted
            wireBytes += accepted
            let isHeaderOut = !link.hasUnsentHeader
            if accepted > 0 || (hadUnsentHeader && isHeaderOut) { hasMoved = true }
            if isHeaderOut, done[index] == frameEnd { lanes[laneIndex].sendFrameEnd = nil }
            if isHeaderOut, done[index] == byteCount {
                finish(index)
                lanes[laneIndex].sendHead += 1
                continue
            }
            lanes[laneIndex].isSendBlocked = accepted < offered || !isHeaderOut
            return hasMoved
        }
        return hasMoved
    }

    private func beginFrame(_ index: Int, on laneIndex: Int) {
        let transfer = program.transfers[index]
        let length = min(options.segmentSize, transfer.byteCount - done[index])
        lanes[laneIndex].sendFrameEnd = done[index] + length
        lanes[laneIndex].link.beginFrame(
            FrameHeader(
                kind: .data, communicator: identifier.communicator, epoch: identifier.epoch,
                sequence: sequence,
                signature: request.signature(ofTransfer: transfer.byteCount), chunk: transfer.chunk,
                offset: UInt64(done[index]),
                length: UInt32(length)))
    }

    /// Receives on one lane what has come; returns whether anything moved.
    func pumpReceive(_ laneIndex: Int) throws -> Bool {
        let queue = program.lanes[laneIndex].receives
        let link = lanes[laneIndex].link
        lanes[laneIndex].isReceiveBlocked = false
        var hasMoved = false
        while lanes[laneIndex].receiveHead < queue.count {
            let index = queue[lanes[laneIndex].receiveHead]
            let byteCount = program.transfers[index].byteCount
            let limit = allowance(index)
            if lanes[laneIndex].receiveFrameEnd == nil {
                guard let header = try link.receiveHeader(readAhead: readAhead(index)) else {
                    lanes[laneIndex].isReceiveBlocked = true
                    return hasMoved
                }
                try check(header, from: link.peer, index)
                lanes[laneIndex].receiveFrameEnd = done[index] + Int(header.length)
                hasMoved = true
            }
            let frameEnd = lanes[laneIndex].receiveFrameEnd!
            let wanted = min(limit, frameEnd, done[index] + options.pieceSize) - done[index]
            if byteCount > 0 || limit < 0 {
                guard wanted > 0 else { return hasMoved }
                let taken = try take(wanted, index, from: link)
                if taken == 0 {
                    lanes[laneIndex].isReceiveBlocked = true
                    return hasMoved
                }
                hasMoved = true
                done[index] += taken
            }
            if done[index] == frameEnd { lanes[laneIndex].receiveFrameEnd = nil }
            guard done[index] == byteCount else { return hasMoved }
            finish(index)
            lanes[laneIndex].receiveHead += 1
        }
        return hasMoved
    }

    /// What is worth reading along with a header: payloads that are reduced, or small, pass through the link's
    /// buffer; the others go straight to their place.
    private func readAhead(_ index: Int) -> Int {
        let left = program.transfers[index].byteCount - done[index]
        if case .reduce = program.transfers[index].work { return min(left, options.pieceSize) }
        return left <= 16 << 10 ? left : 0
    }

    private func take(_ wanted: Int, _ index: Int, from link: any Link) throws -> Int {
        let transfer = program.transfers[index]
        let offset = done[index]
        let destination = writable(transfer.place) + offset
        guard case .reduce(let ownPlace, let isFinal) = transfer.work else {
            return try link.receive(into: UnsafeMutableRawBufferPointer(start: destination, count: wanted))
        }
        let own = readable(ownPlace) + offset
        let elementSize = request.signature.dataType.byteCount
        let kernel = (isFinal ? finalKernel : kernel)!
        return try link.receive(atMost: wanted / elementSize * elementSize) { received in
            let count = received.count / elementSize
            if count > 0 { kernel(destination, own, received.baseAddress!, count: count) }
            return count * elementSize
        }
    }

    /// Holds a frame against this rank's own view of what must come next.
    private func check(_ header: FrameHeader, from peer: Rank, _ index: Int) throws {
        guard header.kind == .data, header.communicator == identifier.communicator,
            header.epoch == identifier.epoch, header.codec == 0
        else {
            throw CollectiveError(
                .protocolViolation,
                "rank \(peer) sent a frame of another kind, communicator or epoch on a data link",
                peer: peer)
        }
        let signature = request.signature(ofTransfer: program.transfers[index].byteCount)
        guard header.sequence == sequence, header.signature == signature else {
            let own = "\(signature)"
            let other =
                header.sequence == sequence
                ? "\(header.signature)" : "\(header.signature) as operation \(header.sequence)"
            throw Verdict.mismatch(sequence: sequence, context.rank, own, peer, other).error
        }
        let left = program.transfers[index].byteCount - done[index]
        guard header.chunk == program.transfers[index].chunk, header.offset == UInt64(done[index]),
            Int(header.length) <= left, header.length > 0 || left == 0,
            Int(header.length) % request.signature.dataType.byteCount == 0
        else {
            throw CollectiveError(
                .protocolViolation,
                "rank \(peer) sent \(header.length) bytes of chunk \(header.chunk) from \(header.offset) where "
                    + "\(left) of chunk \(program.transfers[index].chunk) from \(done[index]) belong: "
                    + "do all ranks use the same number of channels (RING_CHANNELS)?", peer: peer)
        }
    }
}
