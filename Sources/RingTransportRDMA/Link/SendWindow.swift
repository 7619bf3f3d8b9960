/// What this end may write to the peer's ring, and post to its own send queue. No I/O.
///
/// The bytes that are written mostly lie in a ring of this end's own, at the same offsets. A slot is free again when the peer has
/// given it back *and* the write from it has completed here: until then the device may read it again.
struct SendWindow {
    let shape: RingShape
    /// ``RingShape/segmentSize``, which is a division.
    private let segmentSize: Int
    /// The send queue's entries.
    let entryCount: UInt32

    /// Slots taken, given back by the peer, and written here; they wrap.
    private(set) var taken: UInt32 = 0
    /// The slot of the ring in which the next segment begins.
    private var nextSlot = 0
    private var returned: UInt32 = 0
    private var written: UInt32 = 0
    /// Requests posted, and those known to be over; they wrap at 31 bits, which is what a request's number holds.
    private var posted: UInt32 = 0
    private var over: UInt32 = 0
    /// What was posted since the last request that completes by itself.
    private var unsignaledEntries: UInt32 = 0
    private var unsignaledSlots = 0

    /// Entries of the send queue that data leaves to credit, to the end, and to what is fetched.
    static let reservedEntries: UInt32 = 24
    private static let entryMask: UInt32 = 0x7FFF_FFFF

    init(shape: RingShape, entryCount: Int) {
        self.shape = shape
        segmentSize = shape.segmentSize
        self.entryCount = UInt32(entryCount)
    }

    /// The offset at which the next segment begins.
    var offset: Int { nextSlot * shape.slotSize }

    /// How many slots may be written to.
    var freeSlots: Int {
        let inUse = max(taken &- returned, taken &- written)
        return shape.slotCount - Int(inUse)
    }

    /// How many entries of the send queue are free.
    var freeEntries: UInt32 { entryCount - ((posted &- over) & Self.entryMask) }

    /// How many bytes the next segment may have.
    @inline(__always)
    var room: Int {
        guard freeEntries > Self.reservedEntries else { return 0 }
        return min(segmentSize, min(freeSlots, shape.slotCount - nextSlot) * shape.slotSize)
    }

    /// Whether every request is over.
    var isIdle: Bool { posted == over }

    /// Takes a request that writes `byteCount` bytes (0 to `room`); its number, and whether it must complete by itself.
    @inline(__always)
    mutating func post(byteCount: Int, mustSignal: Bool = false) -> (number: UInt64, isSignaled: Bool) {
        let slots = shape.slots(for: byteCount)
        taken &+= UInt32(slots)
        nextSlot = shape.slot(slots, behind: nextSlot)
        posted = (posted &+ 1) & Self.entryMask
        unsignaledEntries += 1
        unsignaledSlots += slots
        let isSignaled =
            mustSignal || unsignaledEntries >= max(1, entryCount / 8)
            || unsignaledSlots >= max(1, shape.slotCount / 8)
        if isSignaled { (unsignaledEntries, unsignaledSlots) = (0, 0) }
        // Odd: receives are numbered 0.
        return (UInt64(taken) << 32 | UInt64(posted) << 1 | 1, isSignaled)
    }

    /// Whether the slots up to `end` have been written here, or, where they are an offer, given back by the peer.
    func isBehind(_ end: UInt32, isOffer: Bool) -> Bool {
        Int32(bitPattern: (isOffer ? returned : written) &- end) >= 0
    }

    /// A request has ended without having been carried out, and with it all that were posted before it.
    mutating func failed(_ number: UInt64) {
        over = UInt32(truncatingIfNeeded: number >> 1) & Self.entryMask
    }

    /// A request has completed, and with it all that were posted before it.
    mutating func completed(_ number: UInt64) {
        written = UInt32(truncatingIfNeeded: number >> 32)
        over = UInt32(truncatingIfNeeded: number >> 1) & Self.entryMask
    }

    /// The peer has given slots back; false if it gives back what it never had.
    mutating func returned(_ slots: Int) -> Bool {
        guard slots <= Int(taken &- returned) else { return false }
        returned &+= UInt32(slots)
        return true
    }
}
