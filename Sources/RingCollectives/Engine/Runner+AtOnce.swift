import RingCore
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// Small messages of a call that was made before, on a runner that has nothing else to do. What a link takes whole, and what
// comes whole before the thread would sleep, is never taken in hand, which costs more than to send it.
extension Runner {
    /// What has become of a call's messages.
    struct AtOnce {
        /// Those that have been sent or received, a bit each.
        var done: UInt32 = 0
        /// Since when the next one is waited for.
        var idleSince: Deadline?
        /// Whether nothing is left to do.
        var isAll = false
    }

    /// Sends and receives messages as long as that goes without sleeping; the rest is to be taken in hand, see
    /// ``skip(_:of:)``. The sends are first: what a peer waits for must not wait for what the peer sends. It takes a
    /// millisecond a message at most, which no deadline is told from.
    @inline(__always)
    func tryAtOnce(
        _ call: RecentCall, _ group: UnsafeBufferPointer<CollectiveOperation>
    ) throws -> AtOnce {
        var state = AtOnce()
        var areAllOut = true
        for index in call.messages.indices where call.messages[index].isSend {
            let message = call.messages[index]
            guard try send(message, group[index].input, on: message.lane) else { return state }
            state.done |= 1 << index
            if message.lane.hasStaged { areAllOut = false }
        }
        // The answer to what has not left does not come.
        guard areAllOut else { return state }
        for index in call.messages.indices where !call.messages[index].isSend {
            if state.idleSince != nil { endWait(&state.idleSince, at: .now) }
            let message = call.messages[index]
            guard try receive(message, group[index].output, &state.idleSince) else { return state }
            state.done |= 1 << index
        }
        state.isAll = true
        return state
    }

    /// What was waited for, if anything was, has come.
    func endWait(_ idleSince: inout Deadline?, at now: Deadline) {
        guard let since = idleSince else { return }
        patience.waited(now.nanoseconds - since.nanoseconds)
        idleSince = nil
    }

    /// For how long a message is waited for at most before the watchdog hears of it.
    private static let mostNanoseconds: UInt64 = 1_000_000

    /// Sends a message; false if the link does not take it now, or if another one is under way.
    @inline(__always)
    private func send(
        _ message: RecentCall.Message, _ bytes: UnsafeRawBufferPointer?, on lane: Lane
    ) throws -> Bool {
        guard let bytes, lane.sendFrameEnd < 0, !lane.hasStaged else { return false }
        message.header.number(UInt64(lane.sentMessages))
        guard let isOut = try message.link.sendAtOnce(message.header, bytes) else { return false }
        lane.sentMessages &+= 1
        lane.hasStaged = !isOut
        return true
    }

    /// Receives a message; false if it has not come whole before the thread would sleep, or if another one has come.
    @inline(__always)
    private func receive(
        _ message: RecentCall.Message, _ destination: UnsafeMutableRawBufferPointer,
        _ idleSince: inout Deadline?
    ) throws -> Bool {
        let lane = message.lane
        guard mailbox.isEmpty, lane.incoming == nil else { return false }
        message.header.number(UInt64(lane.receivedMessages))
        var rounds = 0
        while true {
            switch try message.link.receiveAtOnce(
                message.header, into: destination, readAhead: Self.messageReadAhead)
            {
            case .whole:
                lane.receivedMessages &+= 1
                return true
            case .begun(let header, let taken):
                lane.incoming = try incoming(header, from: lane.peer, number: lane.receivedMessages)
                lane.receiveFrameEnd = Int(header.length)
                lane.arrived = taken
                return false
            case .nothing: break
            }
            rounds &+= 1
            // As in ``drive(nudge:idleSince:until:)``.
            if !options.yields, rounds & 3 != 0 { continue }
            let now = Deadline.now
            let since = idleSince ?? now
            idleSince = since
            guard now.nanoseconds - since.nanoseconds < min(patience.spinNanoseconds, Self.mostNanoseconds)
            else { return false }
            if options.yields { sched_yield() }
        }
    }

    /// Counts messages of a call that has been taken up, and has begun, as done.
    func skip(_ done: UInt32, of call: RecentCall) {
        for index in call.messages.indices where done & 1 << index != 0 {
            let lane = call.messages[index].lane
            let byteCount = active[index].program.transfers[0].byteCount
            let item = Lane.Item(operation: index, transfer: 0)
            self.done[active[index].firstTransfer] = byteCount
            finish(item)
            if call.messages[index].isSend {
                sent(byteCount, item)
                lane.sendHead += 1
            } else {
                passCompleted(lane)
            }
        }
    }
}
