import RingCore
import RingKernels
import RingPlan
import RingSystem
import RingTransport

// One channel's part of an operation that several work at. What there is to do is in the `SharedOperation`; a lane here is
// this channel's link to a peer, with at most one stripe under way in each direction.
extension Runner {
    /// Works at an operation until it has ended on all channels. Nothing else may be in hand.
    ///
    /// Throws what ``drive(nudge:idleSince:until:)`` throws, or the error of another channel.
    func work(at operation: SharedOperation) throws {
        precondition(isIdle, "an operation is divided while others are in hand")
        beginSharing(operation)
        defer { endSharing() }
        try drive(nudge: operation.nudge(channel)) {
            // Before anything is looked at: what happens from here on keeps this channel from falling asleep.
            seenVersion = operation.version
            return try operation.isOver()
        }
    }

    /// This runner's channel, among those of its communicator.
    var channel: Int { Int(identifier.channel) }

    /// Moves what can be moved of the shared operation now; whether anything did.
    func pumpStripes(_ operation: SharedOperation) throws -> Bool {
        var hasMoved = false
        if channel == 0 {
            while let transfer = operation.takeCopy() {
                copy(transfer, operation)
                hasMoved = true
            }
        }
        for lane in lanes where lane.link != nil {
            if try sendStripes(lane, operation) { hasMoved = true }
            if try receiveStripes(lane, operation) { hasMoved = true }
        }
        return hasMoved
    }

    private func copy(_ transfer: Int, _ operation: SharedOperation) {
        let terms = operation.terms
        let part = terms.program.transfers[transfer]
        if case .copy(let source) = part.work, part.byteCount > 0 {
            let destination = terms.writable(part.place)
            let origin = terms.readable(source)
            if UnsafeRawPointer(destination) != origin {
                destination.copyMemory(from: origin, byteCount: part.byteCount)
            }
        }
        operation.copied(transfer)
    }

    // MARK: Sending

    private func sendStripes(_ lane: Lane, _ operation: SharedOperation) throws -> Bool {
        lane.isSendBlocked = false
        var hasMoved = false
        while true {
            if lane.outgoingStripe == nil {
                guard
                    let stripe = operation.take(lane.place, channel: channel, atMost: options.pieceSize)
                else { return hasMoved }
                lane.outgoingStripe = stripe
                lane.sendPlace = stripe.start
                lane.link.beginFrame(header(stripe, operation.terms))
            }
            guard try advance(lane, operation, &hasMoved) else { return hasMoved }
        }
    }

    /// Goes on with the stripe that is being sent; whether it is through.
    private func advance(_ lane: Lane, _ operation: SharedOperation, _ hasMoved: inout Bool) throws -> Bool {
        let stripe = lane.outgoingStripe!
        let terms = operation.terms
        let offered = max(0, min(operation.allowance(stripe), stripe.end) - lane.sendPlace)
        let hadUnsentHeader = lane.link.hasUnsentHeader
        guard offered > 0 || hadUnsentHeader else { return false }
        let place = terms.program.transfers[stripe.transfer].place
        let accepted = try lane.link.send(
            UnsafeRawBufferPointer(
                start: offered > 0 ? terms.readable(place) + lane.sendPlace : nil, count: offered))
        let isHeaderOut = !lane.link.hasUnsentHeader
        lane.sendPlace += accepted
        let isThrough = isHeaderOut && lane.sendPlace == stripe.end
        if accepted > 0 || isThrough { operation.advance(stripe, to: lane.sendPlace, sent: accepted) }
        if accepted > 0 || (hadUnsentHeader && isHeaderOut) { hasMoved = true }
        if isThrough { lane.outgoingStripe = nil }
        lane.isSendBlocked = !isThrough && (accepted < offered || !isHeaderOut)
        return isThrough
    }

    private func header(_ stripe: SharedOperation.Stripe, _ terms: SharedOperation.Terms) -> FrameHeader {
        FrameHeader(
            kind: .data, communicator: identifier.communicator, epoch: identifier.epoch,
            sequence: terms.sequence, signature: terms.request.signature,
            chunk: terms.program.transfers[stripe.transfer].ordinal, offset: UInt64(stripe.start),
            length: UInt32(stripe.end - stripe.start))
    }

    // MARK: Receiving

    private func receiveStripes(_ lane: Lane, _ operation: SharedOperation) throws -> Bool {
        lane.isReceiveBlocked = false
        var hasMoved = false
        while !lane.isExhausted {
            if lane.incomingStripe == nil {
                guard let header = try nextHeader(lane, operation) else { return hasMoved }
                let stripe = try stripe(header, lane, operation)
                guard let stripe else { return hasMoved }
                lane.incomingStripe = stripe
                lane.receivePlace = stripe.start
                lane.isReducing = operation.terms.program.transfers[stripe.transfer].isReduced
                hasMoved = true
            }
            let stripe = lane.incomingStripe!
            let limit = operation.allowance(stripe)
            let wanted = min(limit, stripe.end, lane.receivePlace + options.pieceSize) - lane.receivePlace
            if stripe.end > stripe.start || limit < 0 {
                guard wanted > 0 else { return hasMoved }
                let taken = try take(wanted, stripe, lane, operation.terms)
                if taken == 0 {
                    lane.isReceiveBlocked = true
                    return hasMoved
                }
                lane.receivePlace += taken
                hasMoved = true
            }
            operation.advance(stripe, to: lane.receivePlace)
            guard lane.receivePlace == stripe.end else { continue }
            lane.incomingStripe = nil
        }
        return hasMoved
    }

