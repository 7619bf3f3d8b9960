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

    private func takeOutOfUse() {
        do {
            try verbs.fail(pair)
        } catch { breakDown(.system(error)) }
    }
}
