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
            let accepted = try open(first, second)
            guard openCount > 0 else { return accepted }
            _ = try postOpen(isLast: true)
            return accepted
        }
    }

    /// Copies bytes to segments, of which the last is left open; how many. Under the lock.
    func open(
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) throws(RDMAFailure) -> Int {
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
        return accepted
    }

    /// Takes `byteCount` bytes, which `fill` writes, to send them with what comes next; false if there is no room now.
    func stage(_ byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> Bool {
        lock.withLock { _ in stageLocked(byteCount, fill) }
    }

    /// As ``stage(_:_:)``, and sends them; nil if there is no room now, else as ``flush()``.
    func send(
        _ byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void
    ) throws(RDMAFailure) -> Bool? {
        try lock.withLock { _ throws(RDMAFailure) in
            stageLocked(byteCount, fill) ? try postOpen(isLast: true) : nil
        }
    }

    @inline(__always)
    private func stageLocked(_ byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> Bool {
        guard failure == nil, !isClosed, peerRing != nil else { return false }
        if window.room - openCount < byteCount {
            poll()
            hasSendNews = false
            guard failure == nil, window.room - openCount >= byteCount else { return false }
        }
        fill(outgoing.baseAddress! + (window.offset + openCount))
        openCount += byteCount
        return true
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

    func checkSending() throws(RDMAFailure) {
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
    @inline(__always)
    func postOpen(isLast: Bool, hasOffer: Bool = false) throws(RDMAFailure) -> Bool {
        guard peerRing != nil, window.freeEntries > 1 else { return false }
        let bytes = UnsafeRawBufferPointer(start: outgoing.baseAddress! + window.offset, count: openCount)
        openCount = 0
        try postSegment(bytes, localKey: outgoingKey, isLast: isLast, hasOffer: hasOffer)
        return true
    }

    /// Posts a segment. Lent ones complete by themselves, since somebody waits for it. Under the lock.
    @inline(__always)
    func postSegment(
        _ bytes: UnsafeRawBufferPointer, localKey: UInt32, isLast: Bool, hasOffer: Bool = false,
        isLent: Bool = false
    ) throws(RDMAFailure) {
        guard let peerRing else { throw .closed }
        var credit = 0
        if owesCredit || ring.unreported >= shape.smallCreditThreshold {
            postIdleReceives()
            credit = ring.takeCredit(atMost: ImmediateValue.mostCredit)
            owesCredit = owesCredit && ring.unreported > 0
        }
        let offset = window.offset
        let (number, isSignaled) = window.post(byteCount: bytes.count, mustSignal: isLent)
        try post(
            SendRequest(
                kind: .writeWithImmediate, number: number, bytes: bytes, localKey: localKey,
                remoteAddress: peerRing.address + UInt64(offset), remoteKey: peerRing.key,
                immediate: ImmediateValue.data(byteCount: bytes.count, credit: credit, hasOffer: hasOffer)
                    .rawValue,
                isSignaled: isSignaled, isInline: !isLent && bytes.count <= inlineBytes,
                isSolicited: isLast || window.room == 0))
    }

    /// Gives room back in a message of its own, once there is much of it, or if it is waited for. Under the lock.
    @inline(__always)
    func giveCredit() {
        if owesCredit || ring.unreported >= shape.creditThreshold { postCredit() }
    }

    private func postCredit() {
        guard !isBroken, !isClosed else { return }
        if owesCredit, window.freeEntries <= 2 { poll() }
        guard window.freeEntries > 2, !isBroken else { return }
        postIdleReceives()
        postEmpty(.credit(ring.takeCredit()), mustSignal: false)
        owesCredit = false
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

    @inline(__always)
    private func post(_ request: SendRequest) throws(RDMAFailure) {
        do {
            try verbs.postSend(pair, request)
        } catch {
            breakDown(.system(error))
            throw .system(error)
        }
    }
}
