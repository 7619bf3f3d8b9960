import RingSystem
import RingTransport

// What is sent from callers' registered memory.
extension RDMAConnection {
    /// The region that the memory lies in.
    func region(of memory: UnsafeRawBufferPointer) -> RegisteredRegions.Region? {
        lock.withLock { _ in finder.region(of: memory) }
    }

    /// Sends `first`, which is copied, and then `payload`, which is used where it is, as far as there is room; how many
    /// bytes of both were accepted.
    func send(
        _ first: UnsafeRawBufferPointer, lending payload: UnsafeRawBufferPointer, fetched: Bool
    ) throws(RDMAFailure) -> Int {
        try lock.withLock { _ throws(RDMAFailure) in
            try checkSending()
            defer { hasSendNews = false }
            guard let region = finder.region(of: payload) else {
                preconditionFailure("memory is lent that is not registered")
            }
            var accepted = try open(first)
            if accepted == first.count, !payload.isEmpty {
                accepted +=
                    fetched && servesReads
                    ? try offer(payload, region) : try write(payload, region)
            }
            if openCount > 0 { _ = try postOpen(isLast: true) }
            return accepted
        }
    }

    /// Offers the payload, behind what is open; how many bytes of it.
    private func offer(
        _ payload: UnsafeRawBufferPointer, _ region: RegisteredRegions.Region
    ) throws(RDMAFailure) -> Int {
        guard lent.offerCount < LentSegments.mostOffers else { return 0 }
        if window.room - openCount < Offer.encodedByteCount {
            if openCount > 0 { guard try postOpen(isLast: false) else { return 0 } }
            poll()
            guard window.room >= Offer.encodedByteCount else { return 0 }
        }
        let offer = Offer(
            address: UInt64(UInt(bitPattern: payload.baseAddress)), key: region.remoteKey,
            byteCount: min(payload.count, Offer.mostBytes))
        offer.encode(
            to: UnsafeMutableRawBufferPointer(
                rebasing: outgoing[(window.offset + openCount)...].prefix(Offer.encodedByteCount)))
        openCount += Offer.encodedByteCount
        guard try postOpen(isLast: true, hasOffer: true) else {
            openCount -= Offer.encodedByteCount
            return 0
        }
        lent.append(byteCount: offer.byteCount, end: window.taken, isOffer: true)
        return offer.byteCount
    }

    /// Writes the payload to the peer's ring, behind what is open; how many bytes of it.
    private func write(
        _ payload: UnsafeRawBufferPointer, _ region: RegisteredRegions.Region
    ) throws(RDMAFailure) -> Int {
        if openCount > 0 { guard try postOpen(isLast: false) else { return 0 } }
        var accepted = 0
        while accepted < payload.count {
            if window.room == 0 {
                poll()
                if let failure { throw failure }
                guard window.room > 0 else { break }
            }
            let piece = UnsafeRawBufferPointer(
                rebasing: payload[accepted...].prefix(min(window.room, payload.count - accepted)))
            try postSegment(
                piece, localKey: region.localKey, isLast: accepted + piece.count == payload.count,
                isLent: true)
            lent.append(byteCount: piece.count, end: window.taken, isOffer: false)
            accepted += piece.count
        }
        return accepted
    }

    /// How many more lent bytes have been settled since the last call.
    func takeSettled() throws(RDMAFailure) -> Int {
        try lock.withLock { _ throws(RDMAFailure) in
            guard !lent.isEmpty else { return 0 }
            if !lent.canSettle(window) { poll() }
            let byteCount = lent.settle(window)
            // After the peer's last word nothing is given back any more.
            if byteCount == 0, let failure, isBroken || lent.waitsForPeer { throw failure }
            return byteCount
        }
    }
}
