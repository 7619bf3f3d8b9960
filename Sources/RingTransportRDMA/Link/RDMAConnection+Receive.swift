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

    /// Copies at most `destination.count` bytes from the front; how many, 0 if none have come.
    func read(into destination: UnsafeMutableRawBufferPointer) throws(RDMAFailure) -> Int {
        try lock.withLock { _ throws(RDMAFailure) in
            if ring.isEmpty { poll() }
            hasReceiveNews = false
            var taken = 0
            while taken < destination.count {
                let front = ring.front
                if front.isEmpty { break }
                let piece = UnsafeRawBufferPointer(
                    rebasing: incoming[front].prefix(destination.count - taken))
                UnsafeMutableRawBufferPointer(rebasing: destination[taken...]).copyMemory(from: piece)
                ring.take(piece.count)
                taken += piece.count
                // What comes meanwhile may be the next piece.
                if ring.isEmpty, taken < destination.count { poll() }
            }
            if taken > 0 {
                giveCredit()
            } else if !destination.isEmpty, ring.isEmpty, let failure {
                throw failure
            }
            return taken
        }
    }

    /// Lends the front, at most `limit` bytes, if there are more than the `seen` that the borrower has left there.
    func lend(
        atMost limit: Int, seen: Int, _ body: (UnsafeRawBufferPointer) -> Int
    ) throws(RDMAFailure) -> Loan {
        try lock.withLock { _ throws(RDMAFailure) in
            if ring.front.count <= seen, !ring.hasSecond { poll() }
            hasReceiveNews = false
            let front = ring.front
            if front.count <= seen, front.isEmpty || front.count < limit {
                if ring.hasSecond { return .mustJoin }
                if let failure { throw failure }
                return .nothing
            }
            let lent = UnsafeRawBufferPointer(rebasing: incoming[front].prefix(limit))
            let used = body(lent)
            ring.take(used)
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
                // Room may come with the completion of a send, which the peer knows nothing of.
                let needsAll = interest.contains(.sending)
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
            if interest.contains(.sending), hasSendNews { return nil }
            return pollfd(
                fd: verbs.descriptor(ofCompletionChannel: channel), events: Int16(POLLIN), revents: 0)
        }
    }
}
