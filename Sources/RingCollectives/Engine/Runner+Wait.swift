import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Runner {
    /// Drives what is in hand until `isDone` says so, which is asked after each round.
    ///
    /// Throws the error of the link that failed, a disagreement with a peer, the verdict of the watchdog, or
    /// ``OperationExpired``. The links are of no use afterwards.
    ///
    /// `nudge` wakes the thread from its sleep, to ask `isDone` again. `idleSince` says since when nothing has moved, if it
    /// has been tried before.
    func drive(nudge: WakeUp?, idleSince: Deadline? = nil, until isDone: () throws -> Bool) throws {
        var idleSince = idleSince
        var (rounds, idleRounds) = (0, 0)
        while try !isDone() {
            if try pump() {
                if let since = idleSince {
                    patience.waited(Deadline.now.nanoseconds - since.nanoseconds)
                    idleSince = nil
                }
                rounds &+= 1
                // The watchdog counts in seconds: a clock that is read every few rounds costs nothing.
                if rounds & 15 == 0 {
                    announceFirst()
                    context.watchdog?.progressed(at: .now)
                    try context.checkUrgent()
                }
                continue
            }
            // What never waits is over before anybody asks for it.
            if !isAnnounced { announceFirst() }
            idleRounds &+= 1
            // Most waits are over before it matters how long they were.
            if !options.yields, idleRounds & 3 != 0 { continue }
            let now = Deadline.now
            let since = idleSince ?? now
            idleSince = since
            if now.nanoseconds - since.nanoseconds < patience.spinNanoseconds {
                if options.yields { sched_yield() }
                continue
            }
            patience.gaveUp()
            context.watchdog?.progressed(at: since)
            try sleep(since: since, nudge: nudge)
        }
    }

    /// Sleeps until a link, the watchdog or the engine has something new.
    private func sleep(since lastProgress: Deadline, nudge: WakeUp?) throws {
        descriptors.removeAll(keepingCapacity: true)
        // Once there is a verdict the event stays set, and what is left is watched in short sleeps.
        if !context.hasVerdict {
            descriptors.append(pollfd(fd: context.wakeUp.descriptor, events: Int16(POLLIN), revents: 0))
        }
        if let nudge { descriptors.append(pollfd(fd: nudge.descriptor, events: Int16(POLLIN), revents: 0)) }
        let deadline = firstDeadline
        if let shared {
            try checkStripes(shared, stalledSince: lastProgress)
            guard shared.fallsAsleep(channel, since: seenVersion) else { return }
        }
        defer { shared?.wakesUp(channel) }
        var waitingFor: Rank?
        if let lane = unlinked.first { waitingFor = lane.peer }
        for lane in lanes where lane.link != nil {
            var interest = LinkInterest(rawValue: 0)
            if lane.isSendBlocked { interest.insert(.sending) }
            if lane.isReceiveBlocked { interest.insert(.receiving) }
            if lane.hasLent { interest.insert(.settling) }
            if interest.isEmpty { continue }
            if waitingFor == nil || lane.isReceiveBlocked { waitingFor = lane.peer }
            guard let descriptor = lane.link.prepareToWait(for: interest) else {
                return try context.check(
                    stalledSince: lastProgress, deadline: deadline, waitingFor: waitingFor)
            }
            descriptors.append(descriptor)
        }
        try context.check(stalledSince: lastProgress, deadline: deadline, waitingFor: waitingFor)
        watchdog?.waits(for: waitingFor, received: receivedSoFar)
        // Nothing wakes whoever waits for a peer to connect.
        let longest: Int32 =
            !unlinked.isEmpty ? 1 : context.hasVerdict || stray != nil || isShort ? 50 : 60_000
        let milliseconds = deadline.remainingMilliseconds(atMost: longest)
        try SystemCall.poll(&descriptors, milliseconds: max(1, milliseconds))
        nudge?.reset()
    }

    /// Whether a link has less to give than was expected of it.
    private var isShort: Bool {
        shared != nil && lanes.contains(where: \.isExhausted)
    }

    /// The deadline of the first operation in hand.
    var firstDeadline: Deadline {
        if let shared { return shared.terms.deadline }
        return isIdle ? .after(.seconds(60)) : active[firstActive].deadline
    }

    /// How much of the first operation in hand has been received: grows with every byte and every transfer; the largest
    /// number once nothing is missing. For the watchdog, before the thread sleeps.
    private var receivedSoFar: UInt64 {
        if let shared { return shared.received }
        guard !isIdle else { return .max }
        let operation = active[firstActive]
        var received: UInt64 = 0
        var isEverything = true
        for lane in operation.program.lanes {
            for transfer in lane.receives {
                let index = operation.firstTransfer + transfer
                received += UInt64(done[index]) + (isComplete[index] ? 1 : 0)
                if !isComplete[index] { isEverything = false }
            }
        }
        return isEverything ? .max : received
    }
}
