/// Which bytes of this end's ring the peer has written and nobody has taken yet. No I/O.
struct ReceiveRing {
    let shape: RingShape
    /// The lengths of the segments that have come, oldest first: `lengths[first...]`, around the end.
    private var lengths: [Int32]
    private var first = 0
    private var count = 0
    /// The slot in which the oldest segment begins, and the one in which the next will; they count on and on.
    private var oldestSlot = 0
    private var nextSlot = 0
    /// How much of the oldest segment has been taken.
    private var taken = 0
    /// Slots that are free again and that the peer has not been told of.
    private(set) var unreported = 0

    init(shape: RingShape) {
        self.shape = shape
        lengths = [Int32](repeating: 0, count: shape.slotCount)
    }

    /// Whether bytes are there.
    var isEmpty: Bool { count == 0 }

    /// The bytes of the oldest segment that have not been taken, as a range of the ring.
    var front: Range<Int> {
        guard count > 0 else { return 0..<0 }
        let start = oldestSlot % shape.slotCount * shape.slotSize
        return (start + taken)..<(start + Int(lengths[first]))
    }

    /// Whether a segment has come after the oldest one.
    var hasSecond: Bool { count > 1 }

    /// The peer has written a segment; false if it had no room for it.
    mutating func arrived(_ byteCount: Int) -> Bool {
        let slots = shape.slots(for: byteCount)
        guard byteCount > 0, nextSlot + slots - oldestSlot + unreported <= shape.slotCount,
            nextSlot % shape.slotCount + slots <= shape.slotCount
        else { return false }
        lengths[(first + count) % lengths.count] = Int32(byteCount)
        count += 1
        nextSlot += slots
        return true
    }

    /// Takes bytes from the front, at most those of ``front``.
    mutating func take(_ byteCount: Int) {
        guard byteCount > 0 else { return }
        taken += byteCount
        let length = Int(lengths[first])
        precondition(count > 0 && taken <= length, "bytes are taken that have not come")
        guard taken == length else { return }
        let slots = shape.slots(for: length)
        oldestSlot += slots
        unreported += slots
        first = (first + 1) % lengths.count
        count -= 1
        taken = 0
    }

    /// Slots to give back to the peer now, at most `limit`.
    mutating func takeCredit(atMost limit: Int = .max) -> Int {
        let credit = min(limit, unreported)
        unreported -= credit
        return credit
    }
}
