import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension RDMAConnection {
    /// What came of lending.
    enum Loan {
        /// So many bytes were lent, and so many of them used up.
        case lent(Int, used: Int)
        /// Nothing has come that the borrower has not seen.
        case nothing
        /// The rest of a segment has been seen, and what follows it has come: to be lent as one, they must be joined.
        case mustJoin
    }

    /// Takes at most `destination.count` bytes from the front; how many, 0 if none have come, and how many of them were
    /// copied. What is on offer is fetched, and where it can be straight to its place.
    func read(
        into destination: UnsafeMutableRawBufferPointer
    ) throws(RDMAFailure) -> (taken: Int, copied: Int) {
        try lock.withLock { _ throws(RDMAFailure) in
            if ring.isEmpty || !reads.isEmpty { poll() }
            return try readLocked(into: destination)
        }
    }

    /// As ``read(into:)``, under the lock and after a look for completions.
    private func readLocked(
        into destination: UnsafeMutableRawBufferPointer
    ) throws(RDMAFailure) -> (taken: Int, copied: Int) {
        hasReceiveNews = false
        var (taken, copied) = (0, 0)
        while taken < destination.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: destination[taken...])
            let front = ring.front
            if !front.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: incoming[front].prefix(rest.count))
                rest.copyMemory(from: piece)
                ring.take(piece.count)
                taken += piece.count
                copied += piece.count
            } else if ring.offered > 0 {
                fetch(to: rest)
                let delivered = deliverFetched(to: rest)
                if delivered.taken == 0 { break }
                taken += delivered.taken
                copied += delivered.copied
            } else {
                break
            }
            // Whoever fills the ring meanwhile needs the room.
            giveCredit()
            // What comes meanwhile may be the next piece.
            if ring.isEmpty, taken < destination.count { poll() }
        }
        if taken == 0, !destination.isEmpty, ring.isEmpty || isBroken, let failure { throw failure }
        return (taken, copied)
    }

    /// Takes the first `header.count` bytes and, if it is short and all there, what follows them and belongs to them: as many
    /// bytes as `length` says of the first. How many bytes of both were taken; fewer than a header if it has not come whole.
    func readFrame(
        into header: UnsafeMutableRawBufferPointer, and payload: UnsafeMutableRawBufferPointer,
        length: (UnsafeRawPointer) -> Int
    ) throws(RDMAFailure) -> (header: Int, payload: Int) {
        try lock.withLock { _ throws(RDMAFailure) in
            if ring.isEmpty || !reads.isEmpty { poll() }
            // So it is as long as nothing comes, which is asked often.
            if ring.isEmpty, failure == nil {
                hasReceiveNews = false
                return (0, 0)
            }
            let front = ring.front
            guard front.count >= header.count, let start = incoming.baseAddress.map({ $0 + front.lowerBound })
            else { return (try readLocked(into: header).taken, 0) }
            hasReceiveNews = false
            header.baseAddress!.copyMemory(from: start, byteCount: header.count)
            // Of the copy: the peer may write to the ring whenever it likes.
            let count = length(header.baseAddress!)
            let isWhole = count <= payload.count && header.count + count <= front.count
            if isWhole { payload.baseAddress!.copyMemory(from: start + header.count, byteCount: count) }
            ring.take(header.count + (isWhole ? count : 0))
            giveCredit()
            return (header.count, isWhole ? count : 0)
        }
    }

    /// What has come of a frame that is taken whole or not at all.
    enum WholeFrame {
        case nothing, whole
        /// Another frame, or one that has not come whole, or in several segments; or the connection's end. To be read bit
        /// by bit, which meets the error if there is one.
        case other
    }

    /// Takes the next frame, if it has the expected header and its payload, as long as `destination`, is behind that.
    @inline(__always)
    func readFrame(
        _ expected: RepeatedHeader, into destination: UnsafeMutableRawBufferPointer
    ) throws(RDMAFailure) -> WholeFrame {
        try lock.withLock { _ throws(RDMAFailure) in
            if ring.isEmpty || !reads.isEmpty { poll() }
            if ring.isEmpty, failure == nil {
                hasReceiveNews = false
                return .nothing
            }
            let front = ring.front
            let byteCount = expected.byteCount + destination.count
            // The peer may write to the ring whenever it likes: each byte is looked at once.
            guard front.count >= byteCount, let start = incoming.baseAddress.map({ $0 + front.lowerBound }),
                expected.isEqual(to: start)
            else { return .other }
            hasReceiveNews = false
            destination.baseAddress?.copyMemory(
                from: start + expected.byteCount, byteCount: destination.count)
            ring.take(byteCount)
            giveCredit()
            return .whole
        }
    }

    /// Lends the front, at most `limit` bytes, if there are more than the `seen` that the borrower has left there.
    func lend(
        atMost limit: Int, seen: Int, _ body: (UnsafeRawBufferPointer) -> Int
    ) throws(RDMAFailure) -> Loan {
        try lock.withLock { _ throws(RDMAFailure) in
            if ring.front.count <= seen, !ring.hasSecond || !reads.isEmpty { poll() }
            hasReceiveNews = false
            fetch(to: nil)
            let isOffered = ring.offered > 0
            let front =
                isOffered
                ? fetchedBytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
                : UnsafeRawBufferPointer(rebasing: incoming[ring.front])
            if front.count <= seen, front.isEmpty || front.count < limit {
                let hasMore = ring.hasSecond || ring.offered > front.count
                if !front.isEmpty, hasMore { return .mustJoin }
                if let failure, !isOffered || isBroken { throw failure }
                return .nothing
            }
            let lent = UnsafeRawBufferPointer(rebasing: front.prefix(limit))
            let used = body(lent)
            if isOffered { takeFetched(used) } else { ring.take(used) }
            giveCredit()
            return .lent(lent.count, used: used)
        }
    }

    /// Arms the channel and looks once more; what to poll, or nil if there is something new.
    func prepareToWait(for interest: LinkInterest) -> pollfd? {
        lock.withLock { _ -> pollfd? in
            if isBroken || isClosed { return nil }
            do throws(SystemError) {
                if isArmed, try verbs.takeCompletionEvent(channel) { isArmed = false }
                // Room may come with the completion of a send, which the peer knows nothing of, and so it is with reads.
                let needsAll =
                    interest.contains(.sending) || interest.contains(.settling) || !reads.isEmpty
                    || isReadBlocked
                if !isArmed || (needsAll && !isArmedForAll) {
                    try verbs.requestNotification(completions, solicitedOnly: !needsAll)
                    (isArmed, isArmedForAll) = (true, needsAll)
                }
            } catch {
                breakDown(.system(error))
                return nil
            }
            // What came before the channel was armed it does not tell of.
            poll()
            giveCredit()
            if failure != nil { return nil }
            if interest.contains(.receiving), hasReceiveNews { return nil }
            if interest.contains(.sending) || isReadBlocked, hasSendNews { return nil }
            if interest.contains(.settling), lent.canSettle(window) { return nil }
            return pollfd(
                fd: verbs.descriptor(ofCompletionChannel: channel), events: Int16(POLLIN), revents: 0)
        }
    }
}
