import RingSystem
import RingTransport

/// One reliable connection: bytes in order both ways, through a ring of registered memory at each receiver.
///
/// A sender writes a segment straight to the peer's ring, in one RDMA write whose immediate value says how long it is, and
/// never more than the peer has room for. The peer takes the bytes where they are and gives the room back, along with
/// data of its own or in a message. So nothing precedes a segment, and no receiver is ever overrun.
///
/// What is sent from registered memory is not copied: it is written to the peer's ring from where it is, or offered to the
/// peer, which fetches it to where it belongs.
///
/// One thread at a time sends and receives; closing, and what the events bring about, may come from others. The parts live
/// until the last reference goes.
///
/// The lock excludes what the language would check for at run time, which took a small message a tenth of its instructions.
final class RDMAConnection: @unchecked Sendable {
    /// Guards everything that changes. The state is of no interest, but the thread sanitizer takes one of no size for the
    /// object itself.
    let lock = Monitor(false)
    let verbs: any Verbs
    /// What this connection's events carry.
    let context: UInt64
    let shape: RingShape

    let identifier: VerbsHandle
    let channel: VerbsHandle
    let completions: VerbsHandle
    let pair: VerbsHandle
    let queueNumber: UInt32
    let inlineBytes: Int
    let outgoing: UnsafeMutableRawBufferPointer
    let outgoingKey: UInt32
    let incoming: UnsafeMutableRawBufferPointer
    /// Where this end's ring is, for the peer.
    let grant: RingGrant
    private let incomingKey: UInt32
    let domain: VerbsHandle
    private var parts: ConnectionParts?

    /// Where the peer's ring is, once it has said so.
    @exclusivity(unchecked) var peerRing: RingGrant?
    @exclusivity(unchecked) var window: SendWindow
    @exclusivity(unchecked) var ring: ReceiveRing
    /// How many bytes of the next segment are in place and not posted.
    @exclusivity(unchecked) var openCount = 0
    /// What is sent from callers' memory.
    @exclusivity(unchecked) var lent = LentSegments()
    @exclusivity(unchecked) var finder: RegionFinder
    /// What is fetched of the peer's offers, in order; how much at once, and where to if not straight to its place.
    @exclusivity(unchecked) var reads: [OfferedRead] = []
    @exclusivity(unchecked) var readDepth = 0
    @exclusivity(unchecked) var landing: LandingPlace?
    @exclusivity(unchecked) var landingKey: UInt32 = 0
    /// Whether the peer may fetch what it is offered.
    @exclusivity(unchecked) var servesReads = false
    /// Whether room must be given back at once, for an offer that has been taken.
    @exclusivity(unchecked) var owesCredit = false
    /// Whether a read could not be posted for want of entries.
    @exclusivity(unchecked) var isReadBlocked = false
    /// Receives that have been used up and are not posted again.
    @exclusivity(unchecked) var idleReceives = 0
    /// How long the handshake's message is, once it has come.
    @exclusivity(unchecked) private(set) var messageLength: Int?

    /// Why the connection fails, once what came before has been taken.
    @exclusivity(unchecked) var failure: RDMAFailure?
    /// Whether requests end in error.
    @exclusivity(unchecked) var isBroken = false
    @exclusivity(unchecked) var isClosed = false
    /// Whether the queue pair has been taken out of use.
    @exclusivity(unchecked) var isFinished = false
    /// Whether the channel will tell, or has told, of the next completion; and whether of any, or only of what the peer
    /// wants known.
    @exclusivity(unchecked) var isArmed = false
    @exclusivity(unchecked) var isArmedForAll = false
    /// Whether something has come that nobody who receives, or sends, has looked at.
    @exclusivity(unchecked) var hasReceiveNews = false
    @exclusivity(unchecked) var hasSendNews = false
    private let batch = UnsafeMutableBufferPointer<Completion>.allocate(capacity: 16)

    /// Receives beside those for the ring's segments: for messages that give room back, and for the end.
    static let extraReceives = 16 + LentSegments.mostOffers
    /// How many used receives are posted again at the latest: with four messages under way, and one for each open offer,
    /// fewer than the extra ones.
    private static let mostIdleReceives = 7

    /// What a queue pair must hold.
    static func queueSizes(for shape: RingShape, inlineBytes: Int) -> QueueSizes {
        QueueSizes(
            sends: shape.slotCount + 2 * Int(SendWindow.reservedEntries),
            receives: shape.slotCount + extraReceives + 1, inlineBytes: inlineBytes)
    }

    /// Takes over the parts, and posts all receives: the first has room for a message if one is `expectingMessage`.
    init(
        _ verbs: any Verbs, context: UInt64, parts: consuming ConnectionParts, shape: RingShape,
        regions: RegisteredRegions, expectingMessage: Bool
    ) throws(SystemError) {
        self.verbs = verbs
        self.context = context
        self.shape = shape
        identifier = parts.identifier.handle
        channel = parts.channel.handle
        completions = parts.completions.handle
        pair = parts.pair.handle
        queueNumber = parts.pair.number
        inlineBytes = parts.pair.inlineBytes
        outgoing = parts.outgoing.memory
        outgoingKey = parts.outgoing.registration.localKey
        incoming = parts.incoming.memory
        incomingKey = parts.incoming.registration.localKey
        grant = RingGrant(
            address: UInt64(UInt(bitPattern: parts.incoming.memory.baseAddress)),
            key: parts.incoming.registration.remoteKey, shape: shape)
        domain = parts.domain.domain.handle
        finder = RegionFinder(regions, domain: domain)
        self.parts = consume parts
        let sizes = Self.queueSizes(for: shape, inlineBytes: 0)
        window = SendWindow(shape: shape, entryCount: sizes.sends)
        ring = ReceiveRing(shape: shape)
        batch.initialize(repeating: Completion())
        if expectingMessage {
            let room = UnsafeMutableRawBufferPointer(rebasing: incoming[shape.byteCount...])
            try verbs.postReceives(pair, count: 1, room: (room, incomingKey))
        }
        try verbs.postReceives(pair, count: Int32(sizes.receives - 1), room: nil)
    }