    /// The next frame's header; nil if none has come, or will.
    ///
    /// A frame of a later operation, or the link's end, is none of this operation's business for now: the stripes that
    /// are missing may come over other links.
    private func nextHeader(_ lane: Lane, _ operation: SharedOperation) throws -> FrameHeader? {
        do {
            // What is reduced passes through the link's buffer; the rest goes straight to its place.
            let readAhead = lane.isReducing ? options.pieceSize : 0
            if let header = try lane.receiveHeader(readAhead: readAhead) { return header }
        } catch let error as CollectiveError where error.code == .peerLost {
            // A peer that is done may have gone: what it sent before is still to be had from the other links.
            lane.endError = error
            lane.isExhausted = true
            guard !operation.endsLink(lane.place) else { throw error }
            return nil
        }
        lane.isReceiveBlocked = true
        return nil
    }

    /// The stripe that a frame brings; nil if it is one of a later operation's, which waits until this one has ended.
    private func stripe(
        _ header: FrameHeader, _ lane: Lane, _ operation: SharedOperation
    ) throws -> SharedOperation.Stripe? {
        try checkOrigin(header, from: lane.peer)
        let terms = operation.terms
        let signature = terms.request.signature
        guard header.sequence == terms.sequence, header.signature == signature else {
            let isSame = header.sequence == terms.sequence
            if !isSame, header.sequence > terms.sequence {
                lane.heldHeader = header
                lane.isExhausted = true
                return nil
            }
            throw Verdict.mismatch(
                sequence: terms.sequence, context.rank, "\(signature)", lane.peer,
                isSame ? "\(header.signature)" : "\(header.signature) as operation \(header.sequence)"
            ).error
        }
        let receives = terms.program.lanes[lane.place].receives
        let number = Int(header.chunk)
        let start = Int(clamping: header.offset)
        let elementSize = signature.dataType.byteCount
        if number < receives.count {
            let transfer = receives[number]
            let byteCount = terms.program.transfers[transfer].byteCount
            let length = Int(header.length)
            if start <= byteCount, length <= byteCount - start, length > 0 || byteCount == 0,
                start % elementSize == 0, length % elementSize == 0
            {
                let stripe = SharedOperation.Stripe(transfer: transfer, start: start, end: start + length)
                if operation.arrives(stripe) { return stripe }
            }
        }
        throw CollectiveError(
            .protocolViolation,
            "rank \(lane.peer) sent \(header.length) bytes from \(header.offset) of transfer \(number), "
                + "which are not among what it has still to send of \(signature)", peer: lane.peer)
    }

    private func take(
        _ wanted: Int, _ stripe: SharedOperation.Stripe, _ lane: Lane, _ terms: SharedOperation.Terms
    ) throws -> Int {
        let transfer = terms.program.transfers[stripe.transfer]
        let destination = terms.writable(transfer.place) + lane.receivePlace
        guard case .reduce(let ownPlace, let isFinal) = transfer.work else {
            return try lane.link.receive(
                into: UnsafeMutableRawBufferPointer(start: destination, count: wanted))
        }
        let own = terms.readable(ownPlace) + lane.receivePlace
        let elementSize = terms.request.signature.dataType.byteCount
        let kernel = (isFinal ? terms.finalKernel : terms.kernel)!
        return try lane.link.receive(atMost: wanted / elementSize * elementSize) { received in
            let count = received.count / elementSize
            if count > 0 { kernel(destination, own, received.baseAddress!, count: count) }
            return count * elementSize
        }
    }

    // MARK: Waiting

    /// How long a rank that misses stripes waits in vain for others, once a link has ended or a peer has gone on to
    /// something else.
    private static let longestGap = Watchdog.stallPeriod * 2

    /// Throws if what is missing will not come.
    func checkStripes(_ operation: SharedOperation, stalledSince: Deadline) throws {
        guard stalledSince.advanced(by: Self.longestGap).hasPassed else { return }
        for lane in lanes where lane.isExhausted {
            if let error = lane.endError { throw error }
            if let header = lane.heldHeader {
                let terms = operation.terms
                throw Verdict.mismatch(
                    sequence: terms.sequence, context.rank, "\(terms.request.signature)", lane.peer,
                    "\(header.signature) as operation \(header.sequence)"
                ).error
            }
        }
    }
}

extension SharedOperation.Terms {
    /// The memory at a place that is only read.
    func readable(_ place: PlanProgram.Place) -> UnsafeRawPointer {
        switch place.buffer {
        case .input: request.input! + place.offset
        case .output: UnsafeRawPointer(request.output!) + place.offset
        case .scratch: UnsafeRawPointer(scratch!) + place.offset
        }
    }

    /// The memory at a place that is written.
    func writable(_ place: PlanProgram.Place) -> UnsafeMutableRawPointer {
        switch place.buffer {
        case .input: preconditionFailure("a plan writes to its input")
        case .output: request.output! + place.offset
        case .scratch: scratch! + place.offset
        }
    }
}
