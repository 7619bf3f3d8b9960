import RingSystem
import RingTransport

extension RDMAConnection {
    /// Sends `first`, then `second`; returns how many bytes were accepted, which the caller may reuse at once.
    ///
    /// What is accepted is copied to registered memory and on its way when the call returns.
    func send(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) throws(RDMAFailure) -> Int {
        try lock.withLock { _ throws(RDMAFailure) in
            try checkSending()
            defer { hasSendNews = false }
            let total = first.count + second.count
            var accepted = 0
            while accepted < total {
                guard let room = try makeRoom() else { break }
                let place = UnsafeMutableRawBufferPointer(
                    rebasing: outgoing[(window.offset + openCount)...].prefix(min(room, total - accepted)))
                copy(first, second, from: accepted, to: place)
                accepted += place.count
                openCount += place.count
            }
            guard openCount > 0 else { return accepted }
            _ = try postOpen(isLast: true)
            return accepted
        }
    }

    /// Takes `byteCount` bytes, which `fill` writes, to send them with what comes next; false if there is no room now.
    func stage(_ byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> Bool {
        lock.withLock { _ in
            guard failure == nil, !isClosed, peerRing != nil else { return false }
            if window.room - openCount < byteCount {
                poll()
                hasSendNews = false
                guard failure == nil, window.room - openCount >= byteCount else { return false }
            }
            fill(
                UnsafeMutableRawBufferPointer(
                    rebasing: outgoing[(window.offset + openCount)...].prefix(byteCount)))
            openCount += byteCount
            return true
        }
    }

    /// Sends what is staged; whether nothing is left.
    func flush() throws(RDMAFailure) -> Bool {
        try lock.withLock { _ throws(RDMAFailure) in
            guard openCount > 0 else { return true }
            try checkSending()
            return try postOpen(isLast: true)
        }
    }

    /// Sends a message of the handshake, into the peer's first receive.
    func sendMessage(_ bytes: [UInt8]) throws(RDMAFailure) {
        try lock.withLock { _ throws(RDMAFailure) in
            try checkSending()
            let place = UnsafeMutableRawBufferPointer(
                rebasing: outgoing[shape.byteCount...].prefix(bytes.count))
            place.copyBytes(from: bytes)
            let (number, isSignaled) = window.post(byteCount: 0, mustSignal: true)
            try post(
                SendRequest(
                    kind: .send, number: number, bytes: UnsafeRawBufferPointer(place), localKey: outgoingKey,
                    isSignaled: isSignaled, isInline: bytes.count <= inlineBytes))
        }
    }

    private func checkSending() throws(RDMAFailure) {
        if isClosed { throw .closed }
        if let failure { throw failure }
    }

    /// How many more bytes the open segment can take, or else the next; nil if none now.
    private func makeRoom() throws(RDMAFailure) -> Int? {
        var room = window.room - openCount
        if room > 0 { return room }
        if openCount > 0 {
            guard try postOpen(isLast: false) else { return nil }
            room = window.room
            if room > 0 { return room }
        }
        poll()
        if let failure { throw failure }
        room = window.room
        return room > 0 ? room : nil
    }

    private func copy(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, from offset: Int,
        to place: UnsafeMutableRawBufferPointer
    ) {
        var filled = 0
        if offset < first.count {
            let piece = first[offset...].prefix(place.count)
            place.copyMemory(from: UnsafeRawBufferPointer(rebasing: piece))
            filled = piece.count
        }
        guard filled < place.count else { return }
        let start = offset + filled - first.count
        UnsafeMutableRawBufferPointer(rebasing: place[filled...]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: second[start...].prefix(place.count - filled)))
    }

    /// Posts the open segment; false if the send queue is full.
    ///
    /// A peer that sleeps is woken by the last segment of several, or by that behind which there is no room.
    func postOpen(isLast: Bool) throws(RDMAFailure) -> Bool {
        guard let peerRing, window.freeEntries > 1 else { return false }
        var credit = 0
        if ring.unreported >= shape.smallCreditThreshold {
            postIdleReceives()
            credit = ring.takeCredit(atMost: ImmediateValue.mostCredit)
        }
        let offset = window.offset
        let bytes = UnsafeRawBufferPointer(rebasing: outgoing[offset...].prefix(openCount))
        let (number, isSignaled) = window.post(byteCount: openCount)
        openCount = 0
        try post(
            SendRequest(
                kind: .writeWithImmediate, number: number, bytes: bytes, localKey: outgoingKey,
                remoteAddress: peerRing.address + UInt64(offset), remoteKey: peerRing.key,
                immediate: ImmediateValue.data(byteCount: bytes.count, credit: credit).rawValue,
                isSignaled: isSignaled, isInline: bytes.count <= inlineBytes,
                isSolicited: isLast || window.room == 0))
        return true
    }

    /// Gives room back in a message of its own, once there is much of it. Under the lock.
    func giveCredit() {
        guard ring.unreported >= shape.creditThreshold, window.freeEntries > 2, !isBroken, !isClosed
        else { return }
        postIdleReceives()
        postEmpty(.credit(ring.takeCredit()), mustSignal: false)
    }

    /// Posts a write of nothing, with an immediate value or, without, unnoticed by the peer. Under the lock.
    func postEmpty(_ immediate: ImmediateValue?, mustSignal: Bool) {
        guard let peerRing, !isBroken else { return }
        let (number, isSignaled) = window.post(byteCount: 0, mustSignal: mustSignal)
        do {
            try post(
                SendRequest(
                    kind: immediate == nil ? .write : .writeWithImmediate, number: number,
                    remoteAddress: peerRing.address, remoteKey: peerRing.key,
                    immediate: immediate?.rawValue ?? 0, isSignaled: isSignaled))
        } catch {
            // It has been taken note of.
        }
    }

    private func post(_ request: SendRequest) throws(RDMAFailure) {
        do {
            try verbs.postSend(pair, request)
        } catch {
            breakDown(.system(error))
            throw .system(error)
        }
    }
}
