import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension RDMAConnection {
    /// Ends the connection from this side: nothing more is sent. Whether it is over; else ``advanceEnding()`` follows.
    ///
    /// The peer is told behind the last byte, and the queue pair is left in use until it has all of them.
    func end() -> Bool {
        lock.withLock { _ in
            guard !isClosed else { return isFinished }
            if failure == nil, peerRing != nil {
                _ = openCount > 0 ? try? postOpen(isLast: true) : nil
                giveCredit()
                postEmpty(.end, mustSignal: true)
            }
            isClosed = true
            failure = failure ?? .closed
            return finishIfIdle()
        }
    }

    /// Goes on with the end; whether it is over.
    func advanceEnding() -> Bool {
        lock.withLock { _ in isFinished || finishIfIdle() }
    }

    /// Ends the connection whatever is still under way.
    func abandon() {
        lock.withLock { _ in
            isClosed = true
            failure = failure ?? .closed
            finish()
        }
    }

    /// The connection manager says that the peer has gone.
    func peerDisconnected() {
        lock.withLock { _ in
            guard !isFinished else { return }
            // What has come is in the completion queue already; behind it come the receives that are flushed now.
            takeOutOfUse()
            // The answer, for which the peer's side waits.
            try? verbs.disconnect(identifier)
        }
    }

    /// The device has gone.
    func deviceRemoved() {
        lock.withLock { _ in
            breakDown(.deviceRemoved)
            takeOutOfUse()
        }
    }

    /// Writes nothing, so that a peer that has died without a word is noticed; not while something is under way anyway.
    func probe() {
        lock.withLock { _ in
            guard failure == nil, !isClosed else { return }
            poll()
            if window.isIdle, failure == nil { postEmpty(nil, mustSignal: true) }
        }
    }

    /// Whether the devices use memory that is not this end's own: they read what was lent, or write what is fetched.
    private var usesOthersMemory: Bool {
        !lent.isEmpty || reads.contains { !$0.isLanding && !$0.isDone }
    }

    /// Ends all use of others' memory, by the end of the connection if there is any, and waits for the device to say so.
    func relinquish(by deadline: Deadline) {
        var (isOutOfUse, isInUse) = (false, lock.withLock { _ in usesOthersMemory })
        while isInUse, !deadline.hasPassed {
            isInUse = lock.withLock { _ in
                if !isOutOfUse {
                    breakDown(.closed)
                    // From when this has returned on the peer reads nothing here, and what is posted is flushed.
                    isOutOfUse = takeOutOfUse()
                    if isOutOfUse { postMarker() }
                }
                poll()
                return !isOutOfUse || !window.isIdle
            }
            if isInUse { usleep(50) }
        }
    }

    /// Posts what is flushed last: requests that have been carried out unsignaled say nothing for themselves.
    private func postMarker() {
        guard window.freeEntries > 0 else { return }
        let (number, isSignaled) = window.post(byteCount: 0, mustSignal: true)
        // If it cannot be posted, the wait for it ends by its deadline.
        try? verbs.postSend(pair, SendRequest(kind: .write, number: number, isSignaled: isSignaled))
    }

    private func finishIfIdle() -> Bool {
        if !window.isIdle, !isBroken { poll() }
        guard window.isIdle || isBroken else { return false }
        finish()
        return true
    }

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        takeOutOfUse()
        // A peer that has gone already need not be told.
        try? verbs.disconnect(identifier)
    }

    @discardableResult
    private func takeOutOfUse() -> Bool {
        do {
            try verbs.fail(pair)
            return true
        } catch {
            breakDown(.system(error))
            return false
        }
    }
}