    deinit {
        // What is still read to must not be given back before the queue pair has gone.
        parts.take()?.release(landing.take())
        batch.deallocate()
    }

    /// Takes the queue pair to where it sends, once the peer has answered. Returns the path's MTU.
    func makeReady(_ path: PathSettings) throws(SystemError) -> Int {
        let receiving = try verbs.advance(pair, to: .readyToReceive, for: identifier, path)
        let sending = try verbs.advance(pair, to: .readyToSend, for: identifier, path)
        lock.withLock { _ in
            servesReads = receiving.readDepth > 0
            readDepth = min(sending.readDepth, Int(SendWindow.reservedEntries) / 2)
        }
        return receiving.mtu
    }

    /// The peer's ring is there to write to; false if it is not of this end's size.
    func begin(writingTo peerRing: RingGrant) -> Bool {
        lock.withLock { _ in
            guard peerRing.shape == shape else { return false }
            self.peerRing = peerRing
            return true
        }
    }

    /// Looks for completions, and takes note of what they say; whether there were any. Under the lock.
    @discardableResult
    func poll() -> Bool {
        var hasFound = false
        while true {
            let count: Int
            do {
                count = try verbs.poll(completions, into: batch)
            } catch {
                breakDown(.system(error))
                return true
            }
            for completion in batch[..<count] { note(completion) }
            hasFound = hasFound || count > 0
            if count < batch.count { break }
        }
        if idleReceives > Self.mostIdleReceives { postIdleReceives() }
        return hasFound
    }

    @inline(__always)
    private func note(_ completion: Completion) {
        guard completion.status == CompletionStatus.success else {
            // What was flushed says only that the connection is over; what failed says why.
            if !completion.isReceive { window.failed(completion.number) }
            if completion.status == CompletionStatus.flushed {
                breakDown(.ended)
            } else {
                let isRead = reads.contains { $0.number == completion.number }
                let operation = completion.isReceive ? "receive" : isRead ? "RDMA read" : "RDMA write"
                breakDown(
                    .completion(operation: operation, status: verbs.text(ofStatus: completion.status)))
            }
            return
        }
        guard completion.isReceive else {
            window.completed(completion.number)
            hasSendNews = true
            if let read = reads.firstIndex(where: { $0.number == completion.number }) {
                reads[read].isDone = true
                hasReceiveNews = true
            }
            return
        }
        guard completion.hasImmediate else {
            messageLength = Int(completion.length)
            hasReceiveNews = true
            return
        }
        idleReceives += 1
        switch ImmediateValue(rawValue: completion.immediate) {
        case .data(let byteCount, let credit, let hasOffer):
            let offset = ring.nextOffset
            guard offset + byteCount <= shape.byteCount else {
                return breakDown(.violation("wrote \(byteCount) bytes where it had no room for them"))
            }
            var offer: Offer?
            if hasOffer {
                guard byteCount >= Offer.encodedByteCount,
                    let made = Offer(
                        decoding: UnsafeRawBufferPointer(
                            rebasing: incoming[offset...].prefix(byteCount).suffix(Offer.encodedByteCount)))
                else { return breakDown(.violation("made an offer that makes no sense")) }
                offer = made
            }
            guard ring.arrived(byteCount, offer) else {
                return breakDown(.violation("wrote \(byteCount) bytes where it had no room for them"))
            }
            hasReceiveNews = true
            if credit > 0 { noteCredit(credit) }
        case .credit(let slots): noteCredit(slots)
        case .end:
            failure = failure ?? .ended
            (hasReceiveNews, hasSendNews) = (true, true)
        }
    }

    private func noteCredit(_ slots: Int) {
        guard window.returned(slots) else {
            return breakDown(.violation("gave back \(slots) slots that were not taken"))
        }
        hasSendNews = true
    }

    /// The connection is of no use any more. The first reason stands, unless all it said was that there was an end.
    func breakDown(_ reason: RDMAFailure) {
        isBroken = true
        (hasReceiveNews, hasSendNews) = (true, true)
        switch (failure, reason) {
        case (nil, _): failure = reason
        case (.ended?, .completion), (.ended?, .deviceRemoved): failure = reason
        default: break
        }
    }

    /// Posts the used receives again. Before any room is given back, so that there is a receive for all that comes of it.
    func postIdleReceives() {
        guard idleReceives > 0, !isBroken else { return }
        do {
            try verbs.postReceives(pair, count: Int32(idleReceives), room: nil)
            idleReceives = 0
        } catch { breakDown(.system(error)) }
    }

    /// The message of the handshake, once it has come. Throws if the connection has failed before.
    func message() throws(RDMAFailure) -> [UInt8]? {
        try lock.withLock { _ throws(RDMAFailure) in
            if messageLength == nil { poll() }
            if let messageLength {
                hasReceiveNews = !ring.isEmpty || failure != nil
                return Array(incoming[shape.byteCount...].prefix(messageLength))
            }
            if let failure { throw failure }
            return nil
        }
    }
}
