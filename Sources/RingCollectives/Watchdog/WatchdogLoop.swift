import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The watchdog's thread: moves messages between the control links and the judge.
final class WatchdogLoop {
    private let rank: Rank
    private let identifier: LinkIdentifier
    private var ends: [ControlEnd]
    /// On rank 0.
    private var judge: FailureJudge?

    init(rank: Rank, worldSize: Int, links: [any Link], identifier: LinkIdentifier) {
        self.rank = rank
        self.identifier = identifier
        ends = links.map { ControlEnd(link: $0, identifier: identifier) }
        judge = rank == 0 ? FailureJudge(worldSize: worldSize) : nil
    }

    /// Runs until the watchdog leaves.
    func run(for watchdog: Watchdog, wakeUp: WakeUp) {
        while true {
            wakeUp.reset()
            let (messages, isLeaving) = watchdog.takeOutgoing()
            for message in messages { report(message, for: watchdog) }
            let now = Deadline.now
            for message in watchdog.dueReports(at: now) { report(message, for: watchdog) }
            for end in ends where end.isOpen { receive(from: end, for: watchdog) }
            if let judge, let due = judge.nextDeadline, due <= now { decide(.tick, for: watchdog) }
            for end in ends where end.isOpen { end.flush() }
            if isLeaving {
                leave()
                return
            }
            sleep(for: watchdog, wakeUp: wakeUp)
        }
    }

    private func sleep(for watchdog: Watchdog, wakeUp: WakeUp) {
        var descriptors = [pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)]
        for end in ends where end.isOpen {
            guard
                let descriptor = end.link.prepareToWait(
                    for: end.isFlushed ? .receiving : [.receiving, .sending])
            else { return }
            descriptors.append(descriptor)
        }
        let now = Deadline.now
        var due = watchdog.nextReport(after: now)
        if let judgement = judge?.nextDeadline { due = min(due, judgement) }
        _ = try? SystemCall.poll(&descriptors, milliseconds: due.remainingMilliseconds())
    }

    /// Brings one of this rank's own reports to the judge.
    private func report(_ message: ControlMessage, for watchdog: Watchdog) {
        if judge != nil {
            decide(.message(message, from: rank), for: watchdog)
        } else {
            ends.first?.enqueue(message)
        }
    }

    private func receive(from end: ControlEnd, for watchdog: Watchdog) {
        do {
            while let message = try end.nextMessage() {
                if judge != nil {
                    if message == .goodbye { end.hasSaidGoodbye = true }
                    decide(.message(message, from: end.link.peer), for: watchdog)
                } else {
                    obey(message, from: end, for: watchdog)
                }
            }
        } catch {
            end.isOpen = false
            if judge != nil {
                decide(.closed(end.link.peer), for: watchdog)
            } else if !end.hasSaidGoodbye {
                watchdog.deliver(
                    Verdict(
                        code: .peerLost,
                        message: "rank 0 ended without closing its communicator, or its host is gone",
                        culprit: 0,
                        isUrgent: false))
            }
        }
    }

    /// A member does what the judge says.
    private func obey(_ message: ControlMessage, from end: ControlEnd, for watchdog: Watchdog) {
        let now = Deadline.now
        watchdog.judgeSpoke(at: now)
        switch message {
        case .probe(let number): end.enqueue(watchdog.answer(probe: number, at: now))
        case .verdict(let verdict): watchdog.deliver(verdict)
        case .goodbye:
            end.hasSaidGoodbye = true
            watchdog.judgeLeft()
        default: break
        }
    }

    private func decide(_ event: FailureJudge.Event, for watchdog: Watchdog) {
        guard let actions = judge?.handle(event, at: .now) else { return }
        for action in actions {
            switch action {
            case .send(.probe(let number), to: rank):
                decide(.message(watchdog.answer(probe: number, at: .now), from: rank), for: watchdog)
            case .send(let message, let peer):
                ends.first { $0.link.peer == peer }?.enqueue(message)
            case .pronounce(let verdict):
                for end in ends { end.enqueue(.verdict(verdict)) }
                for end in ends where end.isOpen { end.flush() }
                watchdog.deliver(verdict)
            }
        }
    }

    private func leave() {
        for end in ends where end.isOpen {
            end.enqueue(.goodbye)
            end.flush()
            end.link.close()
        }
    }
}

/// One control link with what is to be sent on it.
final class ControlEnd {
    let link: any Link
    var isOpen = true
    var hasSaidGoodbye = false
    private let identifier: LinkIdentifier
    private var queue: [[UInt8]] = []
    private var sent = 0
    private var hasBegun = false
    private var incoming: (length: Int, bytes: [UInt8])?

    init(link: any Link, identifier: LinkIdentifier) {
        self.link = link
        self.identifier = identifier
    }

    var isFlushed: Bool { queue.isEmpty }

    func enqueue(_ message: ControlMessage) {
        guard isOpen else { return }
        queue.append(message.bytes)
    }

    /// Sends what can be sent now. A link that ended is noticed when receiving.
    func flush() {
        while let bytes = queue.first {
            if !hasBegun {
                link.beginFrame(header(length: bytes.count))
                (hasBegun, sent) = (true, 0)
            }
            let accepted = bytes.withUnsafeBytes {
                (try? link.send(UnsafeRawBufferPointer(rebasing: $0[sent...]))) ?? 0
            }
            sent += accepted
            guard !link.hasUnsentHeader, sent == bytes.count else { return }
            hasBegun = false
            queue.removeFirst()
        }
    }

    /// The next message that has arrived whole. Throws when the link has ended or the peer sends nonsense.
    func nextMessage() throws -> ControlMessage? {
        if incoming == nil {
            guard let header = try link.receiveHeader(readAhead: 4096) else { return nil }
            guard header.kind == .control, Int(header.length) <= ControlMessage.largestByteCount else {
                throw CollectiveError(
                    .protocolViolation, "rank \(link.peer) sent data on its control link", peer: link.peer)
            }
            incoming = (Int(header.length), [])
        }
        while let (length, bytes) = incoming, bytes.count < length {
            let taken = try link.receive(atMost: length - bytes.count) { part in
                incoming?.bytes += part
                return part.count
            }
            if taken == 0 { return nil }
        }
        defer { incoming = nil }
        guard let bytes = incoming?.bytes, let message = try? ControlMessage(bytes) else {
            throw CollectiveError(
                .protocolViolation, "rank \(link.peer) sent an unknown control message", peer: link.peer)
        }
        return message
    }

    private func header(length: Int) -> FrameHeader {
        FrameHeader(
            kind: .control, communicator: identifier.communicator, epoch: identifier.epoch, sequence: 0,
            signature: OperationSignature(
                collective: .barrier, dataType: .uint8, op: nil, elementCount: 0, root: nil,
                algorithm: AlgorithmCode(name: "none")),
            length: UInt32(length))
    }
}
