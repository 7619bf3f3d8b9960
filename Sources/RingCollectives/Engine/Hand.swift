import RingCore
import RingTransport

/// What a runner has in hand for a call, to be put aside and taken up again: neither copies nor allocates anything.
struct Hand {
    var active: [ActiveOperation] = []
    var done: [Int] = []
    var isComplete: [Bool] = []
    var lanes: [Lane] = []
    /// Of each lane.
    var transfers: [(sends: [Lane.Item], receives: [Lane.Item])] = []
    var scratchUsed = 0
}

extension Runner {
    /// Keeps what was in hand for a call that has just ended, so that it can be taken up again, if that would do.
    func keepHand(for call: RecentCall) {
        // Once: a call that has been put aside still has its lists, and others may be looking at its messages.
        guard !call.hasHand, loaded == nil, isIdle, unlinked.isEmpty, active.allSatisfy(\.canBeRepeated)
        else { return }
        call.hand.transfers = lanes.map { _ in ([], []) }
        if active.allSatisfy(\.isMessage) {
            call.messages = active.map { operation in
                RecentCall.Message(
                    lane: lanes.first { $0.peer == operation.request.message!.peer }!,
                    isSend: operation.request.message!.direction == .send,
                    header: header(ofMessage: operation.request), algorithm: operation.request.algorithm)
            }
        }
        call.hasHand = true
        loaded = call
    }

    /// The first header of a message that has one frame.
    private func header(ofMessage request: OperationRequest) -> FrameHeader {
        FrameHeader(
            kind: .data, communicator: identifier.communicator, epoch: identifier.epoch, sequence: 0,
            signature: request.signature, length: UInt32(request.byteCount))
    }

    /// Takes up what was in hand for a call, while nothing is in hand. Its memory is to be said next.
    func takeUp(_ call: RecentCall) {
        if loaded !== call {
            // What was before has nothing left in its lists.
            if loaded == nil { clear() } else { putAside() }
            exchange(with: call)
            loaded = call
            for lane in lanes { lane.isListed = true }
            scratch.reserve(scratchUsed)
        }
    }

    /// Says where the memory of one of the operations is that have been taken up.
    @inline(__always)
    func place(_ index: Int, _ operation: CollectiveOperation) {
        active[index].request.input = operation.input?.baseAddress
        active[index].request.output = operation.output.baseAddress
    }

    /// Begins with what has been taken up; ``receiveFromMailbox()`` is next.
    func beginAgain(_ call: RecentCall, sequence: UInt64, at now: Deadline) {
        var sequence = sequence
        for index in active.indices {
            active[index].restart(
                sequence: sequence, at: now, deadline: now.advanced(byNanoseconds: call.timeouts[index]))
            if !active[index].isMessage { sequence += 1 }
        }
        undo()
    }

    /// Gives what has been taken up the messages that have come already.
    func receiveFromMailbox() throws {
        guard !mailbox.isEmpty else { return }
        for lane in lanes where lane.carriesMessages {
            for item in lane.receives { try receiveFromMailbox(item, on: lane) }
        }
    }

    /// Puts aside what was in hand for a call.
    func putAside() {
        guard let call = loaded else { return }
        for lane in lanes {
            lane.rewind()
            lane.isListed = false
        }
        exchange(with: call)
        loaded = nil
    }

    private func exchange(with call: RecentCall) {
        let hadLanes = !lanes.isEmpty
        if hadLanes { exchangeTransfers(with: call) }
        swap(&active, &call.hand.active)
        swap(&done, &call.hand.done)
        swap(&isComplete, &call.hand.isComplete)
        swap(&lanes, &call.hand.lanes)
        swap(&scratchUsed, &call.hand.scratchUsed)
        firstActive = active.count
        if !hadLanes { exchangeTransfers(with: call) }
    }

    private func exchangeTransfers(with call: RecentCall) {
        for index in lanes.indices {
            swap(&lanes[index].sends, &call.hand.transfers[index].sends)
            swap(&lanes[index].receives, &call.hand.transfers[index].receives)
        }
    }
}

extension ActiveOperation {
    /// Whether it is the same again on other memory: small, and nothing that its memory decides.
    fileprivate var canBeRepeated: Bool {
        encoder == nil && !request.mayLend && request.byteCount < Engine.fewestRegisteredBytes
    }
}
