/// Which bytes of this end's ring the peer has written and nobody has taken yet, and what it has offered. No I/O.
struct ReceiveRing {
    let shape: RingShape
    /// The segments that have come, oldest first: `segments[first...]`, around the end.
    private var segments: [Segment]
    private var first = 0
    private var count = 0
    /// The slot in which the oldest segment begins, the one in which the next will, and how many there are from the one to
    /// the other.
    private var oldestSlot = 0
    private var nextSlot = 0
    private var usedSlots = 0
    /// Slots that are free again and that the peer has not been told of.
    private(set) var unreported = 0

    private struct Segment {
        /// How many bytes lie in the ring, and how many of them have been taken.
        var byteCount = 0
        var taken = 0
        var slots = 0
        /// What follows them in the peer's memory: how much of it is being fetched, or has been, and how much was taken.
        var offer: Offer?
        var requested = 0
        var fetched = 0

        var isOver: Bool { taken == byteCount && fetched == (offer?.byteCount ?? 0) }
    }

    init(shape: RingShape) {
        self.shape = shape
        segments = [Segment](repeating: Segment(), count: shape.slotCount)
    }

    /// Whether bytes are there, or on offer.
    var isEmpty: Bool { count == 0 }

    /// The bytes of the oldest segment that have not been taken, as a range of the ring; empty if what is next is on offer.
    var front: Range<Int> {
        guard count > 0 else { return 0..<0 }
        let start = oldestSlot * shape.slotSize
        return (start + segments[first].taken)..<(start + segments[first].byteCount)
    }

    /// How many of the bytes that are next are on offer, and not in the ring.
    var offered: Int {
        guard count > 0, front.isEmpty, let offer = segments[first].offer else { return 0 }
        return offer.byteCount - segments[first].fetched
    }

    /// Whether something has come after ``front``.
    var hasSecond: Bool { count > 1 || (count == 1 && !front.isEmpty && segments[first].offer != nil) }

    /// The peer has written a segment, and behind its bytes perhaps an offer; false if it had no room for it.
    @inline(__always)
    mutating func arrived(_ byteCount: Int, _ offer: Offer? = nil) -> Bool {
        let slots = shape.slots(for: byteCount)
        guard byteCount > 0, usedSlots + slots + unreported <= shape.slotCount,
            nextSlot + slots <= shape.slotCount
        else { return false }
        segments[shape.slot(count, behind: first)] = Segment(
            byteCount: byteCount - (offer == nil ? 0 : Offer.encodedByteCount), slots: slots, offer: offer)
        count += 1
        nextSlot = shape.slot(slots, behind: nextSlot)
        usedSlots += slots
        return true
    }

    /// Where the next segment to arrive begins in the ring.
    var nextOffset: Int { nextSlot * shape.slotSize }

    /// Takes bytes from the front, at most those of ``front``.
    @inline(__always)
    mutating func take(_ byteCount: Int) {
        guard byteCount > 0 else { return }
        precondition(count > 0 && byteCount <= front.count, "bytes are taken that have not come")
        segments[first].taken += byteCount
        endFront()
    }

    /// The next bytes on offer that nobody fetches yet, if only bytes on offer are before them; at most `limit`.
    mutating func request(atMost limit: Int) -> Offer? {
        for index in 0..<count {
            let place = shape.slot(index, behind: first)
            guard segments[place].taken == segments[place].byteCount else { return nil }
            guard let offer = segments[place].offer else { continue }
            let left = offer.byteCount - segments[place].requested
            guard left > 0 else { continue }
            defer { segments[place].requested += min(left, limit) }
            return Offer(
                address: offer.address + UInt64(segments[place].requested), key: offer.key,
                byteCount: min(left, limit))
        }
        return nil
    }

    /// Takes bytes that have been fetched; whether an offer has been taken whole with them.
    mutating func takeFetched(_ byteCount: Int) -> Bool {
        segments[first].fetched += byteCount
        precondition(
            segments[first].fetched <= segments[first].requested, "bytes are taken that were not fetched")
        return endFront()
    }

    @inline(__always)
    @discardableResult
    private mutating func endFront() -> Bool {
        guard segments[first].isOver else { return false }
        oldestSlot = shape.slot(segments[first].slots, behind: oldestSlot)
        usedSlots -= segments[first].slots
        unreported += segments[first].slots
        first = shape.slot(1, behind: first)
        count -= 1
        return true
    }

    /// Slots to give back to the peer now, at most `limit`.
    mutating func takeCredit(atMost limit: Int = .max) -> Int {
        let credit = min(limit, unreported)
        unreported -= credit
        return credit
    }
}
